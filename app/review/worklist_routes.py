"""The worklist over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from app.access import Action, Reader
from app.rest.guard import Allow
from app.rest.problems import declared
from app.review import worklist
from app.review.services import Review, TheReview
from app.review.worklist_query import FindStudies, chosen
from app.review.worklist_schemas import WorklistCounts, WorklistPage

router = APIRouter(prefix="/worklist")
MayRead = Annotated[Reader, Depends(Allow(Action.READ_STUDIES))]


@router.get("", responses=declared(400, 401, 403, 422))
def get_worklist(reader: MayRead, review: TheReview, wanted: Annotated[FindStudies, Query()]) -> WorklistPage:
    """Studies in the order asked for; by default the open ones by urgency and due time, then the signed, latest first.

    `state`, `priority`, `urgency`, `study` and `critical_state` may be given several times. An address with `q` may
    name a patient, and addresses are kept by proxies and browsers: POST /worklist/search takes the same in its body.
    """
    return _page(reader, review, wanted)


@router.post("/search", responses=declared(400, 401, 403, 422))
def search_worklist(reader: MayRead, review: TheReview, wanted: FindStudies) -> WorklistPage:
    """As GET /worklist, with everything in the body: what is looked for stands in no address."""
    return _page(reader, review, wanted)


def _page(reader: Reader, review: Review, wanted: FindStudies) -> WorklistPage:
    asked = chosen(wanted)
    with review.database.reading() as session:
        seen = worklist.Worklist(session, review.clock.now(), reader, review.gate.modes)
        page, study_ids = seen.page(asked, wanted.sort, wanted.order, wanted.cursor, wanted.limit)
    review.trail.note(reader, "read.worklist", studies=study_ids, searched=asked.q is not None)
    return page


@router.get("/counts", responses=declared(401, 403))
def get_worklist_counts(_reader: MayRead, review: TheReview) -> WorklistCounts:
    """How many studies are in each state: numbers, no patient, so that no look is noted."""
    with review.database.reading() as session:
        return worklist.counts(session)
