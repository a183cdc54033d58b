"""The wire shapes of reports."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from app.domain.reading import ReadingMode
from app.domain.report import Decision, ReportStatus
from app.rest.words import Asked, RowId, SaidLine, SaidText, Secret, Text, Told, Uid
from app.review.critical_schemas import CriticalFindingOut, CriticalResultOut

ReportText = Annotated[Text, Field(max_length=20_000)]


class StartReport(Asked):
    """draft_id: from this draft; without it, from nothing."""

    study_instance_uid: Uid
    draft_id: RowId | None = None


class SentenceDecision(Asked):
    """What the reader did with the draft's sentence of this index, or (added) wrote beside the draft."""

    index: int = Field(ge=0, le=9999)
    decision: Decision
    text: ReportText


class WriteReport(Asked):
    """The whole text and the whole list of decisions; a draft sentence that is not named is pending."""

    findings: ReportText
    impression: ReportText
    sentences: list[SentenceDecision] = Field(max_length=1000)


class SignReport(Asked):
    """The password again (21 CFR 11.200), and what the signature means (11.50)."""

    password: Secret
    meaning: SaidLine


class AddAddendum(SignReport):
    """Text that is added to a signed report."""

    text: Annotated[SaidText, Field(max_length=20_000)]


class WithdrawReport(Asked):
    """Why an unsigned report is given up."""

    reason: Annotated[SaidLine, Field(max_length=500)]


class SignatureOut(Told):
    """Who signed, when, meaning what; shown wherever the signed text is."""

    name: str
    signed_at: datetime
    meaning: str


class AddendumOut(Told):
    """number: from 1."""

    id: str
    number: int
    text: str
    signature: SignatureOut


class SentenceOut(Told):
    """As in SentenceDecision."""

    index: int
    decision: Decision
    text: str


class ReportOut(Told):
    """The report with its addenda. etag: for If-Match of the next write; unsigned: signature None.

    reading_mode: the one that it was begun in. withheld: its text and decisions are left out here, since words of a
    draft may be in them that the asker is not to see yet.
    """

    id: str
    study_instance_uid: str
    draft_id: str | None
    reading_mode: ReadingMode
    withheld: bool
    status: ReportStatus
    etag: str
    findings: str
    impression: str
    sentences: list[SentenceOut]
    author: str
    signature: SignatureOut | None
    addenda: list[AddendumOut]
    critical_results: list[CriticalResultOut]
    critical_findings: list[CriticalFindingOut]
    created_at: datetime
    updated_at: datetime


class EditOut(Told):
    """A piece of text that both have, or only the draft, or only the report."""

    op: Literal["equal", "deleted", "inserted"]
    text: str


class DiffOut(Told):
    """Draft against report, by section, word by word."""

    draft_id: str | None
    findings: list[EditOut]
    impression: list[EditOut]


class DeliveryOut(Told):
    """One document on its way to one receiver. target: the report's or an addendum's id."""

    target: str
    channel: str
    destination: str
    sop_instance_uid: str
    status: Literal["pending", "delivered", "dead"]
    attempts: int
    last_error: str | None
    delivered_at: datetime | None


class DeliveriesOut(Told):
    """All documents of a report."""

    items: list[DeliveryOut]
