"""Writing a report: begin, save, withdraw. Signing is in `signing`, critical results are in `critical`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.access import Reader
from app.db.session import Database, UnitOfWork, unit_of_work
from app.db.tables import Draft, Report, Study
from app.domain.events import RedraftRequested
from app.domain.identifiers import new_id
from app.domain.reading import ReadingMode
from app.domain.report import SIGNED, ReportStatus
from app.domain.study import READABLE, Stage, Step
from app.errors import Conflict, ServiceError, StaleVersion
from app.ports import Clock
from app.rest.etags import is_expected
from app.rest.guard import actor
from app.review import locks, rules
from app.review.reading import DraftGate, note_own_text
from app.review.report_schemas import ReportOut, WriteReport
from app.review.report_views import find_report, report_out
from app.review.views import etag


class AlreadySigned(Conflict):
    """A signed text never changes (LAW 5)."""

    title = "The report is signed"


class DraftStale(Conflict):
    """The draft was written from images or an order that have changed since."""

    title = "The draft is stale"


def draft_lines(session: Session, draft_id: str | None) -> list[rules.DraftLine]:
    """The draft's sentences as the rules see them; none for a report from nothing."""
    draft = session.get(Draft, draft_id) if draft_id else None
    return [rules.DraftLine(s["index"], s["text"], bool(s["flags"])) for s in draft.sentences] if draft else []


def refuse_closed(report: Report) -> None:
    """Raises AlreadySigned, or Conflict for a withdrawn report."""
    if report.status in SIGNED:
        message = "The report is signed and never changes; write an addendum."
        raise AlreadySigned(message)
    if report.status == ReportStatus.CANCELLED:
        message = "The report was withdrawn; begin a new one."
        raise Conflict(message)


def refuse_stale_version(report: Report, if_match: str | None, refusal: type[ServiceError] = StaleVersion) -> None:
    """Raises VersionRequired without If-Match, `refusal` where it names another version (RFC 9110 13.1.1)."""
    if not is_expected(etag(report), if_match):
        message = "The report was changed since you read it; read it again, then decide what to keep."
        raise refusal(message)


def locked_rows(uow: UnitOfWork, report_id: str) -> tuple[Study, Report]:
    """Study and report, their rows locked in this order always. Raises NotFound."""
    study = uow.study(find_report(uow.session, report_id).study_id)
    report = uow.session.get_one(Report, report_id, with_for_update=True, populate_existing=True)
    return study, report


def note(uow: UnitOfWork, study: Study, action: str, **detail: object) -> None:
    """An audit entry that is also a line of the change feed."""
    uow.audit(action, study.id, state=str(study.stage), revision=study.revision, **detail)


