"""The desk on an embedded database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.db import migrations
from app.db.session import Database
from tests.drafting.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    database = Database(f"sqlite:///{tmp_path}/record.db")
    migrations.upgrade(database)
    yield Desk(database, tmp_path)
    database.close()
