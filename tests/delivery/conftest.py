"""A record, a clock and a store for deliveries."""

from __future__ import annotations

import pytest

from app.db import migrations
from app.db.session import Database
from app.gateways.object_store import LocalObjectStore
from tests.fakes.clock import SetClock


@pytest.fixture
def clock():
    return SetClock()


@pytest.fixture
def database(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/record.db")
    migrations.upgrade(database)
    yield database
    database.close()


@pytest.fixture
def store(tmp_path):
    return LocalObjectStore(tmp_path / "store")
