"""The wire shapes of the worklist."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from app.domain.report import ReportStatus
from app.domain.study import Stage
from app.rest.words import Told
from app.review.critical_schemas import CriticalState
from app.review.schemas import LockOwner, PatientOut


class Urgency(StrEnum):
    """What a priority means for the order of reading; the most urgent first."""

    STAT = "stat"
    URGENT = "urgent"
    ROUTINE = "routine"
    LOW = "low"


class DraftStatus(StrEnum):
    """What a reader would find. stale: the images or the order changed since; unavailable: none will come by itself."""

    NONE = "none"
    DRAFTING = "drafting"
    READY = "ready"
    STALE = "stale"
    UNAVAILABLE = "unavailable"


class WorklistLock(LockOwner):
    """Who has the study open for writing; the lease may be renewed before it expires."""

    mine: bool
    expires_at: datetime


class WorklistItem(Told):
    """One line of the worklist.

    due_at: when the study should be signed, by its priority; signed_at: when it was. study_date: YYYYMMDD. modalities,
    sent_by: of its objects; sent_by has AE titles. flags: objections of the guardrails to the current draft; None
    where the reading mode withholds it from the asker. critical: there is a critical result, open or told;
    critical_due_at: when the first open one is due.
    """

    study_instance_uid: str
    accession_number: str | None
    patient: PatientOut
    study_date: str | None
    description: str | None
    modalities: list[str]
    sent_by: list[str]
    state: Stage
    reason: str | None
    priority: str
    urgency: Urgency
    received_at: datetime
    due_at: datetime
    draft_status: DraftStatus
    flags: int | None
    critical: bool
    critical_state: CriticalState | None
    critical_due_at: datetime | None
    lock: WorklistLock | None
    report_status: ReportStatus | None
    report_mine: bool
    signed_at: datetime | None


class WorklistPage(Told):
    """next_cursor: for the following page; None on the last. as_of: the service's clock when it was read."""

    items: list[WorklistItem]
    next_cursor: str | None
    as_of: datetime


class WorklistCounts(Told):
    """How many studies are in each state; every state is named."""

    states: dict[Stage, int]
