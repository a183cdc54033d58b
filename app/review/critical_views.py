"""Critical results as clients read them: on the report, on the study, and as a worklist sees them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.db.report_tables import IS_OPEN, CriticalFinding, CriticalResult
from app.db.tables import Report
from app.review.critical_schemas import CriticalFindingOut, CriticalResultOut, CriticalState


def findings_out(session: Session, report_id: str) -> list[CriticalFindingOut]:
    """Every one that was opened on the report, the earliest due first."""
    mine = sa.select(CriticalFinding).where(CriticalFinding.report_id == report_id)
    return [_finding(row) for row in session.scalars(mine.order_by(CriticalFinding.due_at, CriticalFinding.id))]


def _finding(row: CriticalFinding) -> CriticalFindingOut:
    outcome: Literal["told", "dropped"] | None = None
    if row.closed_at is not None:
        outcome = "told" if row.result_id else "dropped"
    return CriticalFindingOut(
        id=row.id,
        finding=row.finding,
        found_at=row.found_at,
        due_at=row.due_at,
        opened_by=row.opened_name,
        opened_at=row.opened_at,
        outcome=outcome,
        drop_reason=row.drop_reason or None,
        closed_by=row.closed_name or None,
        closed_at=row.closed_at,
    )


def results_out(session: Session, report_id: str) -> list[CriticalResultOut]:
    """Every communication of the report, as they were recorded."""
    query = (
        sa.select(CriticalResult, CriticalFinding.id)
        .outerjoin(CriticalFinding, CriticalFinding.result_id == CriticalResult.id)
        .where(CriticalResult.report_id == report_id)
    )
    rows = session.execute(query.order_by(CriticalResult.recorded_at))
    return [_result(row, finding_id) for row, finding_id in rows]


def _result(row: CriticalResult, finding_id: str | None) -> CriticalResultOut:
    return CriticalResultOut(
        critical_finding_id=finding_id,
        finding=row.finding,
        found_at=row.found_at,
        told_to=row.told_to,
        told_at=row.told_at,
        method=row.method,
        read_back=row.read_back,
        recorded_by=row.recorded_name,
        recorded_at=row.recorded_at,
    )


def first_due() -> sa.ScalarSelect[datetime]:
    """Of the open ones of a Report of the enclosing query, when the first is due; null where none is open."""
    mine = sa.select(sa.func.min(CriticalFinding.due_at)).where(CriticalFinding.report_id == Report.id, IS_OPEN)
    return mine.correlate(Report).scalar_subquery()


def was_told() -> sa.Exists:
    """Whether somebody was told of one of a Report of the enclosing query."""
    return sa.exists().where(CriticalResult.report_id == Report.id)


def critical_state(told: bool, due_at: datetime | None, now: datetime) -> CriticalState | None:
    """told: somebody was told of one; due_at: when the first open one is due, None where none is open."""
    if due_at is not None:
        return CriticalState.OVERDUE if due_at <= now else CriticalState.OPEN
    return CriticalState.TOLD if told else None
