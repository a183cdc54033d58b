"""What may be asked of the worklist, in an address or in a body."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from app.domain.study import Stage
from app.rest.words import Asked, Line, Uid
from app.review.critical_schemas import CriticalState
from app.review.worklist_filter import Filter, Held
from app.review.worklist_order import Direction, Sort
from app.review.worklist_schemas import Urgency

LONGEST = 525_600
"""Minutes of a year."""
Priority = Annotated[Line, Field(max_length=16)]


class FindStudies(Asked):
    """A filter, an order and a page; what is left out chooses nothing. q: part of a name, patient ID or accession."""

    state: tuple[Stage, ...] = ()
    priority: tuple[Priority, ...] = Field((), max_length=16)
    urgency: tuple[Urgency, ...] = Field((), max_length=16)
    study: tuple[Uid, ...] = Field((), max_length=200)
    critical_state: tuple[CriticalState, ...] = ()
    held: Held | None = None
    critical: bool | None = None
    flagged: bool | None = None
    received_within: int | None = Field(None, ge=1, le=LONGEST, description="Minutes.")
    q: Line | None = Field(None, max_length=64)
    sort: Sort = Sort.DUE
    order: Direction = Direction.ASC
    cursor: Line | None = None
    limit: int = Field(50, ge=1, le=1000)


def chosen(asked: FindStudies) -> Filter:
    """The filter without order and page."""
    return Filter(
        states=asked.state,
        priorities=tuple(name for name in asked.priority if name),
        urgencies=asked.urgency,
        studies=asked.study,
        held=asked.held,
        critical=asked.critical,
        critical_states=asked.critical_state,
        flagged=asked.flagged,
        received_within=timedelta(minutes=asked.received_within) if asked.received_within else None,
        q=(asked.q or "").strip() or None,
    )
