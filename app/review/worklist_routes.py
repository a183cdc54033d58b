"""The worklist over HTTP."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from app.access import Action, Reader
from app.domain.study import Stage
from app.rest.guard import Allow
from app.rest.problems import declared
from app.rest.words import Line, Uid
from app.review import worklist
from app.review.critical_schemas import CriticalState
from app.review.services import TheReview
from app.review.worklist_filter import Filter, Held
from app.review.worklist_order import Direction, Sort
from app.review.worklist_schemas import Urgency, WorklistCounts, WorklistPage

router = APIRouter(prefix="/worklist")
MayRead = Annotated[Reader, Depends(Allow(Action.READ_STUDIES))]
Priority = Annotated[Line, Query(max_length=16)]
LONGEST = 525_600
"""Minutes of a year."""


def _named(
    state: Annotated[tuple[Stage, ...], Query()] = (),
    priority: Annotated[tuple[Priority, ...], Query(max_length=16)] = (),
    urgency: Annotated[tuple[Urgency, ...], Query(max_length=16)] = (),
    study: Annotated[tuple[Uid, ...], Query(max_length=200)] = (),
    critical_state: Annotated[tuple[CriticalState, ...], Query()] = (),
) -> Filter:
    names = tuple(name for name in priority if name)
    return Filter(state, names, urgency, study, critical_states=critical_state)


def _wanted(
    named: Annotated[Filter, Depends(_named)],
    held: Held | None = None,
    critical: bool | None = None,
    flagged: bool | None = None,
    received_within: Annotated[int | None, Query(ge=1, le=LONGEST, description="Minutes.")] = None,
    q: Annotated[Line | None, Query(max_length=64)] = None,
) -> Filter:
    """Addresses with `q` may name a patient: the service keeps no access log, a proxy in front must not either."""
    within = timedelta(minutes=received_within) if received_within else None
    wanted = replace(named, held=held, critical=critical, flagged=flagged, received_within=within)
    return replace(wanted, q=(q or "").strip() or None)


@router.get("", responses=declared(400, 401, 403, 422))
def get_worklist(
    reader: MayRead,
    review: TheReview,
    wanted: Annotated[Filter, Depends(_wanted)],
    sort: Sort = Sort.DUE,
    order: Direction = Direction.ASC,
    cursor: Annotated[Line | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
) -> WorklistPage:
    """Studies in the order asked for; by default the open ones by urgency and due time, then the signed, latest first.

    `state`, `priority`, `urgency`, `study` and `critical_state` may be given several times.
    """
    with review.database.reading() as session:
        seen = worklist.Worklist(session, review.clock.now(), reader, review.gate.modes)
        page, study_ids = seen.page(wanted, sort, order, cursor, limit)
    review.trail.note(reader, "read.worklist", studies=study_ids, searched=wanted.q is not None)
    return page


@router.get("/counts", responses=declared(401, 403))
def get_worklist_counts(_reader: MayRead, review: TheReview) -> WorklistCounts:
    """How many studies are in each state: numbers, no patient, so that no look is noted."""
    with review.database.reading() as session:
        return worklist.counts(session)
