"""The wire shapes of logging in."""

from __future__ import annotations

from app.access import Role
from app.rest.words import Asked, Line, Secret, Told


class Credentials(Asked):
    """Who wants in."""

    username: Line
    password: Secret


class ChangePassword(Asked):
    """password: the present one, once more; new_password: what its user logs in with from now on."""

    password: Secret
    new_password: Secret


class Identity(Told):
    """Who is in; later unsafe calls carry the token as X-CSRF-Token. None for a machine, which needs none."""

    csrf_token: str | None
    name: str
    roles: list[Role]
