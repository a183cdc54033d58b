"""Entries by study and actor, in order."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.audit.schemas import AuditEntryOut, AuditPage
from app.db.tables import AuditRow, Study


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries; None: all. study: StudyInstanceUID; actor: as the chain names it, e.g. user:ada."""

    study: str | None
    actor: str | None
    after: int


def page(session: Session, wanted: Wanted, limit: int) -> AuditPage:
    """At most `limit` entries behind number `after`."""
    query = (
        sa.select(AuditRow, Study.study_instance_uid)
        .join(Study, Study.id == AuditRow.study_id, isouter=True)
        .where(AuditRow.seq > wanted.after)
        .order_by(AuditRow.seq)
        .limit(limit + 1)
    )
    if wanted.study is not None:
        query = query.where(Study.study_instance_uid == wanted.study)
    if wanted.actor is not None:
        query = query.where(AuditRow.actor == wanted.actor)
    found = [_entry(row, uid) for row, uid in session.execute(query)]
    shown = found[:limit]
    return AuditPage(items=shown, next=shown[-1].seq if len(found) > limit else None)


def _entry(row: AuditRow, study_instance_uid: str | None) -> AuditEntryOut:
    return AuditEntryOut(
        seq=row.seq,
        at=row.at,
        actor=row.actor,
        action=row.action,
        study_instance_uid=study_instance_uid,
        detail=row.detail,
        hash=row.hash,
    )
