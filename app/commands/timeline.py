"""`unirg trace`: a study's whole timeline, from its audit entries; no patient names."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy.orm import Session

from app.db.session import Database
from app.db.tables import AuditRow, Delivery, Job, Study
from app.errors import NotFound


@dataclass(frozen=True, slots=True)
class Moment:
    """seconds: since the first entry."""

    at: str
    seconds: float
    actor: str
    action: str
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Timeline:
    """One study: where it is, what happened, what is still to do."""

    study_instance_uid: str
    state: str
    reason: str
    revision: int
    moments: tuple[Moment, ...]
    jobs: tuple[dict[str, Any], ...]
    deliveries: tuple[dict[str, Any], ...]

    def as_json(self) -> dict[str, Any]:
        """For --json."""
        return asdict(self)


def timelines(database: Database, key: str) -> list[Timeline]:
    """Of each study with this AccessionNumber or StudyInstanceUID. Raises NotFound."""
    with database.reading() as session:
        where = sa.or_(Study.accession_number == key, Study.study_instance_uid == key)
        studies = session.scalars(sa.select(Study).where(where).order_by(Study.received_at)).all()
        if not studies:
            message = f"No study has accession number or StudyInstanceUID {key}; check the spelling."
            raise NotFound(message)
        return [_timeline(session, study) for study in studies]


def _timeline(session: Session, study: Study) -> Timeline:
    rows = session.scalars(sa.select(AuditRow).where(AuditRow.study_id == study.id).order_by(AuditRow.seq)).all()
    start = datetime.fromisoformat(rows[0].at) if rows else None
    jobs = session.scalars(sa.select(Job).where(Job.study_id == study.id).order_by(Job.created_at)).all()
    deliveries = session.scalars(sa.select(Delivery).where(Delivery.study_id == study.id)).all()
    return Timeline(
        study.study_instance_uid,
        str(study.stage),
        study.reason,
        study.revision,
        tuple(_moment(row, start) for row in rows),
        tuple({"task": j.task, "state": j.state, "attempts": j.attempts, "error": j.last_error} for j in jobs),
        tuple(
            {"destination": d.destination, "status": d.status, "attempts": d.attempts, "error": d.last_error}
            for d in deliveries
        ),
    )


def _moment(row: AuditRow, start: datetime | None) -> Moment:
    at = datetime.fromisoformat(row.at)
    seconds = (at - start).total_seconds() if start else 0.0
    return Moment(row.at, round(seconds, 3), row.actor, row.action, row.detail)


def show(found: list[Timeline], console: Console) -> None:
    """For a person at a terminal."""
    for timeline in found:
        console.print(f"[bold]{timeline.study_instance_uid}[/bold]: {timeline.state}, revision {timeline.revision}")
        if timeline.reason:
            console.print(f"  {timeline.reason}", markup=False)
        table = Table("seconds", "who", "what", "detail", box=None, pad_edge=True)
        for moment in timeline.moments:
            detail = ", ".join(f"{key}={value}" for key, value in moment.detail.items())
            table.add_row(f"{moment.seconds:.3f}", moment.actor, moment.action, escape(detail))
        console.print(table)
        for job in timeline.jobs:
            error = f": {job['error']}" if job["error"] else ""
            console.print(f"  job {job['task']}: {job['state']}, attempt {job['attempts']}{error}", markup=False)
        for delivery in timeline.deliveries:
            error = f": {delivery['error']}" if delivery["error"] else ""
            console.print(f"  delivery to {delivery['destination']}: {delivery['status']}{error}", markup=False)
