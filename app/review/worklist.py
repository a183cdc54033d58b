"""The worklist, page by page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.access import Reader
from app.db.tables import Draft, Instance, ReadingLock, Report, Study
from app.domain.identifiers import DOCUMENT_CLASSES
from app.domain.reading import ReadingModes
from app.domain.report import ReportStatus
from app.domain.study import Stage
from app.errors import InvalidRequest
from app.review.critical_views import critical_state, first_due, was_told
from app.review.patients import patient_out
from app.review.withheld import is_shown
from app.review.worklist_filter import Filter, flag_count
from app.review.worklist_order import Direction, Place, Sort, due_at, stretches, urgency
from app.review.worklist_schemas import DraftStatus, WorklistCounts, WorklistItem, WorklistLock, WorklistPage

NO_DRAFT_COMES = (Stage.DRAFT_UNAVAILABLE, Stage.NOT_ELIGIBLE, Stage.FAILED)


class Worklist:
    """What one reader sees of it at one moment; modes: whose drafts are withheld from him, and until when."""

    def __init__(self, session: Session, now: datetime, reader: Reader, modes: ReadingModes) -> None:
        self.session, self.now, self.reader = session, now, reader
        self._shown = is_shown(modes, reader)

    def page(
        self, wanted: Filter, sort: Sort, direction: Direction, cursor: str | None, limit: int
    ) -> tuple[WorklistPage, list[str]]:
        """One page of at most `limit` studies, and their row ids for the audit. Raises InvalidRequest."""
        place = self._place(sort, direction, cursor) if cursor else None
        rows: list[tuple[Study, Place]] = []
        for number, stretch in enumerate(stretches(self.session, sort, direction)):
            left = limit + 1 - len(rows)
            if left == 0 or (place and number < place.stretch):
                continue
            clauses = wanted.clauses(self.session, self.now, self.reader, self._shown)
            query = sa.select(Study, *stretch.key).where(stretch.where, *clauses)
            if place and number == place.stretch:
                query = query.where(stretch.beyond(place.key))
            found = self.session.execute(query.order_by(*stretch.ordering()).limit(left))
            rows += [(study, Place(sort, direction, number, tuple(key))) for study, *key in found]
        shown = [study for study, _ in rows[:limit]]
        more = rows[limit - 1][1].cursor() if len(rows) > limit else None
        page = WorklistPage(items=self._items(shown), next_cursor=more, as_of=self.now)
        return page, [study.id for study in shown]

    def _place(self, sort: Sort, direction: Direction, cursor: str) -> Place:
        place = Place.read(self.session, cursor)
        if (place.sort, place.direction) != (sort, direction):
            message = "The cursor belongs to another order; start again without it."
            raise InvalidRequest(message)
        return place

    def _items(self, studies: Sequence[Study]) -> list[WorklistItem]:
        ids = [study.id for study in studies]
        about = {row.id: row for row in self.session.execute(self._about(ids))}
        modalities, senders = self._origins(ids)
        return [
            self._item(study, about[study.id], sorted(modalities[study.id]), sorted(senders[study.id]))
            for study in studies
        ]

    def _about(self, ids: Sequence[str]) -> sa.Select[Any]:
        flags = sa.case((Draft.id.is_(None), 0), (self._shown, flag_count(self.session)), else_=None)
        held = sa.and_(ReadingLock.study_id == Study.id, ReadingLock.expires_at > self.now)
        columns: tuple[Any, ...] = (
            Study.id,
            ReadingLock.owner,
            ReadingLock.user_id,
            ReadingLock.expires_at,
            Report.status,
            Report.author_id,
            Report.signed_at,
            was_told().label("critical_told"),
            first_due().label("critical_due_at"),
            Draft.stale,
            flags.label("flags"),
        )
        return (
            sa.select(*columns)
            .outerjoin(ReadingLock, held)
            .outerjoin(Report, Report.study_id == Study.id)
            .outerjoin(Draft, Draft.id == Study.current_draft_id)
            .where(Study.id.in_(ids))
        )

    def _origins(self, ids: Sequence[str]) -> tuple[defaultdict[str, set[str]], defaultdict[str, set[str]]]:
        modalities: defaultdict[str, set[str]] = defaultdict(set)
        senders: defaultdict[str, set[str]] = defaultdict(set)
        radiographs = sa.not_(Instance.sop_class_uid.startswith(DOCUMENT_CLASSES))
        query = sa.select(Instance.study_id, Instance.modality, Instance.calling_ae).distinct()
        for study_id, modality, sender in self.session.execute(query.where(Instance.study_id.in_(ids), radiographs)):
            modalities[study_id] |= {modality} - {""}
            senders[study_id] |= {sender} - {""}
        return modalities, senders

    def _item(self, study: Study, about: Any, modalities: list[str], sent_by: list[str]) -> WorklistItem:
        lock = None
        if about.owner is not None:
            mine = about.user_id == self.reader.user_id
            lock = WorklistLock(owner=about.owner, mine=mine, expires_at=about.expires_at)
        urgent, critical = urgency(study.priority), critical_state(about.critical_told, about.critical_due_at, self.now)
        begun = about.status is not None and about.status != ReportStatus.CANCELLED
        return WorklistItem(
            study_instance_uid=study.study_instance_uid,
            accession_number=study.accession_number or None,
            patient=patient_out(study),
            study_date=study.study_date or None,
            description=study.description or None,
            modalities=modalities,
            sent_by=sent_by,
            state=study.stage,
            reason=study.reason or None,
            priority=study.priority,
            urgency=urgent,
            received_at=study.received_at,
            due_at=due_at(study.received_at, urgent),
            draft_status=draft_status(study.stage, about.stale),
            flags=about.flags,
            critical=critical is not None,
            critical_state=critical,
            critical_due_at=about.critical_due_at,
            lock=lock,
            report_status=ReportStatus(about.status) if begun else None,
            report_mine=begun and about.author_id == self.reader.user_id,
            signed_at=about.signed_at,
        )


def draft_status(stage: Stage, stale: bool | None) -> DraftStatus:
    """stale: of the current draft; None where there is none."""
    if stage is Stage.DRAFTING:
        return DraftStatus.DRAFTING
    if stale is False:
        return DraftStatus.READY
    if stage in NO_DRAFT_COMES:
        return DraftStatus.UNAVAILABLE
    return DraftStatus.STALE if stale else DraftStatus.NONE


def counts(session: Session) -> WorklistCounts:
    """Of all studies; one query."""
    found = dict(session.execute(sa.select(Study.stage, sa.func.count()).group_by(Study.stage)).all())
    return WorklistCounts(states={stage: found.get(stage, 0) for stage in Stage})
