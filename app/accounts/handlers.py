"""Users and tokens are made here; people log in and out, machines show a token. Only hashes of secrets are kept."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.access import Reader, Role
from app.accounts.attempts import Attempts
from app.accounts.passwords import Passwords
from app.db.session import Database, UnitOfWork, unit_of_work
from app.db.tables import LoginSession, User
from app.domain.identifiers import digest, new_id
from app.errors import Conflict, NotAllowed, NotAuthenticated
from app.ports import Clock
from app.rest.guard import actor

TOUCH = timedelta(seconds=30)
"""A session's last use is written at most so often."""
TOKEN_PREFIX = "unirg_"  # noqa: S105 - marks our tokens for secret scanners
BROWSER, SERVICE = "browser", "service"


class PasswordRefused(NotAllowed):
    """The password that was re-entered is not this user's."""

    title = "Password not accepted"


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """A session ends `idle` after its last use, and `absolute` after its login."""

    idle: timedelta
    absolute: timedelta


@dataclass(frozen=True, slots=True)
class Login:
    """token: the cookie's value, told once; csrf_token: derived from it, so that it need not be kept."""

    token: str
    csrf_token: str
    reader: Reader


def csrf_of(token: str) -> str:
    """The CSRF token of a session: whoever knows it knows the cookie, or was told by us."""
    return digest("csrf", token)


@dataclass(frozen=True, slots=True)
class Accounts:
    """For the operator: `unirg user add`, `unirg token create`."""

    database: Database
    clock: Clock
    passwords: Passwords

    def set_user(self, username: str, name: str, roles: Sequence[Role], password: str) -> str:
        """Add a person, or set name, roles and password of one anew, which ends their sessions; returns the id.

        Raises InvalidRequest for a short password.
        """
        password_hash = self.passwords.hash(password)
        with unit_of_work(self.database, self.clock) as uow:
            user = put_user(uow, username, name, roles)
            user.password_hash = password_hash
            end_sessions(uow, user)
            return user.id

    def create_token(self, name: str, roles: Sequence[Role], valid: timedelta = timedelta(days=365)) -> str:
        """A further token of a machine; it is shown this once, only its hash is kept.

        Raises Conflict where the name is a person's.
        """
        token = TOKEN_PREFIX + secrets.token_urlsafe(32)
        with unit_of_work(self.database, self.clock) as uow:
            user = put_user(uow, name, name, roles)
            if user.password_hash:
                message = f"{name} is a person who logs in; give the machine another name."
                raise Conflict(message)
            uow.session.add(_session_row(uow, user, SERVICE, token, valid))
            uow.audit("token.created", username=name)
        return token


def put_user(uow: UnitOfWork, username: str, name: str, roles: Sequence[Role]) -> User:
    """The user of this login name with name and roles as given, audited; a new row has no password yet."""
    user = uow.session.scalars(sa.select(User).where(User.username == username).with_for_update()).one_or_none()
    action = "user.changed" if user is not None else "user.added"
    if user is None:
        user = User(id=new_id(), username=username, password_hash="", disabled=False, created_at=uow.now)
        uow.session.add(user)
    user.name, user.roles = name, [str(role) for role in roles]
    uow.session.flush()
    uow.audit(action, username=username, roles=user.roles)
    return user


def end_sessions(uow: UnitOfWork, user: User, *kinds: str) -> None:
    """The user's sessions of these kinds are worth nothing from now on; of all kinds where none is named."""
    mine = [LoginSession.user_id == user.id, *([LoginSession.kind.in_(kinds)] if kinds else [])]
    uow.session.execute(sa.delete(LoginSession).where(*mine))


def _session_row(uow: UnitOfWork, user: User, kind: str, token: str, valid: timedelta) -> LoginSession:
    return LoginSession(
        token_hash=digest(token),
        user_id=user.id,
        kind=kind,
        created_at=uow.now,
        seen_at=uow.now,
        expires_at=uow.now + valid,
    )


def _reader(user: User) -> Reader:
    return Reader(user.id, user.username, user.name, tuple(Role(role) for role in user.roles))


