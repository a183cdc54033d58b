"""The gate before a draft: who has looked, or written first, as the site's reading mode asks. And what opens it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.access import Reader
from app.db.report_tables import OwnText, ViewReceipt
from app.db.session import Database, UnitOfWork, unit_of_work
from app.db.tables import Draft, Instance, PriorEntry, PriorImageRow, Report, Study, User
from app.domain.identifiers import DOCUMENT_CLASSES
from app.domain.priors import PriorDecision
from app.domain.reading import Progress, ReadingMode, ReadingModes, still_to_do
from app.domain.report import SIGNED, ReportStatus
from app.errors import Conflict, NotAllowed, NotFound
from app.ports import Clock
from app.rest.guard import actor
from app.review.reading_schemas import ReadingOut


class DraftWithheld(NotAllowed):
    """The reading mode keeps the draft, and text made from it, from this reader for now."""

    title = "The draft is withheld"

    @property
    def members(self) -> Mapping[str, object]:
        """Extension members of the problem: the mode, and the images that this reader has not seen."""
        _, mode, unviewed = self.args
        return {"mode": str(mode), "unviewed": list(unviewed)}


class NotLookedYet(Conflict):
    """Somebody says that he has looked, but there are images that he was not shown."""

    title = "Not every image was seen"

    @property
    def members(self) -> Mapping[str, object]:
        """Extension member of the problem: those images."""
        return {"unviewed": list(self.args[1])}


@dataclass(frozen=True, slots=True)
class DraftGate:
    """Asked before anything that tells the words of a draft, or of a report that may hold them.

    What is signed is nobody's draft any more: it is shown to all who may read.
    """

    modes: ReadingModes

    def configured(self, session: Session, study: Study) -> ReadingMode:
        """By who sent the study's images: the one fact on its origin that every image carries for good."""
        images = sa.select(Instance.calling_ae).where(*_images(study)).distinct()
        return self.modes.of(session.scalars(images))

    def require_draft(self, session: Session, reader: Reader, study: Study, draft: Draft) -> None:
        """Raises DraftWithheld."""
        report = _report(session, study)
        if not _is_signed(report):
            _require(self._mode(session, study, report), _progress(session, reader, study, draft.revision))

    def withholds(self, session: Session, reader: Reader, study: Study, report: Report) -> bool:
        """Whether the report may hold words of a draft that this reader is not to see yet."""
        try:
            self.require_report(session, reader, study, report)
        except DraftWithheld:
            return True
        return False

    def require_report(self, session: Session, reader: Reader, study: Study, report: Report) -> None:
        """Raises DraftWithheld where words of a draft may be in it that this reader is not to see yet."""
        if not _is_signed(report) and report.draft_revision is not None:
            mode = ReadingMode(report.reading_mode)
            _require(mode, _progress(session, reader, study, report.draft_revision))

    def _mode(self, session: Session, study: Study, report: Report | None) -> ReadingMode:
        """A report that is open keeps the mode that it was begun in."""
        if report is None or report.status == ReportStatus.CANCELLED:
            return self.configured(session, study)
        return ReadingMode(report.reading_mode)

    def reading_out(self, session: Session, reader: Reader, study: Study) -> ReadingOut:
        """How the reader stands to the current draft, or to the one that would be written now."""
        report = _report(session, study)
        draft = session.get(Draft, study.current_draft_id) if study.current_draft_id else None
        progress = _progress(session, reader, study, draft.revision if draft else study.revision)
        mode = self._mode(session, study, report)
        reason = None if _is_signed(report) else still_to_do(mode, progress)
        return ReadingOut(
            mode=mode,
            draft="withheld" if reason else "shown",
            reason=reason,
            viewed=sorted(_receipts(session, reader, study)),
            unviewed=list(progress.unviewed),
        )


def _require(mode: ReadingMode, progress: Progress) -> None:
    reason = still_to_do(mode, progress)
    if reason is not None:
        raise DraftWithheld(reason, mode, progress.unviewed)


def _report(session: Session, study: Study) -> Report | None:
    return session.scalars(sa.select(Report).where(Report.study_id == study.id)).one_or_none()


def _is_signed(report: Report | None) -> bool:
    return report is not None and report.status in SIGNED


def _images(study: Study) -> tuple[sa.ColumnElement[bool], ...]:
    return Instance.study_id == study.id, sa.not_(Instance.sop_class_uid.startswith(DOCUMENT_CLASSES))


def _receipts(session: Session, reader: Reader, study: Study) -> dict[str, bool]:
    """By SOPInstanceUID, whether the reader has said since that he has looked."""
    mine = (ViewReceipt.study_id == study.id, ViewReceipt.user_id == reader.user_id)
    query = sa.select(ViewReceipt.sop_instance_uid, ViewReceipt.looked_at.is_not(None)).where(*mine)
    return dict(session.execute(query).all())


