"""One study, one draft: what the reading page asks for."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.access import Reader
from app.db.report_tables import SentenceRegion
from app.db.tables import Draft, Instance, QuarantinedObject, ReadingLock, Report, Study
from app.domain.identifiers import DOCUMENT_CLASSES
from app.domain.report import ReportStatus
from app.errors import NotFound
from app.review.critical_views import findings_out, results_out
from app.review.patients import patient_out
from app.review.prior_views import chosen_images, display_url, priors_out
from app.review.reading_schemas import ReadingOut
from app.review.schemas import (
    CurrentDraft,
    DraftOut,
    DraftSentenceOut,
    ImageOut,
    LockOut,
    RegionOut,
    ReportState,
    RevisionOut,
    StudyOut,
)


def study_by_uid(session: Session, study_instance_uid: str) -> Study:
    """Raises NotFound."""
    study = session.scalars(sa.select(Study).where(Study.study_instance_uid == study_instance_uid)).one_or_none()
    if study is None:
        message = "No study with this StudyInstanceUID was received here."
        raise NotFound(message)
    return study


def study_out(session: Session, now: datetime, reader: Reader, study: Study, reading: ReadingOut) -> StudyOut:
    """Everything about it but pixels and texts."""
    priors, report = priors_out(session, study), report_state(session, study.id)
    return StudyOut(
        study_instance_uid=study.study_instance_uid,
        accession_number=study.accession_number or None,
        state=study.stage,
        reason=study.reason or None,
        revision=study.revision,
        priority=study.priority,
        patient=patient_out(study),
        study_date=study.study_date or None,
        description=study.description or None,
        indication=study.indication or None,
        received_at=study.received_at,
        priors=priors,
        current_draft=_current_draft(session, study),
        reading=reading,
        report=report,
        lock=lock_out(session, now, reader, study.id),
        images=[*_current_images(session, study), *chosen_images(priors)],
        revisions=_revisions(session, study),
        addendum_suggested=study.addendum_suggested,
        quarantined=_quarantined(session, study),
        critical_findings=findings_out(session, report.id) if report else [],
        critical_results=results_out(session, report.id) if report else [],
    )


def _current_draft(session: Session, study: Study) -> CurrentDraft | None:
    draft = session.get(Draft, study.current_draft_id) if study.current_draft_id else None
    return CurrentDraft(id=draft.id, version=draft.version, stale=draft.stale) if draft else None


def report_state(session: Session, study_id: str) -> ReportState | None:
    """The study's report; a withdrawn one only where no other was begun."""
    query = sa.select(Report).where(Report.study_id == study_id)
    reports = session.scalars(query.order_by(Report.status == ReportStatus.CANCELLED, Report.created_at.desc()))
    report = reports.first()
    return ReportState(id=report.id, status=ReportStatus(report.status), etag=etag(report)) if report else None


def etag(report: Report) -> str:
    """Changes with every write; without the quotes that the header wants (RFC 9110 8.8.3)."""
    return f"{report.id[:8]}-{report.version}"


def lock_out(session: Session, now: datetime, reader: Reader, study_id: str) -> LockOut | None:
    """Who holds the study now."""
    lock = session.get(ReadingLock, study_id)
    if lock is None or lock.expires_at <= now:
        return None
    return LockOut(owner=lock.owner, mine=lock.user_id == reader.user_id, expires_at=lock.expires_at)


def _current_images(session: Session, study: Study) -> list[ImageOut]:
    query = (
        sa.select(Instance)
        .where(Instance.study_id == study.id, sa.not_(Instance.sop_class_uid.startswith(DOCUMENT_CLASSES)))
        .order_by(Instance.received_at, Instance.id)
    )
    return [
        ImageOut(
            study_instance_uid=study.study_instance_uid,
            series_instance_uid=instance.series_instance_uid,
            sop_instance_uid=instance.sop_instance_uid,
            view=instance.view_position or None,
            study_date=study.study_date or None,
            role="current",
            display_url=display_url(instance.sop_instance_uid),
        )
        for instance in session.scalars(query)
    ]


def _revisions(session: Session, study: Study) -> list[RevisionOut]:
    query = (
        sa.select(Instance.revision, sa.func.count(), sa.func.max(Instance.received_at))
        .where(Instance.study_id == study.id)
        .group_by(Instance.revision)
        .order_by(Instance.revision)
    )
    rows = session.execute(query)
    return [RevisionOut(revision=revision, instances=count, received_at=at) for revision, count, at in rows]


def _quarantined(session: Session, study: Study) -> int:
    query = sa.select(sa.func.count()).where(QuarantinedObject.study_id == study.id)
    return session.scalar(query) or 0


def find_draft(session: Session, draft_id: str) -> tuple[Study, Draft]:
    """The draft and its study. Raises NotFound."""
    query = sa.select(Study, Draft).join(Draft, Study.id == Draft.study_id).where(Draft.id == draft_id)
    found = session.execute(query).one_or_none()
    if found is None:
        message = "No draft has this id."
        raise NotFound(message)
    return found


def draft_out(session: Session, study: Study, draft: Draft) -> DraftOut:
    """What the model wrote, as clients read it."""
    regions = _regions(session, draft)
    return DraftOut(
        id=draft.id,
        study_instance_uid=study.study_instance_uid,
        version=draft.version,
        revision=draft.revision,
        stale=draft.stale,
        sentences=[
            DraftSentenceOut.model_validate({**sentence, "region": regions.get(sentence["index"])})
            for sentence in draft.sentences
        ],
        model=draft.model,
        weights_digest=draft.weights_digest,
        prompt_version=draft.prompt_version,
        image_digests=[str(image) for image in draft.image_digests],
        evidence=draft.evidence or None,
        prior_study_instance_uid=draft.prior_study_instance_uid or None,
        prior_study_date=draft.prior_study_date or None,
        created_at=draft.created_at,
    )


def _regions(session: Session, draft: Draft) -> dict[int, RegionOut]:
    """By index of the sentence."""
    rows = session.scalars(sa.select(SentenceRegion).where(SentenceRegion.draft_id == draft.id))
    return {
        row.sentence_index: RegionOut(
            sop_instance_uid=row.sop_instance_uid,
            left=row.left_edge,
            top=row.top_edge,
            right=row.right_edge,
            bottom=row.bottom_edge,
        )
        for row in rows
    }
