"""What became of a report besides its text: withdrawn wordings, and who was told of a critical finding."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.db.tables import Base
from app.domain.identifiers import new_id


class WithdrawnReport(Base):
    """What an unsigned report said when it was given up; the report's row may begin anew after that."""

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
