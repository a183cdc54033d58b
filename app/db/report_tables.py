"""Around a report: withdrawn wordings, critical findings, looks, kept texts and lists, remarks on drafts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.db.tables import Base
from app.domain.identifiers import new_id


class WithdrawnReport(Base):
    """What an unsigned report said when it was given up, or when another reader took over; its row may go on."""

    __tablename__ = "withdrawn_reports"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True, default=new_id)
    report_id: Mapped[str] = mapped_column(sa.ForeignKey("reports.id"), index=True)
    draft_id: Mapped[str | None] = mapped_column(sa.ForeignKey("drafts.id"))
    version: Mapped[int]
    findings: Mapped[str] = mapped_column(sa.Text)
    impression: Mapped[str] = mapped_column(sa.Text)
    sentences: Mapped[list[Any]]
    author_name: Mapped[str]
    reason: Mapped[str] = mapped_column(sa.Text)
    withdrawn_by: Mapped[str] = mapped_column(sa.ForeignKey("users.id"))
    withdrawn_at: Mapped[datetime]


class CriticalResult(Base):
    """That somebody was told of a critical finding: what, when, whom, how, and whether it was read back (ACR)."""

    __tablename__ = "critical_results"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True, default=new_id)
    report_id: Mapped[str] = mapped_column(sa.ForeignKey("reports.id"), index=True)
    finding: Mapped[str] = mapped_column(sa.Text)
    found_at: Mapped[datetime]
    told_to: Mapped[str]
    told_at: Mapped[datetime]
    method: Mapped[str] = mapped_column(sa.String(64))
    read_back: Mapped[bool]
    recorded_by: Mapped[str] = mapped_column(sa.ForeignKey("users.id"))
    recorded_name: Mapped[str]
    recorded_at: Mapped[datetime]


class CriticalFinding(Base):
    """A critical finding from the moment it was found to its outcome (closed_at None: open, told to nobody yet).

    due_at: until when somebody should be told. result_id: the communication that closed it; without one it was
    dropped, for drop_reason.
    """

    __tablename__ = "critical_findings"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True, default=new_id)
    report_id: Mapped[str] = mapped_column(sa.ForeignKey("reports.id"), index=True)
    finding: Mapped[str] = mapped_column(sa.Text)
    found_at: Mapped[datetime]
    due_at: Mapped[datetime]
    opened_by: Mapped[str] = mapped_column(sa.ForeignKey("users.id"))
    opened_name: Mapped[str]
    opened_at: Mapped[datetime]
    result_id: Mapped[str | None] = mapped_column(sa.ForeignKey("critical_results.id"))
    drop_reason: Mapped[str] = mapped_column(sa.Text, default="")
    closed_by: Mapped[str | None] = mapped_column(sa.ForeignKey("users.id"))
    closed_name: Mapped[str] = mapped_column(default="")
    closed_at: Mapped[datetime | None]


IS_OPEN = CriticalFinding.closed_at.is_(None)
"""Of a CriticalFinding: told to nobody yet, and not dropped."""


class ViewReceipt(Base):
    """That a reader was shown an image of a study, and when he said that he has looked (None: not yet)."""

    __tablename__ = "view_receipts"
    __table_args__ = (sa.UniqueConstraint("study_id", "user_id", "sop_instance_uid"),)

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True, default=new_id)
    study_id: Mapped[str] = mapped_column(sa.ForeignKey("studies.id"), index=True)
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("users.id"))
    sop_instance_uid: Mapped[str] = mapped_column(sa.String(64))
    viewed_at: Mapped[datetime]
    looked_at: Mapped[datetime | None]


class OwnText(Base):
    """That a reader saved text of his own in a report; revision: the latest image set for which he did."""

    __tablename__ = "own_texts"

    report_id: Mapped[str] = mapped_column(sa.ForeignKey("reports.id"), primary_key=True)
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("users.id"), primary_key=True)
    revision: Mapped[int]
    saved_at: Mapped[datetime]


class SavedText(Base):
    """A template or macro; owner_id: whose it is, None: the site's."""

    __tablename__ = "report_texts"
    __table_args__ = (
        sa.UniqueConstraint("owner_id", "shortcut"),
        sa.Index(  # no owner equals no other, so that the constraint above lets the site have one shortcut twice
            "uq_report_texts_site_shortcut",
            "shortcut",
            unique=True,
            sqlite_where=sa.text("owner_id IS NULL"),
            postgresql_where=sa.text("owner_id IS NULL"),
        ),
    )

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True, default=new_id)
    owner_id: Mapped[str | None] = mapped_column(sa.ForeignKey("users.id"))
    kind: Mapped[str] = mapped_column(sa.String(16))
    shortcut: Mapped[str] = mapped_column(sa.String(32))
    title: Mapped[str] = mapped_column(sa.String(128))
    findings: Mapped[str] = mapped_column(sa.Text, default="")
    impression: Mapped[str] = mapped_column(sa.Text, default="")
    text: Mapped[str] = mapped_column(sa.Text, default="")
    procedure_code: Mapped[str] = mapped_column(sa.String(64), default="")
    procedure_description: Mapped[str] = mapped_column(sa.String(128), default="")
    version: Mapped[int] = mapped_column(default=1)
    updated_at: Mapped[datetime]


class WorklistList(Base):
    """A worklist filter that a person keeps under a name; it may hold patient text."""

    __tablename__ = "worklist_lists"
    __table_args__ = (sa.UniqueConstraint("user_id", "name"),)

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True, default=new_id)
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(sa.String(64))
    filter: Mapped[dict[str, Any]]
    updated_at: Mapped[datetime]


class SentenceRegion(Base):
    """Where on the current film a sentence of a draft hangs, in shares of the image's display frame, 0 to 1."""

    __tablename__ = "sentence_regions"

    draft_id: Mapped[str] = mapped_column(sa.ForeignKey("drafts.id"), primary_key=True)
    sentence_index: Mapped[int] = mapped_column(primary_key=True)
    sop_instance_uid: Mapped[str] = mapped_column(sa.String(64))
    left_edge: Mapped[float]
    top_edge: Mapped[float]
    right_edge: Mapped[float]
    bottom_edge: Mapped[float]
    nats: Mapped[float]


class DraftRemark(Base):
    """What a reader holds against a draft, beside the weights that wrote it; sentence_index None: against all of it."""

    __tablename__ = "draft_remarks"

    id: Mapped[str] = mapped_column(sa.String(32), primary_key=True, default=new_id)
    draft_id: Mapped[str] = mapped_column(sa.ForeignKey("drafts.id"), index=True)
    study_id: Mapped[str] = mapped_column(sa.ForeignKey("studies.id"), index=True)
    user_id: Mapped[str] = mapped_column(sa.ForeignKey("users.id"))
    sentence_index: Mapped[int | None]
    kind: Mapped[str] = mapped_column(sa.String(16))
    note: Mapped[str] = mapped_column(sa.Text, default="")
    weights_digest: Mapped[str] = mapped_column(sa.String(64))
    given_at: Mapped[datetime] = mapped_column(index=True)
