"""Critical findings that nobody was told of yet."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Forward. What was recorded before had somebody told: nothing of it is open."""
    op.create_table(
        "critical_findings",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("report_id", sa.String(length=32), nullable=False),
        sa.Column("finding", sa.Text(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("opened_by", sa.String(length=32), nullable=False),
        sa.Column("opened_name", sa.String(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("result_id", sa.String(length=32), nullable=True),
        sa.Column("drop_reason", sa.Text(), nullable=False),
        sa.Column("closed_by", sa.String(length=32), nullable=True),
        sa.Column("closed_name", sa.String(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["report_id"], ["reports.id"], name=op.f("fk_critical_findings_report_id")),
        sa.ForeignKeyConstraint(["opened_by"], ["users.id"], name=op.f("fk_critical_findings_opened_by")),
        sa.ForeignKeyConstraint(["result_id"], ["critical_results.id"], name=op.f("fk_critical_findings_result_id")),
        sa.ForeignKeyConstraint(["closed_by"], ["users.id"], name=op.f("fk_critical_findings_closed_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_critical_findings")),
    )
    op.create_index(op.f("ix_critical_findings_report_id"), "critical_findings", ["report_id"], unique=False)


def downgrade() -> None:
    """Back."""
    op.drop_table("critical_findings")
