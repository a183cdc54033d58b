"""QIDO-RS. The addresses may name a patient: the service keeps no access log, a proxy in front must not either."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy.orm import Session

from app.access import Action, Reader
from app.dicomweb import media, search
from app.dicomweb.matching import Query, query
from app.dicomweb.services import DicomWeb, TheArchive
from app.rest.dicomweb import JSON, root
from app.rest.guard import Allow
from app.rest.problems import declared
from app.rest.words import Uid

router = APIRouter(tags=["dicomweb"])
MayRead = Annotated[Reader, Depends(Allow(Action.READ_STUDIES))]
FOUND: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "What matches, newest study first, as DICOM JSON; Warning says what was cut off or ignored.",
        "content": {JSON: {"schema": {"type": "array", "items": {"type": "object"}}}},
    },
    **declared(400, 401, 403, 406, 422),
}
Search = Callable[[Session, Query, str], search.Found]


def _answer(request: Request, reader: Reader, archive: DicomWeb, wanted: Search, **named: str) -> Response:
    accept = request.query_params.get("accept") or request.headers.get("accept")
    media.chosen(accept, (JSON, "application/json"))
    asked = query([*request.query_params.multi_items(), *named.items()])
    with archive.database.reading() as session:
        found = wanted(session, asked, root(request))
    searched = bool(asked.conditions)
    archive.trail.note(reader, "read.search", studies=list(found.studies), searched=searched)
    return JSONResponse(found.objects, headers=_warnings(found, asked), media_type=JSON)


def _warnings(found: search.Found, asked: Query) -> dict[str, str]:
    """PS3.18 8.3.4.4 and 10.6.1.2.4."""
    told = []
    if asked.ignored:
        told.append("299 unirg: some parameters are not supported here and were ignored")
    if found.more:
        told.append("299 unirg: there are additional results; ask again with offset")
    return {"Warning": ", ".join(told)} if told else {}


@router.get("/studies", response_class=Response, responses=FOUND)
def search_studies(request: Request, reader: MayRead, archive: TheArchive) -> Response:
    """Search for studies by attributes of their patient, themselves, or any of their series and instances."""
    return _answer(request, reader, archive, search.studies)


@router.get("/series", response_class=Response, responses=FOUND)
def search_series(request: Request, reader: MayRead, archive: TheArchive) -> Response:
    """Search for series over all studies."""
    return _answer(request, reader, archive, search.series)


@router.get("/instances", response_class=Response, responses=FOUND)
def search_instances(request: Request, reader: MayRead, archive: TheArchive) -> Response:
    """Search for instances over all studies."""
    return _answer(request, reader, archive, search.instances)


@router.get("/studies/{study_instance_uid}/series", response_class=Response, responses=FOUND)
def search_study_series(study_instance_uid: Uid, request: Request, reader: MayRead, archive: TheArchive) -> Response:
    """The series of one study."""
    return _answer(request, reader, archive, search.series, StudyInstanceUID=study_instance_uid)


@router.get("/studies/{study_instance_uid}/instances", response_class=Response, responses=FOUND)
def search_study_instances(study_instance_uid: Uid, request: Request, reader: MayRead, archive: TheArchive) -> Response:
    """The instances of one study."""
    return _answer(request, reader, archive, search.instances, StudyInstanceUID=study_instance_uid)


@router.get(
    "/studies/{study_instance_uid}/series/{series_instance_uid}/instances", response_class=Response, responses=FOUND
)
def search_series_instances(
    study_instance_uid: Uid, series_instance_uid: Uid, request: Request, reader: MayRead, archive: TheArchive
) -> Response:
    """The instances of one series."""
    uids = {"StudyInstanceUID": study_instance_uid, "SeriesInstanceUID": series_instance_uid}
    return _answer(request, reader, archive, search.instances, **uids)
