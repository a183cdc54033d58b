"""Who may log in, looked after by administrators: each act is audited under the name of who did it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.access import Reader, Role
from app.accounts.handlers import BROWSER, end_sessions, put_user
from app.accounts.passwords import Passwords
from app.accounts.people_schemas import UserOut, UsersOut
from app.db.session import Database, UnitOfWork, unit_of_work
from app.db.tables import LoginSession, User
from app.errors import Conflict, NotFound
from app.ports import Clock
from app.rest.guard import actor


class LastAdministrator(Conflict):
    """Nobody would be left to undo it."""

    title = "The last administrator"


@dataclass(frozen=True, slots=True)
class People:
    """Kept as `app.state.people`."""

    database: Database
    clock: Clock
    passwords: Passwords

    def everybody(self) -> UsersOut:
        """People and machines, by login name."""
        seen = sa.select(LoginSession.user_id, sa.func.max(LoginSession.seen_at)).group_by(LoginSession.user_id)
        with self.database.reading() as session:
            last = dict(session.execute(seen).all())
            users = session.scalars(sa.select(User).order_by(User.username))
            return UsersOut(items=[_out(user, last.get(user.id)) for user in users])

    def add(self, admin: Reader, username: str, name: str, roles: Sequence[Role], password: str) -> UserOut:
        """A new person. Raises InvalidRequest for a short password, Conflict for a login name that is taken."""
        password_hash = self.passwords.hash(password)
        with unit_of_work(self.database, self.clock, actor(admin)) as uow:
            if uow.session.scalar(sa.select(User.id).where(User.username == username)) is not None:
                message = f"The login name {username} is taken; choose another, or change that user."
                raise Conflict(message)
            user = put_user(uow, username, name, roles)
            user.password_hash = password_hash
            return _out(user, None)

    def change_roles(self, admin: Reader, user_id: str, roles: Sequence[Role]) -> UserOut:
        """From now on; a session under way has them too. Raises NotFound, LastAdministrator."""
        with self._one(admin, user_id) as (uow, user):
            wanted = [str(role) for role in roles]
            if Role.ADMIN not in roles:
                _refuse_last(uow.session, user)
            if user.roles != wanted:
                uow.audit("user.roles_changed", username=user.username, before=user.roles, roles=wanted)
                user.roles = wanted
            return _out(user, _seen(uow.session, user))

    def disable(self, admin: Reader, user_id: str) -> UserOut:
        """Shut out at once; a machine's tokens wait until it is enabled. Raises NotFound, LastAdministrator."""
        with self._one(admin, user_id) as (uow, user):
            if not user.disabled:
                _refuse_last(uow.session, user)
                seen, user.disabled = _seen(uow.session, user), True
                end_sessions(uow, user, BROWSER)
                uow.audit("user.disabled", username=user.username)
                return _out(user, seen)
            return _out(user, _seen(uow.session, user))

    def enable(self, admin: Reader, user_id: str) -> UserOut:
        """Let in again. Raises NotFound."""
        with self._one(admin, user_id) as (uow, user):
            if user.disabled:
                user.disabled = False
                uow.audit("user.enabled", username=user.username)
            return _out(user, _seen(uow.session, user))

    def reset_password(self, admin: Reader, user_id: str, password: str) -> UserOut:
        """A new password, which ends the person's sessions.

        Raises InvalidRequest for a short one, NotFound, Conflict for a machine.
        """
        password_hash = self.passwords.hash(password)
        with self._one(admin, user_id) as (uow, user):
            if not user.password_hash:
                message = f"{user.username} is a machine, which has tokens and no password."
                raise Conflict(message)
            seen, user.password_hash = _seen(uow.session, user), password_hash
            end_sessions(uow, user)
            uow.audit("user.password_reset", username=user.username)
            return _out(user, seen)

    @contextmanager
    def _one(self, admin: Reader, user_id: str) -> Iterator[tuple[UnitOfWork, User]]:
        """The user, locked together with all who can log in: two administrators cannot shut each other out."""
        with unit_of_work(self.database, self.clock, actor(admin)) as uow:
            all_of_them = sa.select(User).order_by(User.id).with_for_update().execution_options(populate_existing=True)
            users = {user.id: user for user in uow.session.scalars(all_of_them)}
            if user_id not in users:
                message = "No user has this id."
                raise NotFound(message)
            yield uow, users[user_id]


def _is_active_admin(user: User) -> bool:
    return bool(user.password_hash) and not user.disabled and Role.ADMIN in user.roles


def _refuse_last(session: Session, user: User) -> None:
    others = (other for other in session.scalars(sa.select(User)) if other.id != user.id)
    if _is_active_admin(user) and not any(_is_active_admin(other) for other in others):
        message = f"{user.username} is the last administrator who can log in; make another one first."
        raise LastAdministrator(message)


def _seen(session: Session, user: User) -> object:
    return session.scalar(sa.select(sa.func.max(LoginSession.seen_at)).where(LoginSession.user_id == user.id))


def _out(user: User, seen_at: object) -> UserOut:
    return UserOut.model_validate(
        {
            "id": user.id,
            "username": user.username,
            "name": user.name,
            "kind": "person" if user.password_hash else "machine",
            "roles": user.roles,
            "disabled": user.disabled,
            "created_at": user.created_at,
            "seen_at": seen_at,
        }
    )
