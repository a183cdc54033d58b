"""The wire shapes of the audit chain."""

from __future__ import annotations

from typing import Any

from app.rest.words import Told


class AuditEntryOut(Told):
    """One link. at: RFC 3339 UTC; hash: over the previous link's and this one's facts."""

    seq: int
    at: str
    actor: str
    action: str
    study_instance_uid: str | None
    detail: dict[str, Any]
    hash: str


class AuditPage(Told):
    """Links in order. next: `after` of the following call; None on the last page."""

    items: list[AuditEntryOut]
    next: int | None


class ChainOut(Told):
    """Whether the whole chain holds; problem: where it does not."""

    ok: bool
    entries: int
    problem: str | None
