"""Reports: write, sign, add, withdraw, compare, follow."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response

from app.access import Action, Reader
from app.db.tables import Study
from app.rest.guard import Allow, address
from app.rest.problems import declared
from app.rest.words import RowId
from app.review import report_views
from app.review.critical_schemas import DropCriticalFinding, OpenCriticalFinding, RecordCriticalResult
from app.review.report_schemas import (
    AddAddendum,
    DeliveriesOut,
    DiffOut,
    ReportOut,
    SignReport,
    StartReport,
    WithdrawReport,
    WriteReport,
)
from app.review.services import TheReview
from app.review.signing import Credential

router = APIRouter(prefix="/reports", tags=["reports"])
MayRead = Annotated[Reader, Depends(Allow(Action.READ_STUDIES))]
MayWrite = Annotated[Reader, Depends(Allow(Action.WRITE_REPORTS))]
MaySign = Annotated[Reader, Depends(Allow(Action.SIGN_REPORTS))]
IfMatch = Annotated[str | None, Header(description="The report's etag; a write without it is refused (428).")]


def _tagged(report: ReportOut, response: Response) -> ReportOut:
    response.headers["ETag"] = f'"{report.etag}"'
    return report


@router.post("", responses=declared(401, 403, 404, 409, 422))
def start_report(wanted: StartReport, reader: MayWrite, review: TheReview, response: Response) -> ReportOut:
    """Begin the study's report from its current draft or from nothing; or go on with the one that was begun."""
    return _tagged(review.reports.start(reader, wanted.study_instance_uid, wanted.draft_id), response)


@router.get("/{report_id}", responses=declared(401, 403, 404, 422))
def get_report(report_id: RowId, reader: MayRead, review: TheReview, response: Response) -> ReportOut:
    """The report with its addenda."""
    with review.database.reading() as session:
        row = report_views.find_report(session, report_id)
        review.gate.require_report(session, reader, session.get_one(Study, row.study_id), row)
        report = report_views.report_out(session, row)
    review.trail.note(reader, "read.report", row.study_id, report_id=report_id)
    return _tagged(report, response)


@router.put("/{report_id}", responses=declared(401, 403, 404, 409, 412, 422, 428))
def write_report(
    report_id: RowId,
    given: WriteReport,
    reader: MayWrite,
    review: TheReview,
    response: Response,
    if_match: IfMatch = None,
) -> ReportOut:
    """Replace text and decisions; a signed report is never changed (409)."""
    return _tagged(review.reports.save(reader, report_id, if_match, given), response)


@router.post("/{report_id}/sign", responses=declared(401, 403, 404, 409, 422, 428, 429))
def sign_report(
    report_id: RowId,
    given: SignReport,
    reader: MaySign,
    review: TheReview,
    request: Request,
    response: Response,
    if_match: IfMatch = None,
) -> ReportOut:
    """Make it final: the password again, every sentence of the draft decided; a stale text or draft is 409."""
    credential = Credential(given.password, address(request), given.meaning)
    return _tagged(review.signing.sign(reader, report_id, if_match, credential), response)


@router.post("/{report_id}/addenda", status_code=201, responses=declared(401, 403, 404, 409, 422, 429))
def add_addendum(
    report_id: RowId,
    given: AddAddendum,
    reader: MaySign,
    review: TheReview,
    request: Request,
    response: Response,
) -> ReportOut:
    """Add signed text to a signed report."""
    credential = Credential(given.password, address(request), given.meaning)
    return _tagged(review.signing.add(reader, report_id, given.text, credential), response)


@router.post("/{report_id}/reject", responses=declared(401, 403, 404, 409, 422))
def withdraw_report(
    report_id: RowId, given: WithdrawReport, reader: MayWrite, review: TheReview, response: Response
) -> ReportOut:
    """Give an unsigned report up; its wording stays in the record, the study waits to be read again."""
    return _tagged(review.reports.withdraw(reader, report_id, given.reason), response)


@router.post("/{report_id}/critical-findings", status_code=201, responses=declared(400, 401, 403, 404, 409, 422))
def open_critical_finding(
    report_id: RowId, given: OpenCriticalFinding, reader: MayWrite, review: TheReview, response: Response
) -> ReportOut:
    """Keep a critical finding that nobody was told of yet; the report is not signed while one is open."""
    return _tagged(review.critical.open(reader, report_id, given), response)


@router.post("/{report_id}/critical-findings/{finding_id}/drop", responses=declared(401, 403, 404, 409, 422))
def drop_critical_finding(
    report_id: RowId,
    finding_id: RowId,
    given: DropCriticalFinding,
    reader: MayWrite,
    review: TheReview,
    response: Response,
) -> ReportOut:
    """Close an open finding that is not critical after all; it is kept, with the reason."""
    return _tagged(review.critical.drop(reader, report_id, finding_id, given), response)


@router.post("/{report_id}/critical-result", status_code=201, responses=declared(400, 401, 403, 404, 409, 422))
def record_critical_result(
    report_id: RowId, given: RecordCriticalResult, reader: MayWrite, review: TheReview, response: Response
) -> ReportOut:
    """Record who was told of a critical finding; before or after signing. It closes the open one that it is about."""
    return _tagged(review.critical.tell(reader, report_id, given), response)


@router.get("/{report_id}/diff", responses=declared(401, 403, 404, 422))
def get_diff(report_id: RowId, reader: MayRead, review: TheReview) -> DiffOut:
    """Draft against report, word by word."""
    with review.database.reading() as session:
        report = report_views.find_report(session, report_id)
        review.gate.require_report(session, reader, session.get_one(Study, report.study_id), report)
        diff = report_views.diff_out(session, report)
    review.trail.note(reader, "read.report", report.study_id, report_id=report_id, part="diff")
    return diff


@router.get("/{report_id}/deliveries", responses=declared(401, 403, 404, 422))
def get_deliveries(report_id: RowId, reader: MayRead, review: TheReview) -> DeliveriesOut:
    """Where the signed documents are; a dead one waits for a person."""
    with review.database.reading() as session:
        report = report_views.find_report(session, report_id)
        deliveries = report_views.deliveries_out(session, report)
    review.trail.note(reader, "read.deliveries", report.study_id, report_id=report_id)
    return deliveries
