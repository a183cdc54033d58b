"""The change feed for other systems, and the same as server-sent events for the page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.access import Action, Reader
from app.rest.guard import Allow, authenticator
from app.rest.problems import declared
from app.review.feed import ChangesOut
from app.review.services import TheReview

router = APIRouter(tags=["changes"])
MayRead = Annotated[Reader, Depends(Allow(Action.READ_STUDIES))]
MayFollow = Annotated[Reader, Depends(Allow(Action.READ_CHANGES))]
RECONNECT_MS = 2000
CHECK_SECONDS = 30.0
"""A stream ends so long after its session did, at the latest."""
HIGHEST = (1 << 63) - 1


@router.get("/changes", responses=declared(401, 403, 422))
def get_changes(
    _reader: MayFollow,
    review: TheReview,
    after: Annotated[int, Query(ge=0, le=HIGHEST)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> ChangesOut:
    """What happened to studies and reports behind number `after`; call again with `next`. No patient data."""
    return review.feed.after(after, limit)


@router.get("/events", response_class=EventSourceResponse, responses=declared(401, 403, 422))
async def get_events(
    request: Request,
    _reader: MayRead,
    review: TheReview,
    last_event_id: Annotated[int | None, Header(ge=0, le=HIGHEST)] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Event `study` {study_instance_uid, state, revision} at each change; resumes behind Last-Event-ID."""
    yield ServerSentEvent(comment="listening", retry=RECONNECT_MS)
    door = authenticator(request)
    changes = review.live.listen(last_event_id, lambda: door.still_valid(request), CHECK_SECONDS)
    async for change in changes:
        told = {
            "study_instance_uid": change.study_instance_uid,
            "state": change.state,
            "revision": change.revision,
        }
        yield ServerSentEvent(event="study", id=str(change.seq), data=told)
