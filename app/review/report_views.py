"""A report as clients read it, its diff against the draft, and where it was sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.db.tables import Addendum, Delivery, Draft, Report, Study
from app.domain.reading import ReadingMode
from app.domain.report import ReportStatus, Section
from app.errors import NotFound
from app.review import rules
from app.review.critical_views import findings_out, results_out
from app.review.report_schemas import (
    AddendumOut,
    DeliveriesOut,
    DeliveryOut,
    DiffOut,
    EditOut,
    ReportOut,
    SentenceOut,
    SignatureOut,
)
from app.review.views import etag


def find_report(session: Session, report_id: str) -> Report:
    """Raises NotFound."""
    report = session.get(Report, report_id)
    if report is None:
        message = "No report has this id."
        raise NotFound(message)
    return report


def report_out(session: Session, report: Report, *, withheld: bool = False) -> ReportOut:
    """The whole report; withheld: without its text and decisions."""
    uid = session.scalars(sa.select(Study.study_instance_uid).where(Study.id == report.study_id)).one()
    addenda = session.scalars(sa.select(Addendum).where(Addendum.report_id == report.id).order_by(Addendum.number))
    return ReportOut(
        id=report.id,
        study_instance_uid=uid,
        draft_id=report.draft_id,
        reading_mode=ReadingMode(report.reading_mode),
        withheld=withheld,
        status=ReportStatus(report.status),
        etag=etag(report),
        findings="" if withheld else report.findings,
        impression="" if withheld else report.impression,
        sentences=[] if withheld else [SentenceOut.model_validate(sentence) for sentence in report.sentences],
        author=report.author_name,
        signature=_signature(report.signer_name, report.signed_at, report.meaning),
        addenda=[_addendum(addendum) for addendum in addenda],
        critical_results=results_out(session, report.id),
        critical_findings=findings_out(session, report.id),
        created_at=report.created_at,
        updated_at=report.updated_at,
    )


def _signature(name: str, signed_at: datetime | None, meaning: str) -> SignatureOut | None:
    return SignatureOut(name=name, signed_at=signed_at, meaning=meaning) if signed_at else None


def _addendum(row: Addendum) -> AddendumOut:
    signature = SignatureOut(name=row.signer_name, signed_at=row.signed_at, meaning=row.meaning)
    return AddendumOut(id=row.id, number=row.number, text=row.text, signature=signature)


def diff_out(session: Session, report: Report) -> DiffOut:
    """Against the draft that the report was begun from; from nothing, all of it is inserted."""
    draft = session.get(Draft, report.draft_id) if report.draft_id else None
    sentences = draft.sentences if draft else []
    return DiffOut(
        draft_id=report.draft_id,
        findings=_edits(sentences, Section.FINDINGS, report.findings),
        impression=_edits(sentences, Section.IMPRESSION, report.impression),
    )


def _edits(sentences: Sequence[Any], section: Section, text: str) -> list[EditOut]:
    drafted = " ".join(sentence["text"] for sentence in sentences if sentence["section"] == section)
    return [EditOut(op=edit.op, text=edit.text) for edit in rules.word_diff(drafted, text)]


def deliveries_out(session: Session, report: Report) -> DeliveriesOut:
    """Every document of the report and its addenda, by receiver."""
    query = sa.select(Delivery).where(Delivery.report_id == report.id).order_by(Delivery.destination, Delivery.id)
    return DeliveriesOut(items=[_delivery(row) for row in session.scalars(query)])


def _delivery(row: Delivery) -> DeliveryOut:
    return DeliveryOut.model_validate(
        {
            "target": row.target,
            "channel": row.channel,
            "destination": row.destination,
            "sop_instance_uid": row.sop_instance_uid,
            "status": row.status,
            "attempts": row.attempts,
            "last_error": row.last_error or None,
            "delivered_at": row.delivered_at,
        }
    )