@dataclass(frozen=True, slots=True)
class WriteReports:
    """What may be done to a report until it is signed. Every writer holds the study's reading lock."""

    database: Database
    clock: Clock
    gate: DraftGate

    @contextmanager
    def _open(self, reader: Reader, report_id: str) -> Iterator[tuple[UnitOfWork, Study, Report]]:
        with unit_of_work(self.database, self.clock, actor(reader)) as uow:
            study, report = locked_rows(uow, report_id)
            refuse_closed(report)
            yield uow, study, report

    def start(self, reader: Reader, study_instance_uid: str, draft_id: str | None) -> ReportOut:
        """Begin the study's report, or go on with the one that was begun.

        An open report goes over to `draft_id` where that is another draft than its own, or to none where its own is
        stale: its text is kept, its decisions start anew.
        Raises NotFound, StudyLocked, AlreadySigned, DraftStale, DraftWithheld, IllegalTransition.
        """
        with unit_of_work(self.database, self.clock, actor(reader)) as uow:
            study = uow.study_by_uid(study_instance_uid)
            mine = sa.select(Report).where(Report.study_id == study.id).with_for_update()
            report = uow.session.scalars(mine).one_or_none()
            if report is not None and report.status in SIGNED:
                refuse_closed(report)
            locks.hold(uow, study, reader)
            if report is None or report.status == ReportStatus.CANCELLED:
                report = self._begin(uow, study, report, reader, draft_id)
            else:
                self._go_on(uow, study, report, reader, draft_id)
            uow.session.flush()
            return report_out(uow.session, report)

    def _begin(self, uow: UnitOfWork, study: Study, old: Report | None, reader: Reader, draft_id: str | None) -> Report:
        draft = self._open_draft(uow.session, study, reader, draft_id)
        report = old or Report(id=new_id(), study_id=study.id, version=0, created_at=uow.now)
        report.draft_id, report.status, report.version = draft_id, ReportStatus.PRELIMINARY, report.version + 1
        report.draft_revision = draft.revision if draft else None
        report.reading_mode = mode = self.gate.configured(uow.session, study)
        report.findings = report.impression = ""
        report.sentences = _stored(rules.begun(draft_lines(uow.session, draft_id)))
        report.author_id, report.author_name, report.updated_at = reader.user_id, reader.name, uow.now
        uow.session.add(report)
        uow.move(study, Step.REPORT_STARTED)
        note(uow, study, "report.started", report_id=report.id, draft_id=draft_id or "", reading_mode=mode)
        return report

    def _go_on(self, uow: UnitOfWork, study: Study, report: Report, reader: Reader, draft_id: str | None) -> None:
        self.gate.require_report(uow.session, reader, study, report)
        goes_over = draft_id is not None or _is_stale(uow.session, study, report.draft_id)
        if goes_over and draft_id != report.draft_id:
            draft = self._open_draft(uow.session, study, reader, draft_id)
            report.draft_id, report.version, report.updated_at = draft_id, report.version + 1, uow.now
            report.draft_revision = draft.revision if draft else report.draft_revision  # its wording may stay behind
            report.sentences = _stored(rules.begun(draft_lines(uow.session, draft_id)))
            note(uow, study, "report.rebased", report_id=report.id, draft_id=draft_id or "")
        if study.stage in READABLE:
            uow.move(study, Step.REPORT_STARTED)

    def _open_draft(self, session: Session, study: Study, reader: Reader, draft_id: str | None) -> Draft | None:
        if draft_id is None:
            return None
        draft = _current(session, study, draft_id)
        self.gate.require_draft(session, reader, study, draft)
        return draft

    def save(self, reader: Reader, report_id: str, if_match: str | None, given: WriteReport) -> ReportOut:
        """Replace text and decisions.

        After a late image this takes the study back into review: the reader has had the chance to look.
        Raises AlreadySigned, VersionRequired, StaleVersion, StudyLocked, DraftWithheld, Contradiction.
        """
        decided = [rules.DecidedSentence(s.index, s.decision, s.text) for s in given.sentences]
        with self._open(reader, report_id) as (uow, study, report):
            refuse_stale_version(report, if_match)
            locks.hold(uow, study, reader)
            self.gate.require_report(uow.session, reader, study, report)
            before = (report.findings, report.impression)
            report.sentences = _stored(rules.checked(draft_lines(uow.session, report.draft_id), decided))
            report.findings, report.impression = given.findings, given.impression
            report.version, report.updated_at = report.version + 1, uow.now
            if report.reading_mode == ReadingMode.SECOND_READER:
                note_own_text(uow, study, report, reader, before)
            if study.stage in READABLE:
                uow.move(study, Step.REPORT_STARTED)
            # not a report.* action: each few seconds of typing is no change that another system waits for
            uow.audit("text.saved", study.id, report_id=report.id, version=report.version)
            uow.session.flush()
            return report_out(uow.session, report)

    def withdraw(self, reader: Reader, report_id: str, reason: str) -> ReportOut:
        """Give an unsigned report up; its wording is kept. Raises AlreadySigned, StudyLocked."""
        with self._open(reader, report_id) as (uow, study, report):
            locks.hold(uow, study, reader)
            withheld = self.gate.withholds(uow.session, reader, study, report)
            uow.session.add(locks.wording(uow, report, report.author_name, reader, reason))
            report.status, report.version, report.updated_at = ReportStatus.CANCELLED, report.version + 1, uow.now
            if study.stage is Stage.IN_REVIEW:
                _back_to_be_read(uow, study, reader)
            note(uow, study, "report.withdrawn", report_id=report.id)
            locks.free(uow, study, reader)
            uow.session.flush()
            return report_out(uow.session, report, withheld=withheld)


def _is_stale(session: Session, study: Study, draft_id: str | None) -> bool:
    if draft_id is None:
        return False
    return draft_id != study.current_draft_id or session.get_one(Draft, draft_id).stale


def refuse_stale_draft(session: Session, study: Study, report: Report) -> None:
    """Raises DraftStale."""
    if _is_stale(session, study, report.draft_id):
        message = "The study has changed since the draft was written; go over to its current draft, or to none."
        raise DraftStale(message)


def _current(session: Session, study: Study, draft_id: str) -> Draft:
    draft = session.get(Draft, draft_id)
    if draft is None or draft.study_id != study.id:
        message = "The study has no draft of this id; read the study again."
        raise Conflict(message)
    if _is_stale(session, study, draft_id):
        message = "The study has changed since this draft was written; begin from its current draft, or from nothing."
        raise DraftStale(message)
    return draft


def _stored(decided: Sequence[rules.DecidedSentence]) -> list[dict[str, object]]:
    return [{**asdict(sentence), "decision": str(sentence.decision)} for sentence in decided]


def _back_to_be_read(uow: UnitOfWork, study: Study, reader: Reader) -> None:
    """`ready` says that a draft waits: without one the study takes its road again and ends where that leads."""
    uow.move(study, Step.REPORT_WITHDRAWN, reason=f"{reader.name} withdrew a report")
    draft = uow.session.get(Draft, study.current_draft_id) if study.current_draft_id else None
    if draft is None or draft.stale:
        uow.move(study, Step.REDRAFT_ASKED)
        uow.emit(RedraftRequested(study.id))
