"""Entries by study, actor, action, outcome and time, from either end of the chain."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.audit.rules import FAILURES, VERIFIED, Outcome, outcome
from app.audit.schemas import AuditEntryOut, AuditPage, Order
from app.db.tables import AuditRow, Study


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries; None: all. study: StudyInstanceUID; actor: as the chain names it, e.g. user:ada.

    action: itself, and what stands below it ("report" also finds report.signed); since, until: that moment and later,
    and before that moment.
    """

    study: str | None = None
    actor: str | None = None
    action: str | None = None
    outcome: Outcome | None = None
    since: datetime | None = None
    until: datetime | None = None

    def clauses(self) -> list[sa.ColumnElement[bool]]:
        """For a WHERE."""
        found: list[sa.ColumnElement[bool]] = []
        if self.study is not None:
            found.append(Study.study_instance_uid == self.study)
        if self.actor is not None:
            found.append(AuditRow.actor == self.actor)
        if self.action is not None:
            below = AuditRow.action.startswith(f"{self.action}.", autoescape=True)
            found.append(sa.or_(AuditRow.action == self.action, below))
        if self.outcome is not None:
            found.append(_failed() if self.outcome is Outcome.FAILURE else sa.not_(_failed()))
        if self.since is not None:
            found.append(AuditRow.at >= _as_written(self.since))
        if self.until is not None:
            found.append(AuditRow.at < _as_written(self.until))
        return found


def _failed() -> sa.ColumnElement[bool]:
    """As `rules.outcome` has it."""
    broken = sa.and_(AuditRow.action == VERIFIED, sa.not_(AuditRow.detail["ok"].as_boolean()))
    return sa.or_(AuditRow.action.in_(FAILURES), sa.func.coalesce(broken, sa.false()))


def _as_written(moment: datetime) -> str:
    """The form in which the chain keeps times; its order is that of time."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def page(session: Session, wanted: Wanted, order: Order, after: int, limit: int) -> AuditPage:
    """At most `limit` entries behind number `after`, in this order; 0: from where it begins."""
    query = sa.select(AuditRow, Study.study_instance_uid).join(Study, Study.id == AuditRow.study_id, isouter=True)
    query = query.where(*wanted.clauses())
    if order is Order.OLDEST_FIRST:
        query = query.where(AuditRow.seq > after).order_by(AuditRow.seq)
    else:
        query = query.where(AuditRow.seq < after if after else sa.true()).order_by(AuditRow.seq.desc())
    found = [_entry(row, uid) for row, uid in session.execute(query.limit(limit + 1))]
    shown = found[:limit]
    return AuditPage(items=shown, next=shown[-1].seq if len(found) > limit else None)


def _entry(row: AuditRow, study_instance_uid: str | None) -> AuditEntryOut:
    return AuditEntryOut(
        seq=row.seq,
        at=row.at,
        actor=row.actor,
        action=row.action,
        outcome=outcome(row.action, row.detail),
        study_instance_uid=study_instance_uid,
        detail=row.detail,
        hash=row.hash,
    )
