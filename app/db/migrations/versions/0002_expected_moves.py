"""Studies that we asked an archive to send us."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward."""
    op.create_table(
        "expected_moves",
        sa.Column("study_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("study_instance_uid", name=op.f("pk_expected_moves")),
    )


def downgrade() -> None:
    """Back."""
    op.drop_table("expected_moves")
