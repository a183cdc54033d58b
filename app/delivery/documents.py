"""From the record to the document: what a report's rows say, gated by its status."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_file_meta_info
from pydicom.uid import BasicTextSRStorage
from sqlalchemy.orm import Session

from app.db.tables import Addendum, Draft, Instance, PriorEntry, PriorImageRow, Report, Study
from app.delivery.status_gate import Standing, outgoing
from app.delivery.structured_report import (
    ADDENDUM,
    FINDINGS,
    IMPRESSION,
    PROCEDURE,
    Device,
    Document,
    Evidence,
    Heading,
    StudyHeader,
)
from app.domain.identifiers import DOCUMENT_CLASSES, derived_uid
from app.domain.priors import PriorDecision
from app.domain.report import ReportStatus
from app.domain.signature import Signature, SignedStudy, addendum_digest, report_digest
from app.errors import NotFound
from app.ports import ObjectStore

BY_HAND = "Report written and signed by a radiologist."
ASSISTED = "Drafted by an AI system (research, not a cleared device); reviewed, edited and signed by a radiologist."


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document to send, and the report it belongs to."""

    report_id: str
    document: Document


def prepare(session: Session, store: ObjectStore, target: str, organization: str) -> Prepared:
    """The document of a report's or an addendum's id. Raises NotFound, SignatureBroken, Conflict."""
    addendum = session.get(Addendum, target)
    report = session.get(Report, addendum.report_id if addendum else target)
    if report is None:
        message = "The report to deliver is not in the database; compare with the audit chain."
        raise NotFound(message)
    study = session.get_one(Study, report.study_id)
    added = session.scalars(sa.select(Addendum).where(Addendum.report_id == report.id).order_by(Addendum.number))
    facts = Facts(
        study,
        report,
        session.get(Draft, report.draft_id) if report.draft_id else None,
        [one for one in added if addendum is not None and one.number <= addendum.number],
    )
    evidence, others = _evidence(session, study), _prior_evidence(session, store, study)
    return Prepared(report.id, document(facts, organization, evidence, others))


@dataclass(frozen=True, slots=True)
class Facts:
    """What the record says of one document: the report with the first so many of its addenda, oldest first."""

    study: Study
    report: Report
    draft: Draft | None
    addenda: Sequence[Addendum]


def document(
    facts: Facts, organization: str, evidence: tuple[Evidence, ...], others: tuple[Evidence, ...] = ()
) -> Document:
    """The report, or the whole of it again with its addenda: predecessors are documents whose content is included.

    (PS3.3 C.17.2.) Raises SignatureBroken where a text is not what was signed, Conflict for a withdrawn report.
    """
    report, addenda = facts.report, facts.addenda
    signatures = (_signature(report), *(_signed_by(one) for one in addenda))
    uids = _uids(report, addenda)
    return Document(
        sop_instance_uid=uids[-1],
        series_instance_uid=_series(report),
        number=len(uids),
        study=_header(facts.study),
        sections=_sections(facts),
        signatures=signatures,
        organization=organization,
        status=outgoing(standing(facts)),
        evidence=evidence,
        other_evidence=others,
        predecessors=tuple(_own(facts.study, report, uid) for uid in uids[:-1]),
        device=Device(facts.draft.model, facts.draft.weights_digest) if facts.draft else None,
    )


def standing(facts: Facts) -> Standing:
    """What the gate is told: the report's status, whether it is signed, and whether every signature fits its text."""
    report = facts.report
    status = ReportStatus(report.status)
    if status is ReportStatus.APPENDED and not facts.addenda:
        status = ReportStatus.FINAL  # the first document stays the final one when addenda follow it
    signed = report.signed_at is not None and status is not ReportStatus.PRELIMINARY
    return Standing(status, signed=signed, signature_fits=signed and _fits(facts))


def _fits(facts: Facts) -> bool:
    report = facts.report
    about = SignedStudy(facts.study.study_instance_uid, facts.study.patient.key)
    expected = report_digest(report.id, about, report.findings, report.impression, _signature(report))
    added = (
        addendum_digest(report.signed_digest, one.number, one.text, _signed_by(one)) == one.signed_digest
        for one in facts.addenda
    )
    return expected == report.signed_digest and all(added)


def _sections(facts: Facts) -> tuple[tuple[Heading, str], ...]:
    report = facts.report
    return (
        (PROCEDURE, ASSISTED if facts.draft else BY_HAND),
        (FINDINGS, report.findings),
        (IMPRESSION, report.impression),
        *((ADDENDUM, one.text) for one in facts.addenda),
    )


def _uids(report: Report, addenda: Sequence[Addendum]) -> list[str]:
    """SOP Instance UIDs of the report and of each of its addenda: the same facts, the same UID."""
    first = derived_uid("report", report.id, report.signed_digest)
    return [first, *(derived_uid("addendum", one.id, one.signed_digest) for one in addenda)]


def _own(study: Study, report: Report, sop_instance_uid: str) -> Evidence:
    return Evidence(study.study_instance_uid, _series(report), BasicTextSRStorage, sop_instance_uid)


def _signed_by(addendum: Addendum) -> Signature:
    return Signature(addendum.signer_id, addendum.signer_name, addendum.signed_at, addendum.meaning)


def _signature(report: Report) -> Signature:
    if report.signed_at is None or report.signer_id is None:
        message = "The report is not signed; nothing of it is delivered."
        raise NotFound(message)
    return Signature(report.signer_id, report.signer_name, report.signed_at, report.meaning)


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


def _prior_evidence(session: Session, store: ObjectStore, study: Study) -> tuple[Evidence, ...]:
    """The images of the prior that the draft was compared with."""
    query = (
        sa.select(PriorEntry.study_instance_uid, PriorImageRow)
        .join(PriorImageRow, PriorImageRow.entry_id == PriorEntry.id)
        .where(PriorEntry.study_id == study.id, PriorEntry.revision == study.revision)
        .where(PriorEntry.decision == PriorDecision.CHOSEN)
        .order_by(PriorImageRow.sop_instance_uid)
    )
    return tuple(
        Evidence(uid, row.series_instance_uid, sop_class_uid, row.sop_instance_uid)
        for uid, row in session.execute(query)
        if (sop_class_uid := _sop_class(store, row.object_key))
    )


def _sop_class(store: ObjectStore, object_key: str) -> str:
    """As the file header says; "" where the object is no longer there, and then it is not referred to."""
    try:
        return str(read_file_meta_info(store.path(object_key)).get("MediaStorageSOPClassUID", ""))
    except (NotFound, OSError, InvalidDicomError):
        return ""
