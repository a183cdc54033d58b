"""The API over a real database, and readers who are logged in over HTTP."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.testclient import TestClient

from app.access import Role
from app.accounts.handlers import Accounts
from app.db.session import Database, unit_of_work
from app.db.tables import AuditRow, Study, User
from app.gateways.object_store import LocalObjectStore
from app.main import API, ApiServer, server
from tests.builders.reading import PASSWORD, add_person, quick_passwords
from tests.fakes.clock import SetClock


@contextmanager
def served(app: FastAPI) -> Iterator[tuple[ApiServer, str]]:
    """The application on a real socket: the server and its address; it is told to stop, and waited for, at the end."""
    running = server(app, "127.0.0.1", 0)
    thread = threading.Thread(target=running.run)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    try:
        yield running, f"http://127.0.0.1:{running.servers[0].sockets[0].getsockname()[1]}"
    finally:
        running.should_exit = True
        thread.join()


@dataclass
class House:
    """One API process and what it stands on."""

    app: FastAPI
    database: Database
    clock: SetClock
    store: LocalObjectStore
    _people: dict[str, str] = field(default_factory=dict)

    def visitor(self) -> TestClient:
        """Somebody who is not logged in."""
        client = TestClient(self.app, base_url="http://testserver", raise_server_exceptions=False)
        client.event_hooks = {"response": [self._must_be_documented]}
        return client

    def _must_be_documented(self, answer: Any) -> None:
        """Whatever a test does, the contract must know the answer."""
        path = answer.request.url.path
        if not path.startswith(API):
            return
        for route in self.app.routes:
            if isinstance(route, APIRoute) and route.path_regex.match(path) and answer.request.method in route.methods:
                known = self.app.openapi()["paths"][route.path][answer.request.method.lower()]["responses"]
                assert str(answer.status_code) in known, f"{answer.request.method} {route.path}: {answer.status_code}"
                return

    def reader(self, username: str = "ada", *roles: Role) -> TestClient:
        """Somebody who is (a radiologist unless said otherwise); unsafe calls carry the CSRF token."""
        if username not in self._people:
            self._people[username] = add_person(self.database, self.clock, username, *(roles or (Role.RADIOLOGIST,)))
        client = self.visitor()
        answer = client.post("/api/v1/auth/login", json={"username": username, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
        return client

    def machine(self, name: str = "ris", role: Role = Role.RIS) -> TestClient:
        """A system with a service token."""
        client = self.visitor()
        token = Accounts(self.database, self.clock, quick_passwords()).create_token(name, [role])
        client.headers["Authorization"] = f"Bearer {token}"
        return client

    def audited(self, action: str = "") -> list[AuditRow]:
        """The audit entries of an action, in order."""
        query = sa.select(AuditRow).order_by(AuditRow.seq)
        with self.database.reading() as session:
            return list(session.scalars(query.where(AuditRow.action == action) if action else query))

    def study(self, study_id: str) -> Study:
        """As it stands in the record now."""
        with self.database.reading() as session:
            return session.get_one(Study, study_id)

    def change_roles(self, username: str, *roles: Role) -> None:
        """As an administrator would, while the person is logged in."""
        with unit_of_work(self.database, self.clock) as uow:
            same = User.username == username
            uow.session.execute(sa.update(User).where(same).values(roles=[str(role) for role in roles]))
