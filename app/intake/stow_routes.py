"""POST /dicom-web/studies: objects in over HTTP; an object is acknowledged when it and its task are durable (LAW 2)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from app.access import Action, Reader
from app.errors import InvalidRequest, UnsupportedMedia
from app.intake.stow import Answer, Stow
from app.intake.stow_parts import Parts
from app.rest.dicomweb import JSON, root
from app.rest.guard import Allow
from app.rest.problems import declared
from app.rest.words import Uid

router = APIRouter(tags=["dicomweb"])
MayStore = Annotated[Reader, Depends(Allow(Action.STORE_OBJECTS))]
PIECE_SECONDS = 30.0
"""From one piece of the body to the next."""
# Orthanc 1.10 makes boundaries of 73 characters, where RFC 2046 5.1.1 allows 70.
_BOUNDARY = re.compile(r';\s*boundary\s*=\s*("([^"]+)"|[^;,\s"]+)', re.IGNORECASE)
_TYPE = re.compile(r';\s*type\s*=\s*"?application/dicom"?\s*(;|$)', re.IGNORECASE)
_TOLD: dict[str, Any] = {JSON: {"schema": {"type": "object"}}}
RESPONSES: dict[int | str, dict[str, Any]] = {
    **declared(400, 401, 403, 408, 415, 422),
    200: {"description": "All objects are stored.", "content": _TOLD},
    202: {"description": "Some are stored; FailedSOPSequence says which are not, and why.", "content": _TOLD},
    409: {"description": "None is stored; FailedSOPSequence says why.", "content": _TOLD},
    503: {"description": "None is stored, for want of space; send them again later.", "content": _TOLD},
}
BODY = {
    "requestBody": {
        "required": True,
        "content": {'multipart/related; type="application/dicom"': {"schema": {"type": "string", "format": "binary"}}},
    }
}


def _stow(request: Request) -> Stow:
    return cast("Stow", request.app.state.stow)


TheStow = Annotated[Stow, Depends(_stow)]


@router.post("/studies", response_class=Response, responses=RESPONSES, openapi_extra=BODY)
async def store(request: Request, reader: MayStore, stow: TheStow) -> Response:
    """Store objects of any studies."""
    return await _store(request, reader, stow, None)


@router.post("/studies/{study_instance_uid}", response_class=Response, responses=RESPONSES, openapi_extra=BODY)
async def store_in_study(study_instance_uid: Uid, request: Request, reader: MayStore, stow: TheStow) -> Response:
    """Store objects of this study; those of others are refused."""
    return await _store(request, reader, stow, study_instance_uid)


async def _store(request: Request, reader: Reader, stow: Stow, study_instance_uid: str | None) -> Response:
    boundary = _boundary(request.headers.get("content-type", ""))
    answer = Answer(root(request), study_instance_uid)

    def done(part: Any) -> None:
        answer.outcomes.append(stow.store(part, reader, study_instance_uid))

    parts = Parts(boundary, stow.incoming_dir, stow.most, done)
    try:
        async for piece in _pieces(request):
            await run_in_threadpool(parts.write, piece)
        parts.finish()
    finally:
        await run_in_threadpool(parts.abandon)
    if not answer.outcomes:
        message = "The request holds no object; send each as a part of type application/dicom."
        raise InvalidRequest(message)
    return JSONResponse(answer.body(), answer.status, media_type=JSON)


def _boundary(content_type: str) -> str:
    if not content_type.lower().startswith("multipart/related") or not _TYPE.search(content_type):
        message = 'Objects are taken as multipart/related; type="application/dicom".'
        raise UnsupportedMedia(message)
    match = _BOUNDARY.search(content_type)
    if match is None:
        message = "Content-Type names no boundary (RFC 2046 5.1.1)."
        raise InvalidRequest(message)
    return match[2] or match[1]


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    """The body as it comes. Raises InvalidRequest for a sender that stalls."""
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(PIECE_SECONDS):
                piece = await anext(stream, None)
        except TimeoutError as error:
            message = f"Nothing came for {PIECE_SECONDS:.0f} s; what came whole is stored, send the rest again."
            raise InvalidRequest(message) from error
        if piece is None:
            return
        yield piece
