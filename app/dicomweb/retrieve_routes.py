"""WADO-RS: objects as they were received, metadata, frames, pictures; each look is audited before it happens."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from app.access import Action, Reader
from app.dicomweb import media
from app.dicomweb.displayed import LITTLE_ENDIAN, RENDERED_TYPES, rendered
from app.dicomweb.objects import Held, Named
from app.dicomweb.services import DicomWeb, TheArchive
from app.domain.imaging import StoredFrame
from app.errors import InvalidRequest, NotFound
from app.rest.dicomweb import JSON
from app.rest.etags import is_current
from app.rest.guard import Allow
from app.rest.problems import declared
from app.rest.words import Line, Uid

DISPLAYED = "/displayed"
router = APIRouter(tags=["dicomweb"])
objects_router = APIRouter(tags=["dicomweb"])
MayRead = Annotated[Reader, Depends(Allow(Action.READ_STUDIES))]
IfNoneMatch = Annotated[str | None, Header()]
MAX_FRAMES = 16
_VIEWPORT = re.compile(r"(\d{1,5}),(\d{1,5})")


def _of(kind: str, words: str, *refusals: int) -> dict[int | str, dict[str, Any]]:
    content = {kind: {"schema": {"type": "string", "format": "binary"}}}
    return {200: {"description": words, "content": content}, **declared(401, 403, 404, 406, *refusals)}


OBJECTS = _of("multipart/related", "Part 10 objects; their data sets are the bytes that were received.", 422)
METADATA = {
    200: {
        "description": "Every attribute but the pixels, in the DICOM JSON model.",
        "content": {JSON: {"schema": {"type": "array", "items": {"type": "object"}}}},
    },
    **declared(401, 403, 404, 406, 422),
}
UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "What If-None-Match names is still right."}}
FRAMES = _of("multipart/related", "The frames, each a part.", 400, 422) | UNCHANGED
RENDERED = _of("image/jpeg", "The image in its own window.", 400, 422) | UNCHANGED
STUDY = "/studies/{study_instance_uid}"
SERIES = f"{STUDY}/series/{{series_instance_uid}}"
INSTANCE = f"{SERIES}/instances/{{sop_instance_uid}}"


def _is_displayed(request: Request) -> bool:
    return DISPLAYED in str(request.scope["route"].path)


Displayed = Annotated[bool, Depends(_is_displayed)]


def _accept(
    accept: Annotated[Line | None, Query()] = None, header: Annotated[str | None, Header(alias="accept")] = None
) -> str | None:
    """What the client takes; the parameter is for links, beside which no header can be chosen (PS3.18 8.3.3.1)."""
    return accept or header


Accept = Annotated[str | None, Depends(_accept)]


def _study(study_instance_uid: Uid) -> Named:
    return Named(study_instance_uid)


def _series(study_instance_uid: Uid, series_instance_uid: Uid) -> Named:
    return Named(study_instance_uid, series_instance_uid)


def _instance(study_instance_uid: Uid, series_instance_uid: Uid, sop_instance_uid: Uid) -> Named:
    return Named(study_instance_uid, series_instance_uid, sop_instance_uid)


OneStudy = Annotated[Named, Depends(_study)]
OneSeries = Annotated[Named, Depends(_series)]
OneInstance = Annotated[Named, Depends(_instance)]


def _objects(archive: DicomWeb, reader: Reader, named: Named, accept: str | None) -> Response:
    held = archive.objects.find(reader, named)
    media.require_parts(accept, media.DICOM, [one.transfer_syntax_uid for one in held])
    parts = [
        media.Part(f"{media.DICOM}; transfer-syntax={one.transfer_syntax_uid}", archive.objects.path(one))
        for one in held
    ]
    body = media.Multipart(media.DICOM, parts)
    return StreamingResponse(iter(body), headers={"Content-Length": str(body.size)}, media_type=body.media_type)


@objects_router.get(STUDY, response_class=Response, responses=OBJECTS)
def retrieve_study(named: OneStudy, reader: MayRead, archive: TheArchive, accept: Accept) -> Response:
    """All objects of a study."""
    return _objects(archive, reader, named, accept)


@objects_router.get(SERIES, response_class=Response, responses=OBJECTS)
def retrieve_series(named: OneSeries, reader: MayRead, archive: TheArchive, accept: Accept) -> Response:
    """All objects of a series."""
    return _objects(archive, reader, named, accept)


@objects_router.get(INSTANCE, response_class=Response, responses=OBJECTS)
def retrieve_instance(named: OneInstance, reader: MayRead, archive: TheArchive, accept: Accept) -> Response:
    """One object."""
    return _objects(archive, reader, named, accept)


def _metadata(archive: DicomWeb, reader: Reader, named: Named, accept: str | None, displayed: bool) -> Response:
    media.chosen(accept, (JSON, "application/json"))
    held = archive.objects.find(reader, named)
    told = [archive.objects.metadata(one, as_displayed=displayed) for one in held]
    return JSONResponse(told, media_type=JSON)


@router.get(f"{STUDY}/metadata", response_class=Response, responses=METADATA)
def retrieve_study_metadata(
    named: OneStudy, reader: MayRead, archive: TheArchive, displayed: Displayed, accept: Accept
) -> Response:
    """Metadata of all objects of a study."""
    return _metadata(archive, reader, named, accept, displayed)


@router.get(f"{SERIES}/metadata", response_class=Response, responses=METADATA)
def retrieve_series_metadata(
    named: OneSeries, reader: MayRead, archive: TheArchive, displayed: Displayed, accept: Accept
) -> Response:
    """Metadata of all objects of a series."""
    return _metadata(archive, reader, named, accept, displayed)


@router.get(f"{INSTANCE}/metadata", response_class=Response, responses=METADATA)
def retrieve_instance_metadata(
    named: OneInstance, reader: MayRead, archive: TheArchive, displayed: Displayed, accept: Accept
) -> Response:
    """Metadata of one object."""
    return _metadata(archive, reader, named, accept, displayed)


@router.get(f"{INSTANCE}/frames/{{frames}}", response_class=Response, responses=FRAMES)
def retrieve_frames(
    named: OneInstance,
    frames: Line,
    reader: MayRead,
    archive: TheArchive,
    displayed: Displayed,
    accept: Accept,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Frames by number, from 1, with commas between; what is compressed comes as it is stored."""
    [held] = archive.objects.find(reader, named)
    numbers = _numbers(frames)
    syntaxes = [LITTLE_ENDIAN if displayed else held.transfer_syntax_uid]
    media.require_parts(accept, media.OCTETS, syntaxes)
    tag = f'"{held.etag}-{"d" if displayed else "s"}"'
    if is_current(tag, if_none_match):
        return Response(status_code=304, headers={"ETag": tag})
    found = [_frame(archive, held, number, displayed) for number in numbers]
    parts = [media.Part(f"{media.OCTETS}; transfer-syntax={one.transfer_syntax_uid}", one.content) for one in found]
    body = media.Multipart(media.OCTETS, parts)
    headers = {"ETag": tag, "Content-Length": str(body.size)}
    return StreamingResponse(iter(body), headers=headers, media_type=body.media_type)


