"""Critical results: a finding is opened at once, and closed when somebody was told or when it is dropped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.access import Reader
from app.db.report_tables import IS_OPEN, CriticalFinding, CriticalResult
from app.db.session import Database, UnitOfWork, unit_of_work
from app.db.tables import Report, Study
from app.domain.identifiers import new_id
from app.domain.report import ReportStatus
from app.errors import Conflict, InvalidRequest, NotFound
from app.ports import Clock
from app.rest.guard import actor
from app.review.critical_schemas import DropCriticalFinding, OpenCriticalFinding, RecordCriticalResult
from app.review.handlers import locked_rows, note, refuse_closed
from app.review.reading import DraftGate
from app.review.report_schemas import ReportOut
from app.review.report_views import report_out

CLOCKS_DIFFER = timedelta(minutes=5)
"""A time that a client gives may be so far ahead of ours."""
LIMIT = timedelta(minutes=60)
"""From the finding to somebody who was told, unless the site has another."""


def open_findings(session: Session, report: Report) -> list[CriticalFinding]:
    """Those that nobody was told of yet, the earliest due first."""
    mine = sa.select(CriticalFinding).where(CriticalFinding.report_id == report.id, IS_OPEN)
    return list(session.scalars(mine.order_by(CriticalFinding.due_at, CriticalFinding.id)))


@dataclass(frozen=True, slots=True)
class TellCriticalResults:
    """By anybody who may write, whoever holds the study, before or after signing: no text is changed."""

    database: Database
    clock: Clock
    gate: DraftGate
    limit: timedelta

    def open(self, reader: Reader, report_id: str, given: OpenCriticalFinding) -> ReportOut:
        """Keep a finding that nobody was told of yet.

        Raises InvalidRequest for a time that cannot be, Conflict for a withdrawn report.
        """
        with self._report(reader, report_id) as (uow, study, report):
            _refuse_withdrawn(report)
            if given.found_at > uow.now + CLOCKS_DIFFER:
                message = "It cannot have been found later than now; correct the time."
                raise InvalidRequest(message)
            row = CriticalFinding(
                id=new_id(),
                report_id=report.id,
                **given.model_dump(),
                due_at=given.found_at + self.limit,
                opened_by=reader.user_id,
                opened_name=reader.name,
                opened_at=uow.now,
            )
            uow.session.add(row)
            due = row.due_at.isoformat()
            note(uow, study, "report.critical_opened", report_id=report.id, critical_finding_id=row.id, due_at=due)
            return self._out(uow, reader, study, report)

    def tell(self, reader: Reader, report_id: str, told: RecordCriticalResult) -> ReportOut:
        """Record that somebody was told; closes the open finding that is named, or the only one.

        Raises InvalidRequest for times that cannot be, NotFound for a finding of another report, Conflict for one that
        is closed, where one of several must be named, and for a withdrawn report on which none is open.
        """
        with self._report(reader, report_id) as (uow, study, report):
            closes = _closed_by(uow.session, report, told.critical_finding_id)
            if closes is None:
                _refuse_withdrawn(report)
            if not told.found_at <= told.told_at <= uow.now + CLOCKS_DIFFER:
                message = "Found, then told, then now: the times are not in this order; correct them."
                raise InvalidRequest(message)
            row = CriticalResult(
                id=new_id(),
                report_id=report.id,
                **told.model_dump(exclude={"critical_finding_id"}),
                recorded_by=reader.user_id,
                recorded_name=reader.name,
                recorded_at=uow.now,
            )
            uow.session.add(row)
            uow.session.flush()
            facts = {"report_id": report.id, "critical_result_id": row.id}
            if closes is not None:
                _close(uow, closes, reader)
                closes.result_id = row.id
                facts["critical_finding_id"] = closes.id
            note(uow, study, "report.critical_result", **facts)
            return self._out(uow, reader, study, report)

    def drop(self, reader: Reader, report_id: str, finding_id: str, given: DropCriticalFinding) -> ReportOut:
        """It is not critical after all; kept with the reason. Raises NotFound, Conflict for one that is closed."""
        with self._report(reader, report_id) as (uow, study, report):
            row = _open_one(uow.session, report, finding_id)
            _close(uow, row, reader)
            row.drop_reason = given.reason
            note(uow, study, "report.critical_dropped", report_id=report.id, critical_finding_id=row.id)
            return self._out(uow, reader, study, report)

    @contextmanager
    def _report(self, reader: Reader, report_id: str) -> Iterator[tuple[UnitOfWork, Study, Report]]:
        with unit_of_work(self.database, self.clock, actor(reader)) as uow:
            yield uow, *locked_rows(uow, report_id)

    def _out(self, uow: UnitOfWork, reader: Reader, study: Study, report: Report) -> ReportOut:
        uow.session.flush()
        withheld = self.gate.withholds(uow.session, reader, study, report)
        return report_out(uow.session, report, withheld=withheld)


def _refuse_withdrawn(report: Report) -> None:
    if report.status == ReportStatus.CANCELLED:
        refuse_closed(report)


def _closed_by(session: Session, report: Report, finding_id: str | None) -> CriticalFinding | None:
    if finding_id is not None:
        return _open_one(session, report, finding_id)
    waiting = open_findings(session, report)
    if len(waiting) > 1:
        message = f"{len(waiting)} critical findings are open on this report; name the one that this is about."
        raise Conflict(message)
    return waiting[0] if waiting else None


def _open_one(session: Session, report: Report, finding_id: str) -> CriticalFinding:
    row = session.get(CriticalFinding, finding_id)
    if row is None or row.report_id != report.id:
        message = "The report has no critical finding of this id."
        raise NotFound(message)
    if row.closed_at is not None:
        did = "recorded who was told of it" if row.result_id else "dropped it"
        message = f"It is not open any more: {row.closed_name} {did} at {row.closed_at:%H:%M} UTC."
        raise Conflict(message)
    return row


def _close(uow: UnitOfWork, row: CriticalFinding, reader: Reader) -> None:
    row.closed_by, row.closed_name, row.closed_at = reader.user_id, reader.name, uow.now
