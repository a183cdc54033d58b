"""`unirg user add` and `unirg token create`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from app.access import Role
from app.accounts.handlers import Accounts
from app.accounts.passwords import Passwords
from app.config import Settings
from app.db.session import Database
from app.errors import InvalidRequest
from app.gateways.clock import SystemClock


def add_person(settings: Settings, username: str, name: str, roles: Sequence[str], password: str) -> None:
    """Or set password, name and roles anew. Raises InvalidRequest for an unknown role or a short password."""
    _accounts(settings).set_user(username, name, [_role(role) for role in roles], password)


def create_token(settings: Settings, name: str, role: str, days: int) -> str:
    """The token, told once. Raises Conflict, InvalidRequest."""
    return _accounts(settings).create_token(name, [_role(role)], timedelta(days=days))


def _accounts(settings: Settings) -> Accounts:
    return Accounts(Database(settings.database.url.get_secret_value()), SystemClock(), Passwords())


def _role(name: str) -> Role:
    try:
        return Role(name)
    except ValueError:
        message = f"There is no role {name}; choose from {', '.join(Role)}."
        raise InvalidRequest(message) from None
