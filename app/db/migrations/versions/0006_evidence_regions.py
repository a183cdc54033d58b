"""Where on the film the sentences of a draft hang."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward. Drafts that exist were written without looking for regions."""
    op.add_column("drafts", sa.Column("evidence", sa.String(length=32), nullable=False, server_default=""))
    op.create_table(
        "sentence_regions",
        sa.Column("draft_id", sa.String(length=32), nullable=False),
        sa.Column("sentence_index", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("sop_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("left_edge", sa.Double(), nullable=False),
        sa.Column("top_edge", sa.Double(), nullable=False),
        sa.Column("right_edge", sa.Double(), nullable=False),
        sa.Column("bottom_edge", sa.Double(), nullable=False),
        sa.Column("nats", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["draft_id"], ["drafts.id"], name=op.f("fk_sentence_regions_draft_id")),
        sa.PrimaryKeyConstraint("draft_id", "sentence_index", name=op.f("pk_sentence_regions")),
    )


def downgrade() -> None:
    """Back."""
    op.drop_table("sentence_regions")
    op.drop_column("drafts", "evidence")  # a batch would drop the table that others refer to
