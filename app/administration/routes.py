"""Peers, queues, dead letters and model versions under /admin; for administrators."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import APIRouter, Depends, Query, Request

from app.access import Action, Reader
from app.administration import views
from app.administration.handlers import Administration
from app.administration.schemas import (
    DeadLetterOut,
    DeadLettersOut,
    EchoOut,
    ModelVersionsOut,
    PeersOut,
    QueuesOut,
    Why,
)
from app.rest.guard import Allow
from app.rest.problems import declared
from app.rest.words import Line, RowId

router = APIRouter(prefix="/admin", tags=["admin"])
MayAdminister = Annotated[Reader, Depends(Allow(Action.ADMINISTER))]


def _administration(request: Request) -> Administration:
    return cast("Administration", request.app.state.administration)


TheAdministration = Annotated[Administration, Depends(_administration)]


@router.get("/peers", responses=declared(401, 403))
def get_peers(_admin: MayAdminister, administration: TheAdministration) -> PeersOut:
    """The configured peers without their secrets, each with its latest echo."""
    return PeersOut(items=administration.all_peers())


@router.post("/peers/{name}/echo", responses=declared(401, 403, 404, 422))
def echo_peer(name: Line, admin: MayAdminister, administration: TheAdministration) -> EchoOut:
    """Ask the peer now (DICOM: C-ECHO), which takes up to 10 s; a peer that does not answer is a 200 that says why."""
    return administration.echo(admin, name)


@router.get("/queues", responses=declared(401, 403))
def get_queues(_admin: MayAdminister, administration: TheAdministration) -> QueuesOut:
    """Jobs by task and state, and what waits for the broker."""
    now = administration.clock.now()
    with administration.database.reading() as session:
        return views.queues(session, now)


@router.get("/dead-letters", responses=declared(401, 403, 404, 422))
def get_dead_letters(
    admin: MayAdminister,
    administration: TheAdministration,
    after: Annotated[RowId | None, Query()] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> DeadLettersOut:
    """Jobs that gave up and wait for a person, oldest first."""
    with administration.database.reading() as session:
        found = views.dead_letters(session, after, limit)
    administration.trail.note(admin, "read.dead_letters", entries=len(found.items))
    return found


@router.post("/dead-letters/{job_id}/retry", responses=declared(401, 403, 404, 409, 422))
def retry_dead_letter(
    job_id: RowId, asked: Why, admin: MayAdminister, administration: TheAdministration
) -> DeadLetterOut:
    """Try it anew; of a job that is dead no longer the answer is its present state, and nothing is done."""
    return administration.take_up(admin, job_id, asked.reason)


@router.post("/dead-letters/{job_id}/drop", responses=declared(401, 403, 404, 422))
def drop_dead_letter(
    job_id: RowId, asked: Why, admin: MayAdminister, administration: TheAdministration
) -> DeadLetterOut:
    """Give it up: its study stays as it is, and can still be read and signed by hand."""
    return administration.drop(admin, job_id, asked.reason)


@router.get("/models", responses=declared(401, 403))
def get_model_versions(_admin: MayAdminister, administration: TheAdministration) -> ModelVersionsOut:
    """Which model with which weights and prompt wrote how many drafts, and when."""
    with administration.database.reading() as session:
        return views.model_versions(session)
