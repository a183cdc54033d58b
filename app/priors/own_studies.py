"""Earlier studies that came to us directly, and the reports signed here."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.db.tables import Addendum, Instance, Report, Study
from app.domain.priors import PriorCandidate
from app.domain.report import ReportStatus
from app.ports import RetrievedObject
from app.priors.rules import CurrentStudy, only_view

OWN = "own"
SIGNED = (ReportStatus.FINAL, ReportStatus.APPENDED)


def current_study(session: Session, study_id: str) -> CurrentStudy:
    """The study whose priors are sought."""
    study = session.get_one(Study, study_id)
    views = session.scalars(sa.select(Instance.view_position).where(Instance.study_id == study_id)).all()
    return CurrentStudy(
        study.study_instance_uid, study.study_date, study.study_time, study.patient, only_view(list(views))
    )


def own_candidates(session: Session, current: CurrentStudy, since: str) -> list[PriorCandidate]:
    """Studies here under the same patient ID, where the issuer is equal or one of the two is not stated.

    The latter are no priors (LAW 6); they are listed so that the doubt is seen.
    """
    key = current.patient.key
    rows = session.scalars(
        sa.select(Study).where(
            Study.patient_id == key.patient_id,
            Study.issuer.in_({key.issuer, ""}) if key.issuer else sa.true(),
            Study.study_instance_uid != current.study_instance_uid,
            sa.or_(Study.study_date == "", Study.study_date.between(since, current.study_date)),
        )
    ).all()
    return [_candidate(session, row) for row in rows]


def _candidate(session: Session, study: Study) -> PriorCandidate:
    held = session.execute(
        sa.select(Instance.modality, sa.func.count()).where(Instance.study_id == study.id).group_by(Instance.modality)
    ).all()
    return PriorCandidate(
        study.study_instance_uid,
        study.study_date,
        study.study_time,
        study.patient,
        modalities=tuple(sorted(modality for modality, _ in held if modality)),
        description=study.description,
        instances=sum(count for _, count in held),
        source=OWN,
    )


def own_objects(session: Session, study_instance_uid: str) -> list[RetrievedObject]:
    """The study's objects in our store."""
    query = sa.select(Instance).join(Study).where(Study.study_instance_uid == study_instance_uid)
    return [
        RetrievedObject(
            row.sop_class_uid, row.sop_instance_uid, study_instance_uid, row.series_instance_uid, row.object_key
        )
        for row in session.scalars(query.order_by(Instance.received_at, Instance.sop_instance_uid))
    ]


def own_report(session: Session, study_instance_uid: str) -> str:
    """The text that a radiologist signed here, with its addenda; "" where there is none."""
    query = sa.select(Report).join(Study).where(Study.study_instance_uid == study_instance_uid)
    report = session.scalars(query).one_or_none()
    if report is None or report.status not in SIGNED or report.signed_at is None:
        return ""
    addenda = session.scalars(sa.select(Addendum.text).where(Addendum.report_id == report.id).order_by(Addendum.number))
    parts = (("Findings", report.findings), ("Impression", report.impression), *(("Addendum", a) for a in addenda))
    return "\n".join(f"{heading}: {text.strip()}" for heading, text in parts if text.strip())