@dataclass(frozen=True, slots=True)
class Sessions:
    """Log in, stay in, log out; and the second look at a password before a signature."""

    database: Database
    clock: Clock
    passwords: Passwords
    attempts: Attempts
    limits: SessionLimits

    def login(self, username: str, password: str, address: str) -> Login:
        """A new session. Raises NotAuthenticated (unknown user and wrong password alike), TooManyRequests."""
        self.attempts.count(username, address)
        with self.database.reading() as session:
            user = session.scalars(sa.select(User).where(User.username == username)).one_or_none()
        if not self.passwords.matches(_usable_hash(user), password) or user is None:
            self._audit("auth.login_failed", user, address)
            message = "User name or password is wrong."
            raise NotAuthenticated(message)
        self.attempts.forget(username, address)
        token = secrets.token_urlsafe(32)
        with unit_of_work(self.database, self.clock, f"user:{user.username}") as uow:
            uow.session.execute(sa.delete(LoginSession).where(LoginSession.expires_at <= uow.now))
            uow.session.add(_session_row(uow, user, BROWSER, token, self.limits.absolute))
            uow.audit("auth.login", address=address)
        return Login(token, csrf_of(token), _reader(user))

    def _audit(self, action: str, user: User | None, address: str) -> None:
        # A name that nobody has may be a password typed into the wrong field: it is not written down.
        with unit_of_work(self.database, self.clock, f"user:{user.username}" if user else "user:unknown") as uow:
            uow.audit(action, address=address)

    def logout(self, token: str, reader: Reader) -> None:
        """End the session; its cookie is worth nothing afterwards."""
        with unit_of_work(self.database, self.clock, actor(reader)) as uow:
            uow.session.execute(sa.delete(LoginSession).where(LoginSession.token_hash == digest(token)))
            uow.audit("auth.logout")

    def reader(self, token: str, kind: str, *, touch: bool = True) -> Reader:
        """Whose token this is; with `touch`, its use keeps the session from idling out. Raises NotAuthenticated."""
        with self.database.reading() as session:
            found = self._live(session, token, kind)
        if found is None:
            message = "The session or token is unknown or has expired; log in again."
            raise NotAuthenticated(message)
        held, user = found
        if touch and self.clock.now() - held.seen_at > TOUCH:
            with unit_of_work(self.database, self.clock) as uow:
                same = LoginSession.token_hash == held.token_hash
                uow.session.execute(sa.update(LoginSession).where(same).values(seen_at=uow.now))
        return _reader(user)

    def _live(self, session: Session, token: str, kind: str) -> tuple[LoginSession, User] | None:
        now = self.clock.now()
        query = (
            sa.select(LoginSession, User)
            .join(User, User.id == LoginSession.user_id)
            .where(LoginSession.token_hash == digest(token), LoginSession.kind == kind)
            .where(LoginSession.expires_at > now, sa.not_(User.disabled))
        )
        found = session.execute(query).one_or_none()
        idle = found is not None and kind == BROWSER and found[0].seen_at + self.limits.idle <= now
        return None if idle else found

    def confirm(self, reader: Reader, password: str, address: str) -> None:
        """Whether the reader still knows the password (21 CFR 11.200(a)). Raises PasswordRefused, TooManyRequests."""
        self._confirmed(reader, password, address, "signed")

    def _confirmed(self, reader: Reader, password: str, address: str, act: str) -> str:
        """The hash of the password that the reader still knows; act: what is not done otherwise."""
        self.attempts.count(reader.username, address)
        with self.database.reading() as session:
            user = session.get(User, reader.user_id)
        if not self.passwords.matches(_usable_hash(user), password):
            self._audit("auth.confirmation_failed", user, address)
            message = f"The password is not this user's; nothing was {act}. Enter it again."
            raise PasswordRefused(message)
        self.attempts.forget(reader.username, address)
        return _usable_hash(user)

    def change_password(self, reader: Reader, token: str, password: str, wanted: str, address: str) -> None:
        """A new password of the reader's own; his other sessions end, the one of this token goes on.

        Raises PasswordRefused, TooManyRequests, InvalidRequest for a short one, Conflict for a machine.
        """
        with self.database.reading() as session:
            if not session.get_one(User, reader.user_id).password_hash:
                message = f"{reader.username} is a machine, which has tokens and no password."
                raise Conflict(message)
        before = self._confirmed(reader, password, address, "changed")
        password_hash = self.passwords.hash(wanted)
        with unit_of_work(self.database, self.clock, actor(reader)) as uow:
            user = uow.session.get_one(User, reader.user_id, with_for_update=True)
            if user.password_hash != before:
                message = "The password was changed elsewhere meanwhile; log in again."
                raise Conflict(message)
            user.password_hash = password_hash
            others = (LoginSession.user_id == user.id, LoginSession.token_hash != digest(token))
            uow.session.execute(sa.delete(LoginSession).where(*others))
            uow.audit("auth.password_changed", address=address)


def _usable_hash(user: User | None) -> str:
    return user.password_hash if user is not None and not user.disabled else ""
