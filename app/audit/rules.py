"""Which entries of the chain tell of something that did not come about. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

FAILURES = frozenset(
    """
    auth.login_failed auth.confirmation_failed delivery.dead feedback.refused instance.quarantined job.dead
    peer.echo_failed study.dead_lettered study.draft_given_up
    """.split()  # noqa: SIM905 - one word each
)
VERIFIED = "audit.verified"


class Outcome(StrEnum):
    """Whether what an entry tells of came about."""

    SUCCESS = "success"
    FAILURE = "failure"


def outcome(action: str, detail: Mapping[str, object]) -> Outcome:
    """By its action alone, but for a look at the chain, which says itself what was found."""
    broken = action == VERIFIED and detail.get("ok") is False
    return Outcome.FAILURE if action in FAILURES or broken else Outcome.SUCCESS
