"""From the record to the document: what a report's rows say, gated by its status."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from pydicom.uid import BasicTextSRStorage
from sqlalchemy.orm import Session

from app.db.tables import Addendum, Draft, Instance, Report, Study
from app.delivery.status_gate import Standing, outgoing
from app.delivery.structured_report import (
    ADDENDUM,
    FINDINGS,
    IMPRESSION,
    PROCEDURE,
    Document,
    Evidence,
    Heading,
    StudyHeader,
)
from app.domain.identifiers import derived_uid
from app.domain.report import ReportStatus
from app.domain.signature import Signature, SignedStudy, addendum_digest, report_digest
from app.errors import NotFound

DOCUMENT_CLASSES = "1.2.840.10008.5.1.4.1.1.88."
BY_HAND = "Report written and signed by a radiologist."
ASSISTED = "Drafted by an AI system (research, not a cleared device); reviewed, edited and signed by a radiologist."


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document to send, and the report it belongs to."""

    report_id: str
    document: Document


def prepare(session: Session, target: str, organization: str) -> Prepared:
    """The document of a report's or an addendum's id. Raises NotFound, SignatureBroken, Conflict."""
    addendum = session.get(Addendum, target)
    report = session.get(Report, addendum.report_id if addendum else target)
    if report is None:
        message = "The report to deliver is not in the database; compare with the audit chain."
        raise NotFound(message)
    study = session.get_one(Study, report.study_id)
    draft = session.get(Draft, report.draft_id) if report.draft_id else None
    evidence = _evidence(session, study)
    if addendum is not None:
        return Prepared(report.id, _addendum(study, report, addendum, evidence, organization))
    return Prepared(report.id, _report(study, report, draft, evidence, organization))


def _report(
    study: Study, report: Report, draft: Draft | None, evidence: tuple[Evidence, ...], organization: str
) -> Document:
    signature = _signature(report)
    expected = report_digest(report.id, _about(study), report.findings, report.impression, signature)
    fits = expected == report.signed_digest
    texts: Sequence[tuple[Heading, str]] = (
        (PROCEDURE, ASSISTED if draft else BY_HAND),
        (FINDINGS, report.findings),
        (IMPRESSION, report.impression),
    )
    return Document(
        sop_instance_uid=derived_uid("report", report.id, report.signed_digest),
        series_instance_uid=_series(report),
        number=1,
        study=_header(study),
        sections=tuple(texts),
        signature=signature,
        organization=organization,
        status=outgoing(Standing(_first_status(report), signed=report.signed_at is not None, signature_fits=fits)),
        evidence=evidence,
        device=draft.model if draft else "",
    )


def _addendum(
    study: Study, report: Report, addendum: Addendum, evidence: tuple[Evidence, ...], organization: str
) -> Document:
    signature = Signature(addendum.signer_id, addendum.signer_name, addendum.signed_at, addendum.meaning)
    expected = addendum_digest(report.signed_digest, addendum.number, addendum.text, signature)
    fits = expected == addendum.signed_digest
    first = derived_uid("report", report.id, report.signed_digest)
    return Document(
        sop_instance_uid=derived_uid("addendum", addendum.id, addendum.signed_digest),
        series_instance_uid=_series(report),
        number=1 + addendum.number,
        study=_header(study),
        sections=((ADDENDUM, addendum.text),),
        signature=signature,
        organization=organization,
        status=outgoing(Standing(ReportStatus.APPENDED, signed=True, signature_fits=fits)),
        evidence=evidence,
        predecessor=Evidence(study.study_instance_uid, _series(report), BasicTextSRStorage, first),
    )


def _first_status(report: Report) -> ReportStatus:
    """The first document stays the final one when addenda follow it."""
    status = ReportStatus(report.status)
    return ReportStatus.FINAL if status is ReportStatus.APPENDED else status


def _signature(report: Report) -> Signature:
    if report.signed_at is None or report.signer_id is None:
        message = "The report is not signed; nothing of it is delivered."
        raise NotFound(message)
    return Signature(report.signer_id, report.signer_name, report.signed_at, report.meaning)


def _about(study: Study) -> SignedStudy:
    return SignedStudy(study.study_instance_uid, study.patient.key)


def _series(report: Report) -> str:
    return derived_uid("report-series", report.id)


def _header(study: Study) -> StudyHeader:
    return StudyHeader(
        study.study_instance_uid,
        study.patient,
        study.study_date,
        study.study_time,
        study.study_id_tag,
        study.accession_number,
        study.referring_physician,
        study.description,
    )


def _evidence(session: Session, study: Study) -> tuple[Evidence, ...]:
    query = sa.select(Instance).where(Instance.study_id == study.id).order_by(Instance.sop_instance_uid)
    return tuple(
        Evidence(study.study_instance_uid, row.series_instance_uid, row.sop_class_uid, row.sop_instance_uid)
        for row in session.scalars(query)
        if not row.sop_class_uid.startswith(DOCUMENT_CLASSES)
    )
