"""The wire shapes of the audit chain."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from app.audit.rules import Outcome
from app.rest.words import Told


class Order(StrEnum):
    """From which end of the chain; the same cursor leads on in either."""

    OLDEST_FIRST = "oldest"
    NEWEST_FIRST = "newest"


class AuditEntryOut(Told):
    """One link. at: RFC 3339 UTC; hash: over the previous link's and this one's facts."""

    seq: int
    at: str
    actor: str
    action: str
    outcome: Outcome
    study_instance_uid: str | None
    detail: dict[str, Any]
    hash: str


class AuditPage(Told):
    """Links in the order that was asked for. next: `after` of the following call; None on the last page."""

    items: list[AuditEntryOut]
    next: int | None


class ChainOut(Told):
    """Whether the whole chain holds; problem: where it does not."""

    ok: bool
    entries: int
    problem: str | None
