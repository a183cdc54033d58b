"""The wire shapes of logging in."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from app.access import Role
from app.rest.words import Asked, Line, Secret, Told


def _can_be_seen(value: str) -> str:
    if not value.isprintable():
        raise ValueError("a key is one that writes something to be seen, or F1 to F24")
    return value


Act = Annotated[str, StringConstraints(pattern=r"^[a-z]{1,16}\.[a-z_]{1,32}$")]
Key = Annotated[str, StringConstraints(pattern=r"^(\S|F[1-9]|F1[0-9]|F2[0-4])?$"), AfterValidator(_can_be_seen)]


class Credentials(Asked):
    """Who wants in."""

    username: Line
    password: Secret


class ChangePassword(Asked):
    """password: the present one, once more; new_password: what its user logs in with from now on."""

    password: Secret
    new_password: Secret


class Keys(Asked):
    """keys: by act of the review page, the key that the reader has given it, "" for none.

    An act that is left out has the page's own key. A client skips acts that it does not know.
    """

    keys: Annotated[dict[Act, Key], Field(max_length=200)]


class Identity(Told):
    """Who is in; later unsafe calls carry the token as X-CSRF-Token. None for a machine, which needs none.

    keys: as PUT /auth/keys took them.
    """

    csrf_token: str | None
    name: str
    roles: list[Role]
    keys: dict[str, str]
