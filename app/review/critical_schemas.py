"""The wire shapes of critical results."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from app.rest.words import Asked, RowId, SaidLine, SaidText, Told

Finding = Annotated[SaidText, Field(max_length=2000)]


class CriticalState(StrEnum):
    """Of a study's critical results, the most pressing: overdue, open (in time), told. One that was dropped is none."""

    OVERDUE = "overdue"
    OPEN = "open"
    TOLD = "told"


class OpenCriticalFinding(Asked):
    """What was found, and when; nobody was told yet."""

    finding: Finding
    found_at: AwareDatetime


class DropCriticalFinding(Asked):
    """Why an open finding is not critical after all."""

    reason: Annotated[SaidLine, Field(max_length=500)]


class RecordCriticalResult(Asked):
    """Who was told of what: the six facts that make a communication count (ACR practice parameter).

    critical_finding_id: the open finding that this closes; without it, the report's only open one.
    """

    finding: Finding
    found_at: AwareDatetime
    told_to: SaidLine
    told_at: AwareDatetime
    method: Annotated[SaidLine, Field(max_length=64)]
    read_back: bool
    critical_finding_id: RowId | None = None


class CriticalFindingOut(Told):
    """One critical finding; outcome None: it is open. due_at: until when somebody should be told.

    closed_by, closed_at: who recorded the outcome, and when. drop_reason: why it was dropped.
    """

    id: str
    finding: str
    found_at: datetime
    due_at: datetime
    opened_by: str
    opened_at: datetime
    outcome: Literal["told", "dropped"] | None
    drop_reason: str | None
    closed_by: str | None
    closed_at: datetime | None


class CriticalResultOut(Told):
    """One communication, and who recorded it. critical_finding_id: the open finding that it closed, if any."""

    critical_finding_id: str | None
    finding: str
    found_at: datetime
    told_to: str
    told_at: datetime
    method: str
    read_back: bool
    recorded_by: str
    recorded_at: datetime