def _numbers(frames: str) -> list[int]:
    if not re.fullmatch(r"[1-9]\d{0,5}(,[1-9]\d{0,5})*", frames) or len(numbers := frames.split(",")) > MAX_FRAMES:
        message = f"Frames are named by at most {MAX_FRAMES} numbers from 1, with commas between."
        raise InvalidRequest(message)
    return [int(number) for number in numbers]


def _frame(archive: DicomWeb, held: Held, number: int, displayed: bool) -> StoredFrame:
    path = archive.objects.path(held)
    if not displayed:
        return archive.pixels.stored_frame(path, number)
    if number != 1:
        message = "As displayed, an image is its first frame."
        raise NotFound(message)
    return StoredFrame(archive.pixels.display_frame(path).pixels, LITTLE_ENDIAN)


@router.get(f"{INSTANCE}/rendered", response_class=Response, responses=RENDERED)
def retrieve_rendered(
    named: OneInstance,
    reader: MayRead,
    archive: TheArchive,
    accept: Accept,
    viewport: Annotated[Line | None, Query()] = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """A JPEG or PNG for people and pages that cannot draw frames; research display, not for diagnosis."""
    kind = media.chosen(accept, RENDERED_TYPES)
    [held] = archive.objects.find(reader, named)
    size = _viewport(viewport)
    tag = f'"{held.etag}-{kind[-3:]}-{"full" if size is None else f"{size[0]}x{size[1]}"}"'
    if is_current(tag, if_none_match):
        return Response(status_code=304, headers={"ETag": tag})
    picture = rendered(archive.pixels.display_frame(archive.objects.path(held)), kind, size)
    return Response(picture, media_type=kind, headers={"ETag": tag})


def _viewport(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    match = _VIEWPORT.fullmatch(text)
    if match is None or not all(1 <= int(side) <= 8192 for side in match.groups()):
        message = "viewport is a width and a height of 1 to 8192 pixels with a comma between; crops are not supported."
        raise InvalidRequest(message)
    return int(match[1]), int(match[2])
