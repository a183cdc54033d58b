"""Reading modes with their receipts, templates and macros, saved lists, remarks on drafts."""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

NORMAL = {
    "findings": "The heart and mediastinum are normal. The lungs are clear. There is no pleural effusion and no "
    "pneumothorax. The visible bones are intact.",
    "impression": "No acute cardiopulmonary abnormality.",
}


def upgrade() -> None:
    """Forward. Reports that exist were begun with the draft first."""
    op.add_column("reports", sa.Column("draft_revision", sa.Integer(), nullable=True))
    mode = sa.Column("reading_mode", sa.String(length=16), nullable=False, server_default="draft-first")
    op.add_column("reports", mode)
    op.execute("UPDATE reports SET draft_revision = (SELECT revision FROM drafts WHERE drafts.id = reports.draft_id)")
    _create_looks()
    _create_texts()
    _create_lists_and_remarks()
    _keep_normal_chest()


def _create_looks() -> None:
    op.create_table(
        "view_receipts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("study_id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("sop_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("viewed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_view_receipts_study_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_view_receipts_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_view_receipts")),
        sa.UniqueConstraint(
            "study_id", "user_id", "sop_instance_uid", name=op.f("uq_view_receipts_study_id_user_id_sop_instance_uid")
        ),
    )
    op.create_index(op.f("ix_view_receipts_study_id"), "view_receipts", ["study_id"], unique=False)
    op.create_table(
        "own_texts",
        sa.Column("report_id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["report_id"], ["reports.id"], name=op.f("fk_own_texts_report_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_own_texts_user_id")),
        sa.PrimaryKeyConstraint("report_id", "user_id", name=op.f("pk_own_texts")),
    )


def _create_texts() -> None:
    op.create_table(
        "report_texts",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("owner_id", sa.String(length=32), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("shortcut", sa.String(length=32), nullable=False),
        sa.Column("title", sa.String(length=128), nullable=False),
        sa.Column("findings", sa.Text(), nullable=False),
        sa.Column("impression", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("procedure_code", sa.String(length=64), nullable=False),
        sa.Column("procedure_description", sa.String(length=128), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"], name=op.f("fk_report_texts_owner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report_texts")),
        sa.UniqueConstraint("owner_id", "shortcut", name=op.f("uq_report_texts_owner_id_shortcut")),
    )
    op.create_index(
        "uq_report_texts_site_shortcut",
        "report_texts",
        ["shortcut"],
        unique=True,
        sqlite_where=sa.text("owner_id IS NULL"),
        postgresql_where=sa.text("owner_id IS NULL"),
    )


def _create_lists_and_remarks() -> None:
    op.create_table(
        "worklist_lists",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("filter", sa.JSON(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_worklist_lists_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worklist_lists")),
        sa.UniqueConstraint("user_id", "name", name=op.f("uq_worklist_lists_user_id_name")),
    )
    op.create_table(
        "draft_remarks",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("draft_id", sa.String(length=32), nullable=False),
        sa.Column("study_id", sa.String(length=32), nullable=False),
        sa.Column("user_id", sa.String(length=32), nullable=False),
        sa.Column("sentence_index", sa.Integer(), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("weights_digest", sa.String(length=64), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["draft_id"], ["drafts.id"], name=op.f("fk_draft_remarks_draft_id")),
        sa.ForeignKeyConstraint(["study_id"], ["studies.id"], name=op.f("fk_draft_remarks_study_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_draft_remarks_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_draft_remarks")),
    )
    for column in ("draft_id", "study_id", "given_at"):
        op.create_index(op.f(f"ix_draft_remarks_{column}"), "draft_remarks", [column], unique=False)


def _keep_normal_chest() -> None:
    """A first template and macro of the site, to be reworded or removed: what a reader, and only he, inserts."""
    insert = sa.text(
        "INSERT INTO report_texts (id, kind, shortcut, title, findings, impression, text, procedure_code, "
        "procedure_description, version, updated_at) VALUES (:id, :kind, :shortcut, 'Normal chest', :findings, "
        ":impression, :text, '', '', 1, CURRENT_TIMESTAMP)"
    )
    blank = {"findings": "", "impression": "", "text": ""}
    for kind, shortcut, said in (
        ("template", "normal-chest", NORMAL),
        ("macro", "nc", {"text": NORMAL["findings"]}),
    ):
        op.execute(insert.bindparams(id=uuid.uuid4().hex, kind=kind, shortcut=shortcut, **{**blank, **said}))


def downgrade() -> None:
    """Back."""
    for table in ("draft_remarks", "worklist_lists", "report_texts", "own_texts", "view_receipts"):
        op.drop_table(table)
    op.drop_column("reports", "reading_mode")  # a batch would drop the table that others refer to
    op.drop_column("reports", "draft_revision")
