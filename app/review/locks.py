"""The reading lock: a lease on a study for one writer, renewed while the page is open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from app.access import Reader
from app.db.report_tables import WithdrawnReport
from app.db.session import Database, UnitOfWork, unit_of_work
from app.db.tables import ReadingLock, Report, Study
from app.domain.identifiers import new_id
from app.domain.report import ReportStatus
from app.errors import Conflict
from app.ports import Clock
from app.rest.guard import actor
from app.review.schemas import LockOut

LEASE = timedelta(seconds=60)


class StudyLocked(Conflict):
    """Another reader has the study open for writing."""

    title = "Study is being read by somebody else"

    @property
    def members(self) -> Mapping[str, object]:
        """Extension member of the problem: who it is."""
        return {"owner": self.args[1]} if len(self.args) > 1 else {}


def hold(uow: UnitOfWork, study: Study, reader: Reader) -> ReadingLock:
    """Take or renew the lease; the study's row lock makes one of several win. Raises StudyLocked."""
    lock = uow.session.get(ReadingLock, study.id, with_for_update=True)
    if lock is not None and lock.user_id != reader.user_id and lock.expires_at > uow.now:
        message = f"{lock.owner} has this study open until {lock.expires_at:%H:%M:%S} UTC; wait, or talk to them."
        raise StudyLocked(message, lock.owner)
    if lock is None:
        lock = ReadingLock(study_id=study.id)
        uow.session.add(lock)
    elif lock.user_id != reader.user_id:
        _keep_wording(uow, study, lock.owner, reader)
    if lock.user_id != reader.user_id or lock.expires_at <= uow.now:
        uow.audit("study.claimed", study.id, state=str(study.stage), revision=study.revision)
    lock.user_id, lock.owner, lock.expires_at = reader.user_id, reader.name, uow.now + LEASE
    return lock


def _keep_wording(uow: UnitOfWork, study: Study, owner: str, reader: Reader) -> None:
    """What the one who is gone had saved stays in the record, whatever the one who takes over makes of it."""
    query = sa.select(Report).where(Report.study_id == study.id, Report.status == ReportStatus.PRELIMINARY)
    report = uow.session.scalars(query).one_or_none()
    if report is None or not (report.findings or report.impression):
        return
    same = (WithdrawnReport.report_id == report.id, WithdrawnReport.version == report.version)
    if uow.session.scalars(sa.select(WithdrawnReport.id).where(*same)).first() is None:
        uow.session.add(wording(uow, report, owner, reader, f"{reader.name} took over from {owner}"))


def wording(uow: UnitOfWork, report: Report, author: str, reader: Reader, reason: str) -> WithdrawnReport:
    """A report as it stands, to be kept; author: whose words they are; reader: who withdraws it or takes it over."""
    return WithdrawnReport(
        id=new_id(),
        report_id=report.id,
        draft_id=report.draft_id,
        version=report.version,
        findings=report.findings,
        impression=report.impression,
        sentences=report.sentences,
        author_name=author,
        reason=reason,
        withdrawn_by=reader.user_id,
        withdrawn_at=uow.now,
    )


def free(uow: UnitOfWork, study: Study, reader: Reader) -> None:
    """End the reader's lease; somebody else's, or none, is left as it is."""
    lock = uow.session.get(ReadingLock, study.id, with_for_update=True)
    if lock is not None and lock.user_id == reader.user_id:
        uow.session.delete(lock)
        uow.audit("study.released", study.id, state=str(study.stage), revision=study.revision)


@dataclass(frozen=True, slots=True)
class ClaimStudies:
    """POST and DELETE …/claim."""

    database: Database
    clock: Clock

    def claim(self, reader: Reader, study_instance_uid: str) -> LockOut:
        """Take or renew. Raises NotFound, StudyLocked."""
        with unit_of_work(self.database, self.clock, actor(reader)) as uow:
            lock = hold(uow, uow.study_by_uid(study_instance_uid), reader)
            return LockOut(owner=lock.owner, mine=True, expires_at=lock.expires_at)

    def release(self, reader: Reader, study_instance_uid: str) -> None:
        """Give it back; harmless where it is not held. Raises NotFound."""
        with unit_of_work(self.database, self.clock, actor(reader)) as uow:
            free(uow, uow.study_by_uid(study_instance_uid), reader)
