"""Schema versions (Alembic), run by `unirg db upgrade` and at the start of the embedded service."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from app.db.session import Database

HERE = Path(__file__).parent
LOCK_KEY = 7_041_853_266  # pg_advisory_lock: one process migrates at a time


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE))
    return config


def upgrade(database: Database) -> None:
    """Bring the schema to the newest version; safe to call from several processes at once."""
    config = _config()
    with database.engine.begin() as connection:
        if not database.is_sqlite:  # SQLite: BEGIN IMMEDIATE already excludes others
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK_KEY})")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def is_current(database: Database) -> bool:
    """Whether the schema is at the version this code was written for."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() == head
