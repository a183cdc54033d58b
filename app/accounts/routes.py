"""POST /auth/login, POST /auth/logout, GET /auth/me, POST /auth/password, PUT /auth/keys."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import APIRouter, Depends, Request, Response

from app.access import Reader
from app.accounts.door import Door, refuse_foreign_origin
from app.accounts.handlers import csrf_of
from app.accounts.schemas import ChangePassword, Credentials, Identity, Keys
from app.rest.guard import Allow, address, anyone
from app.rest.problems import declared

router = APIRouter(prefix="/auth", tags=["auth"])
LoggedIn = Annotated[Reader, Depends(Allow(None))]


def _door(request: Request) -> Door:
    return cast("Door", request.app.state.authenticate)


def _identity(door: Door, reader: Reader, csrf_token: str | None) -> Identity:
    return Identity(csrf_token=csrf_token, name=reader.name, roles=list(reader.roles), keys=door.keys.of(reader))


TheDoor = Annotated[Door, Depends(_door)]


@router.post("/login", dependencies=[Depends(anyone)], responses=declared(401, 403, 422, 429))
def login(who: Credentials, request: Request, response: Response, door: TheDoor) -> Identity:
    """Open a session; the cookie is HttpOnly, the CSRF token is for the page."""
    refuse_foreign_origin(request)
    entered = door.sessions.login(who.username, who.password, address(request))
    response.set_cookie(
        door.cookie,
        entered.token,
        max_age=int(door.sessions.limits.absolute.total_seconds()),
        path="/",
        secure=door.cookie.startswith("__Host-"),
        httponly=True,
        samesite="strict",
    )
    return _identity(door, entered.reader, entered.csrf_token)


@router.get("/me", responses=declared(401))
def me(request: Request, reader: LoggedIn, door: TheDoor) -> Identity:
    """Who is logged in."""
    token = request.cookies.get(door.cookie)
    return _identity(door, reader, csrf_of(token) if token else None)


@router.post("/logout", status_code=204, responses=declared(401, 403))
def logout(request: Request, response: Response, reader: LoggedIn, door: TheDoor) -> None:
    """End the session."""
    door.sessions.logout(request.cookies.get(door.cookie, ""), reader)
    response.delete_cookie(
        door.cookie, path="/", secure=door.cookie.startswith("__Host-"), httponly=True, samesite="strict"
    )


@router.post("/password", status_code=204, responses=declared(400, 401, 403, 409, 422, 429))
def change_password(asked: ChangePassword, request: Request, reader: LoggedIn, door: TheDoor) -> None:
    """A new password of one's own; one's other sessions end. 403 for a wrong present one, 409 for a machine."""
    token = request.cookies.get(door.cookie, "")
    door.sessions.change_password(reader, token, asked.password, asked.new_password, address(request))


@router.put("/keys", responses=declared(400, 401, 403, 422))
def keep_keys(given: Keys, reader: LoggedIn, door: TheDoor) -> Keys:
    """Which keys of the review page the reader has changed; all others go back to the page's own."""
    return door.keys.keep(reader, given)
