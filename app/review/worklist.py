"""The worklist: open studies by priority and age, then the signed ones, latest first."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.db.tables import Draft, ReadingLock, Report, Study
from app.domain.report import ReportStatus
from app.domain.study import Stage
from app.errors import InvalidRequest
from app.review.patients import patient_out
from app.review.schemas import LockOwner, WorklistItem, WorklistPage

FINISHED = (Stage.SIGNED, Stage.DELIVERED)
RANKS = {"STAT": 0, "ASAP": 1, "URGENT": 1, "HIGH": 1, "MEDIUM": 2, "ROUTINE": 2, "LOW": 3}
"""Lower is read first; (0040,1003) in modality worklists, OBR-27 in orders. What is not named here is routine."""
RANK = sa.case(RANKS, value=Study.priority, else_=RANKS["ROUTINE"])


@dataclass(frozen=True, slots=True)
class Filter:
    """Which studies; None: all. q: part of the patient's name or ID, or of the accession number."""

    state: Stage | None = None
    priority: str | None = None
    q: str | None = None

    def clauses(self) -> list[sa.ColumnElement[bool]]:
        """For a WHERE."""
        clauses: list[sa.ColumnElement[bool]] = []
        if self.state is not None:
            clauses.append(Study.stage == self.state)
        if self.priority:
            clauses.append(Study.priority == self.priority.upper())
        if self.q:
            places = (Study.patient_name, Study.patient_id, Study.accession_number)
            clauses.append(sa.or_(*(place.icontains(self.q, autoescape=True) for place in places)))
        return clauses


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ends: the sort key of its last study, opaque to clients."""

    finished: bool
    rank: int
    received_at: datetime
    study_id: str

    def cursor(self) -> str:
        """As clients carry it."""
        facts = [int(self.finished), self.rank, self.received_at.isoformat(), self.study_id]
        return base64.urlsafe_b64encode(json.dumps(facts, separators=(",", ":")).encode()).decode()

    @staticmethod
    def read(cursor: str) -> Place:
        """Raises InvalidRequest for anything but a cursor of ours."""
        try:
            finished, rank, received_at, study_id = json.loads(base64.urlsafe_b64decode(cursor))
            return Place(bool(finished), int(rank), datetime.fromisoformat(received_at), str(study_id))
        except (ValueError, TypeError, binascii.Error):
            message = "The cursor is not one of this service; start again without it."
            raise InvalidRequest(message) from None


def page(
    session: Session, now: datetime, wanted: Filter, cursor: str | None, limit: int
) -> tuple[WorklistPage, list[str]]:
    """One page of at most `limit` studies, and their row ids for the audit. Raises InvalidRequest."""
    after = Place.read(cursor) if cursor else None
    studies = _open(session, wanted, after, limit + 1) if after is None or not after.finished else []
    if len(studies) <= limit:
        last = after if after is not None and after.finished else None
        studies += _finished(session, wanted, last, limit + 1 - len(studies))
    shown = studies[:limit]
    more = _place(shown[-1]).cursor() if len(studies) > limit else None
    return WorklistPage(items=_items(session, now, shown), next_cursor=more), [study.id for study in shown]


def _place(study: Study) -> Place:
    rank = RANKS.get(study.priority, RANKS["ROUTINE"])
    return Place(study.stage in FINISHED, rank, study.received_at, study.id)


def _open(session: Session, wanted: Filter, after: Place | None, limit: int) -> list[Study]:
    query = sa.select(Study).where(Study.stage.not_in(FINISHED), *wanted.clauses())
    if after is not None:
        query = query.where(sa.tuple_(RANK, Study.received_at, Study.id) > _key(after.rank, after))
    return list(session.scalars(query.order_by(RANK, Study.received_at, Study.id).limit(limit)))


def _finished(session: Session, wanted: Filter, after: Place | None, limit: int) -> list[Study]:
    query = sa.select(Study).where(Study.stage.in_(FINISHED), *wanted.clauses())
    if after is not None:
        query = query.where(sa.tuple_(Study.received_at, Study.id) < _key(None, after))
    return list(session.scalars(query.order_by(Study.received_at.desc(), Study.id.desc()).limit(limit)))


def _key(rank: int | None, after: Place) -> Any:
    at = sa.literal(after.received_at, Study.received_at.type)
    values = (at, sa.literal(after.study_id))
    return sa.tuple_(*values) if rank is None else sa.tuple_(sa.literal(rank), *values)


def _items(session: Session, now: datetime, studies: Sequence[Study]) -> list[WorklistItem]:
    ids = [study.id for study in studies]
    held = sa.select(ReadingLock.study_id, ReadingLock.owner)
    locks = dict(session.execute(held.where(ReadingLock.study_id.in_(ids), ReadingLock.expires_at > now)).all())
    written = sa.select(Report.study_id, Report.status)
    kept = Report.status != ReportStatus.CANCELLED
    reports = dict(session.execute(written.where(Report.study_id.in_(ids), kept)).all())
    drafts = [study.current_draft_id for study in studies if study.current_draft_id]
    drafted = sa.select(Draft.study_id, Draft.sentences)
    sentences: dict[str, list[Any]] = dict(session.execute(drafted.where(Draft.id.in_(drafts))).all())
    return [_item(study, locks.get(study.id), sentences.get(study.id, []), reports.get(study.id)) for study in studies]


def _item(study: Study, owner: str | None, sentences: Sequence[Any], status: str | None) -> WorklistItem:
    return WorklistItem(
        study_instance_uid=study.study_instance_uid,
        accession_number=study.accession_number or None,
        patient=patient_out(study),
        study_date=study.study_date or None,
        description=study.description or None,
        state=study.stage,
        reason=study.reason or None,
        priority=study.priority,
        received_at=study.received_at,
        lock=LockOwner(owner=owner) if owner else None,
        flags=sum(len(sentence["flags"]) for sentence in sentences),
        report_status=ReportStatus(status) if status else None,
    )
