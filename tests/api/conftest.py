"""A house on SQLite; on PostgreSQL too for what depends on the database's locks and order."""

from __future__ import annotations

import shutil

import pytest

from app.accounts.attempts import Attempts
from app.db import migrations
from app.db.session import Database
from app.gateways.object_store import LocalObjectStore
from app.gateways.pixel_child import ChildPixelReader
from app.main import ApiDeps, create_app
from tests.api.house import House, served
from tests.builders.reading import quick_passwords
from tests.fakes.clock import SetClock


@pytest.fixture(scope="session")
def pixels():
    reader = ChildPixelReader()
    yield reader
    reader.close()


@pytest.fixture(scope="session")
def empty_record(tmp_path_factory):
    path = tmp_path_factory.mktemp("record") / "empty.db"
    database = Database(f"sqlite:///{path}")
    migrations.upgrade(database)
    database.close()
    return path


def build(url, folder, pixels):
    database, clock, store = Database(url), SetClock(), LocalObjectStore(folder / "store")
    deps = ApiDeps(database, clock, store, pixels, lambda: True, min_free_ratio=0, web_dist=None)
    attempts = Attempts(lambda: clock.now().timestamp())
    return House(create_app(deps, quick_passwords(), attempts), database, clock, store)


def on_sqlite(empty_record, folder):
    return f"sqlite:///{shutil.copy(empty_record, folder / 'record.db')}"


def on_postgresql(url):
    database = Database(url)
    migrations.upgrade(database)
    database.close()
    return url


@pytest.fixture
def house(tmp_path, pixels, empty_record):
    house = build(on_sqlite(empty_record, tmp_path), tmp_path, pixels)
    yield house
    house.database.close()


@pytest.fixture
def address(house):
    """The API on a real socket: for foreign clients, and for streams, whose end no in-process client would see."""
    with served(house.app) as (_, url):
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def either_house(request, tmp_path, pixels):
    if request.param == "sqlite":
        url = on_sqlite(request.getfixturevalue("empty_record"), tmp_path)
    else:
        url = on_postgresql(request.getfixturevalue("postgres_url"))
    house = build(url, tmp_path, pixels)
    yield house
    house.database.close()
