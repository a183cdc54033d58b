"""GET /audit, GET /audit/verify: for auditors; that they looked is itself in the chain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime

from app.access import Action, Reader
from app.audit import views
from app.audit.rules import Outcome
from app.audit.schemas import AuditPage, ChainOut, Order
from app.db import audit_trail
from app.db.session import Database, unit_of_work
from app.ports import Clock
from app.rest.guard import Allow, actor
from app.rest.problems import declared
from app.rest.words import Line, Uid

router = APIRouter(prefix="/audit", tags=["audit"])
MayAudit = Annotated[Reader, Depends(Allow(Action.READ_AUDIT))]
HIGHEST = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Audit:
    """Kept as `app.state.audit`."""

    database: Database
    clock: Clock

    def note(self, reader: Reader, action: str, **detail: object) -> None:
        """Write down who looked."""
        with unit_of_work(self.database, self.clock, actor(reader)) as uow:
            uow.audit(action, "", **detail)


def _audit(request: Request) -> Audit:
    return cast("Audit", request.app.state.audit)


TheAudit = Annotated[Audit, Depends(_audit)]


def _wanted(
    study: Annotated[Uid | None, Query()] = None,
    actor: Annotated[Line | None, Query(max_length=80)] = None,
    action: Annotated[Line | None, Query(max_length=48)] = None,
    outcome: Outcome | None = None,
    since: Annotated[AwareDatetime | None, Query(alias="from")] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to")] = None,
) -> views.Wanted:
    return views.Wanted(study, actor, action, outcome, since, until)


@router.get("", responses=declared(401, 403, 422))
def get_audit(
    reader: MayAudit,
    audit: TheAudit,
    wanted: Annotated[views.Wanted, Depends(_wanted)],
    order: Order = Order.OLDEST_FIRST,
    after: Annotated[int, Query(ge=0, le=HIGHEST)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> AuditPage:
    """Who did what, in order; by study, actor, action (also a group of them: "report"), outcome, and time (to: before).

    Further pages: the same call with `after` as `next` of the one before says.
    """
    with audit.database.reading() as session:
        found = views.page(session, wanted, order, after, limit)
    audit.note(reader, "read.audit", after=after, entries=len(found.items))
    return found


@router.get("/verify", responses=declared(401, 403))
def verify(reader: MayAudit, audit: TheAudit) -> ChainOut:
    """Walk the whole chain: an edit, a deletion or a new order shows."""
    with audit.database.reading() as session:
        report = audit_trail.verify(session)
    audit.note(reader, "audit.verified", ok=report.ok, entries=report.entries)
    return ChainOut(ok=report.ok, entries=report.entries, problem=report.problem or None)
