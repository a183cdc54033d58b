"""A temporary PostgreSQL cluster for the whole run, a fresh database for each test."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.peers.presence import give_up, program, require
from tests.peers.process import Server, free_port

SUPERUSER = "unirg"


def unprivileged_owner() -> tuple[int, int] | None:
    """(uid, gid) to run PostgreSQL as: it refuses to run as root. None when we are not root ourselves."""
    if os.geteuid() != 0:
        return None
    accounts = {entry.pw_name: (entry.pw_uid, entry.pw_gid) for entry in pwd.getpwall()}
    owner = accounts.get("postgres") or accounts.get("nobody")
    if owner is None:
        give_up("postgres", "running as root and neither user postgres nor nobody exists to run the server as")
    return owner


class Postgres:
    """One cluster on a free loopback port, trust authentication, durable settings as shipped."""

    def __init__(self, folder: Path) -> None:
        """folder: a directory that the unprivileged user can reach; the cluster goes below it."""
        self.port = free_port()
        self.folder, self._owner, self._numbers = folder, unprivileged_owner(), itertools.count(1)
        self.server = Server(
            [
                *(program("postgres"), "-D", folder / "data", "-p", str(self.port)),
                *("-c", "listen_addresses=127.0.0.1", "-c", f"unix_socket_directories={folder}"),
                *("-c", "max_connections=200"),
            ],
            folder / "postgres.log",
            cwd=folder,
            owner=self._owner,
        )

    def create(self) -> None:
        """Initialise the cluster; raises CalledProcessError with initdb's words."""
        if self._owner is not None:
            os.chown(self.folder, *self._owner)
        as_owner = {} if self._owner is None else {"user": self._owner[0], "group": self._owner[1], "extra_groups": []}
        subprocess.run(
            [
                *(program("initdb"), "-D", str(self.folder / "data"), "-U", SUPERUSER, "-A", "trust"),
                *("-E", "UTF8", "--locale=C.UTF-8", "--no-sync"),
            ],
            check=True,
            capture_output=True,
            cwd=self.folder,
            **as_owner,  # type: ignore[call-overload]
        )

    def start(self) -> None:
        """Start, or start again after a kill, and wait until it accepts queries."""
        self.server.start(self._answers)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.dsn("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def dsn(self, database: str) -> str:
        """libpq address of a database."""
        return f"postgresql://{SUPERUSER}@127.0.0.1:{self.port}/{database}"

    def fresh_database(self) -> str:
        """Create an empty database; returns its SQLAlchemy URL."""
        name = f"test_{next(self._numbers)}"
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.dsn(name).replace("postgresql://", "postgresql+psycopg://", 1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """The run's PostgreSQL cluster."""
    require("postgres")
    # Not pytest's own temporary folder: that is 0700 and root's, and the server runs as another user.
    folder = Path(tempfile.mkdtemp(prefix="unirg-postgres-"))
    cluster = Postgres(folder)
    try:
        cluster.create()
        cluster.start()
        yield cluster
    finally:
        cluster.server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: Postgres) -> str:
    """``postgresql+psycopg://`` URL of an empty database of this test's own."""
    return postgres_server.fresh_database()
