"""Refusals as RFC 9457 problem details; no stack trace and no value of the request is ever told."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from app.errors import ServiceError

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER = {429: "60", 503: "5", 507: "60"}
"""Seconds, by status."""


class Problem(BaseModel):
    """RFC 9457 3.1. type: names the class of problem; instance: this occurrence, as the service's log names it."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=["urn:unirg:problem:stale-version"])
    title: str
    status: int
    detail: str
    instance: str


def declared(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's word on these refusals of a route."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in sorted(statuses)}


def response(
    status: int,
    title: str,
    detail: str,
    *,
    kind: str = "",
    members: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
    instance: str = "",
) -> JSONResponse:
    """One problem as an answer. kind: the last part of its type; members: extension members (RFC 9457 3.2)."""
    body = {
        **(members or {}),
        "type": f"urn:unirg:problem:{kind or _kebab(HTTPStatus(status).phrase)}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": instance or new_instance(),
    }
    return JSONResponse(body, status, {**_headers(status), **(headers or {})}, MEDIA_TYPE)


def new_instance() -> str:
    """A name for one occurrence."""
    return uuid.uuid4().urn


def _headers(status: int) -> dict[str, str]:
    headers = {"Cache-Control": "no-store"}
    if status in RETRY_AFTER:
        headers["Retry-After"] = RETRY_AFTER[status]
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"  # RFC 9110 15.5.2
    return headers


def _kebab(words: str) -> str:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", words)
    return re.sub(r"[^a-z]+", "-", spaced.lower()).strip("-")


def of_service_error(error: ServiceError) -> JSONResponse:
    """Status, title and words of the error; `members` of the error, where it has any, are told too."""
    members: Mapping[str, object] = getattr(error, "members", {})
    return response(error.http_status, error.title, error.message, kind=_kebab(type(error).__name__), members=members)


def of_http_error(error: HTTPException) -> JSONResponse:
    """What the framework refuses: no such address, no such method, a body it cannot read."""
    phrase = HTTPStatus(error.status_code).phrase
    words = {404: "There is nothing at this address.", 405: "This address does not take this method."}
    detail = words.get(error.status_code, str(error.detail))
    return response(error.status_code, phrase, detail, headers=error.headers)


def of_invalid_request(errors: Sequence[Mapping[str, Any]]) -> JSONResponse:
    """What does not fit the schema: where and why, never the value."""
    faults = [{"where": ".".join(map(str, e["loc"])), "problem": str(e["msg"])} for e in errors]
    detail = "; ".join(f"{fault['where']}: {fault['problem']}" for fault in faults[:5])
    message = f"The request does not fit the schema: {detail}. Correct it and send it again."
    return response(422, "Invalid request", message, kind="invalid-request", members={"errors": faults})


def install(app: FastAPI) -> None:
    """Answer every refusal of this app as a problem."""

    @app.exception_handler(ServiceError)
    async def _service_error(_request: Request, error: ServiceError) -> JSONResponse:
        return of_service_error(error)

    @app.exception_handler(HTTPException)
    async def _http_error(_request: Request, error: HTTPException) -> JSONResponse:
        return of_http_error(error)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        return of_invalid_request(error.errors())
