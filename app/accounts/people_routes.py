"""Users under /admin/users: list, add, change roles, disable and enable, set a password; for administrators."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import APIRouter, Depends, Request

from app.access import Action, Reader
from app.accounts.people import People
from app.accounts.people_schemas import AddUser, ChangeRoles, ResetPassword, UserOut, UsersOut
from app.rest.guard import Allow
from app.rest.problems import declared
from app.rest.words import RowId

router = APIRouter(prefix="/admin/users", tags=["admin"])
MayAdminister = Annotated[Reader, Depends(Allow(Action.ADMINISTER))]
REFUSALS = declared(401, 403, 404, 409, 422)


def _people(request: Request) -> People:
    return cast("People", request.app.state.people)


ThePeople = Annotated[People, Depends(_people)]


@router.get("", responses=declared(401, 403))
def get_users(_admin: MayAdminister, people: ThePeople) -> UsersOut:
    """Everybody who can log in, and every machine with a token."""
    return people.everybody()


@router.post("", status_code=201, responses=declared(400, 401, 403, 409, 422))
def add_user(asked: AddUser, admin: MayAdminister, people: ThePeople) -> UserOut:
    """A new person. Machines get their tokens from `unirg token create`."""
    return people.add(admin, asked.username, asked.name, asked.roles, asked.password)


@router.put("/{user_id}/roles", responses=REFUSALS)
def change_roles(user_id: RowId, asked: ChangeRoles, admin: MayAdminister, people: ThePeople) -> UserOut:
    """In force at once, also for who is logged in. 409 where no administrator would be left."""
    return people.change_roles(admin, user_id, asked.roles)


@router.post("/{user_id}/disable", responses=REFUSALS)
def disable_user(user_id: RowId, admin: MayAdminister, people: ThePeople) -> UserOut:
    """Shut out at once; what the user signed stays. 409 for the last administrator."""
    return people.disable(admin, user_id)


@router.post("/{user_id}/enable", responses=REFUSALS)
def enable_user(user_id: RowId, admin: MayAdminister, people: ThePeople) -> UserOut:
    """Let in again, with the same password or tokens."""
    return people.enable(admin, user_id)


@router.post("/{user_id}/password", responses=REFUSALS)
def reset_password(user_id: RowId, asked: ResetPassword, admin: MayAdminister, people: ThePeople) -> UserOut:
    """A new password; the person's sessions end. 409 for a machine."""
    return people.reset_password(admin, user_id, asked.password)