def _progress(session: Session, reader: Reader, study: Study, revision: int) -> Progress:
    """With the image set of a revision: all images that had come by then."""
    wanted = sa.select(Instance.sop_instance_uid).where(*_images(study), Instance.revision <= revision)
    images = session.scalars(wanted.order_by(Instance.received_at, Instance.id)).all()
    receipts = _receipts(session, reader, study)
    written = (
        sa.select(sa.func.count())
        .select_from(OwnText)
        .join(Report, Report.id == OwnText.report_id)
        .where(Report.study_id == study.id, OwnText.user_id == reader.user_id, OwnText.revision >= revision)
    )
    return Progress(
        images=len(images),
        unviewed=tuple(uid for uid in images if uid not in receipts),
        looked=all(receipts.get(uid, False) for uid in images),
        own_text=bool(session.scalar(written)),
    )


def note_own_text(uow: UnitOfWork, study: Study, report: Report, reader: Reader, before: tuple[str, str]) -> None:
    """After a save: the reader has text of his own in it, unless all of it stood there before he came."""
    said = (report.findings, report.impression)
    row = uow.session.get(OwnText, (report.id, reader.user_id))
    if not any(letter.isalnum() for text in said for letter in text) or (row is None and said == before):
        return
    if row is None:
        row = OwnText(report_id=report.id, user_id=reader.user_id)
        uow.session.add(row)
    row.revision, row.saved_at = study.revision, uow.now


@dataclass(frozen=True, slots=True)
class Looks:
    """POST …/views."""

    database: Database
    clock: Clock
    gate: DraftGate

    def view(self, reader: Reader, study_instance_uid: str, sop_instance_uid: str) -> ReadingOut:
        """Record that the reader was shown this image; once.

        Raises NotAllowed for a machine, NotFound for an image of another study.
        """
        with unit_of_work(self.database, self.clock, actor(reader)) as uow:
            refuse_machine(uow.session, reader)
            study = uow.study_by_uid(study_instance_uid)
            if not _belongs(uow.session, study, sop_instance_uid):
                message = "This study and its chosen priors have no image of this SOPInstanceUID."
                raise NotFound(message)
            if sop_instance_uid not in _receipts(uow.session, reader, study):
                uow.session.add(
                    ViewReceipt(
                        study_id=study.id,
                        user_id=reader.user_id,
                        sop_instance_uid=sop_instance_uid,
                        viewed_at=uow.now,
                    )
                )
                uow.audit("view.image", study.id, sop_instance_uid=sop_instance_uid, revision=study.revision)
                uow.session.flush()
            return self.gate.reading_out(uow.session, reader, study)

    def looked(self, reader: Reader, study_instance_uid: str) -> ReadingOut:
        """Record that the reader has looked at what he was shown. Raises NotAllowed, NotFound, NotLookedYet."""
        with unit_of_work(self.database, self.clock, actor(reader)) as uow:
            refuse_machine(uow.session, reader)
            study = uow.study_by_uid(study_instance_uid)
            progress = _progress(uow.session, reader, study, study.revision)
            if progress.unviewed or not progress.images:
                message = f"{len(progress.unviewed)} of {progress.images} images were not shown to you yet; open them."
                raise NotLookedYet(message, progress.unviewed)
            new = (ViewReceipt.study_id == study.id, ViewReceipt.user_id == reader.user_id)
            unsaid = sa.update(ViewReceipt).where(*new, ViewReceipt.looked_at.is_(None)).values(looked_at=uow.now)
            if not progress.looked:
                uow.session.execute(unsaid)
                uow.audit("view.looked", study.id, images=progress.images, revision=study.revision)
            return self.gate.reading_out(uow.session, reader, study)


def refuse_machine(session: Session, reader: Reader) -> None:
    """Raises NotAllowed: a token may carry the role of a person; it has no eyes all the same, and no password."""
    if not session.get_one(User, reader.user_id).password_hash:
        message = "Only a person looks at images; log in as one."
        raise NotAllowed(message)


def _belongs(session: Session, study: Study, sop_instance_uid: str) -> bool:
    own = sa.select(Instance.id).where(*_images(study), Instance.sop_instance_uid == sop_instance_uid)
    prior = (
        sa.select(PriorImageRow.id)
        .join(PriorEntry, PriorEntry.id == PriorImageRow.entry_id)
        .where(PriorEntry.study_id == study.id, PriorEntry.decision == PriorDecision.CHOSEN)
        .where(PriorImageRow.sop_instance_uid == sop_instance_uid)
    )
    return session.scalars(own).first() is not None or session.scalars(prior).first() is not None
