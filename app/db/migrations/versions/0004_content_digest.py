"""Objects are told apart by a content digest that is no longer SHA-256 (decision 0014)."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    for table in ("instances", "quarantine"):
        with op.batch_alter_table(table) as batch:
            batch.alter_column("sha256", new_column_name="digest")


def downgrade() -> None:
    """Back."""
    for table in ("instances", "quarantine"):
        with op.batch_alter_table(table) as batch:
            batch.alter_column("digest", new_column_name="sha256")
