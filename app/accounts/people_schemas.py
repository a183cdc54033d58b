"""The wire shapes of user administration. A password comes in and never goes out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from app.access import Role
from app.rest.words import Asked, SaidLine, Secret, Told

LoginName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$")]


def _each_once(roles: list[Role]) -> list[Role]:
    return list(dict.fromkeys(roles))


Roles = Annotated[list[Role], Field(min_length=1), AfterValidator(_each_once)]


class AddUser(Asked):
    """A new person; name: as it stands under a signature."""

    username: LoginName
    name: Annotated[SaidLine, Field(min_length=1, max_length=64)]
    roles: Roles
    password: Secret


class ChangeRoles(Asked):
    """All roles that the user has from now on."""

    roles: Roles


class ResetPassword(Asked):
    """The password that the user logs in with from now on."""

    password: Secret


class UserOut(Told):
    """A person, who has a password, or a machine, which has tokens. seen_at: last use of a session or token kept."""

    id: str
    username: str
    name: str
    kind: Literal["person", "machine"]
    roles: list[Role]
    disabled: bool
    created_at: datetime
    seen_at: datetime | None


class UsersOut(Told):
    """All of them, by login name."""

    items: list[UserOut]
