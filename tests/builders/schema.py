"""The schema at another version than the code's."""

from __future__ import annotations

from collections.abc import Callable

from alembic.config import Config

from app.db import migrations
from app.db.session import Database


def migrate(database: Database, step: Callable[[Config, str], None], version: str) -> None:
    """`step` (alembic's upgrade or downgrade) to a version."""
    config = migrations._config()
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        step(config, version)
