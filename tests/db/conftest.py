"""A fresh database on each of the two kinds."""

from __future__ import annotations

import pytest

from app.db import migrations
from app.db.session import Database


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    url = f"sqlite:///{tmp_path}/record.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    database = Database(url)
    migrations.upgrade(database)
    yield database
    database.close()
