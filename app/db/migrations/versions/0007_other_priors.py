"""Earlier studies that a reader may have shown beside, or instead of, the one that the search chose."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

USABLE = (
    "relevant, but older than the prior that was chosen%",
    "not looked into: %",
    "it could not be fetched: %",
)
"""How ledgers that exist say that nothing spoke against an entry; whoever asks for it has it verified first."""


def upgrade() -> None:
    """Forward."""
    for column in (
        sa.Column("standing", sa.String(length=16), nullable=False, server_default="unfit"),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fetch_failure", sa.String(), nullable=False, server_default=""),
    ):
        op.add_column("prior_entries", column)
    entries = sa.table("prior_entries", sa.column("standing"), sa.column("decision"), sa.column("reason"))
    usable = sa.or_(entries.c.decision == "chosen", *(entries.c.reason.like(words) for words in USABLE))
    op.execute(entries.update().where(usable).values(standing="usable"))


def downgrade() -> None:
    """Back: the images of what readers asked for go with the columns that say so."""
    op.execute("DELETE FROM prior_images WHERE entry_id IN (SELECT id FROM prior_entries WHERE decision <> 'chosen')")
    for column in ("fetch_failure", "fetched_at", "standing"):
        op.drop_column("prior_entries", column)  # a batch would drop the table that the images refer to
