"""Alembic's entry: runs on the connection that `upgrade` hands over."""

from __future__ import annotations

from alembic import context

from app.db import report_tables  # noqa: F401 - its tables join the metadata
from app.db.tables import Base

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Base.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
