"""Which studies a worklist shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.access import Reader
from app.db.tables import Draft, ReadingLock, Report, Study
from app.domain.report import ReportStatus
from app.domain.study import Stage
from app.review.critical_schemas import CriticalState
from app.review.critical_views import first_due, was_told
from app.review.worklist_order import RANK, RANKS
from app.review.worklist_schemas import Urgency


class Held(StrEnum):
    """locked: by anybody. mine: by the asker, or with a report that the asker began and did not sign."""

    UNLOCKED = "unlocked"
    LOCKED = "locked"
    MINE = "mine"


@dataclass(frozen=True, slots=True)
class Filter:
    """Empty and None: all. q: part of the patient's name or ID, or of the accession number.

    flagged: by the current draft; one that is withheld from the asker counts as one without flags.
    """

    states: tuple[Stage, ...] = ()
    priorities: tuple[str, ...] = ()
    urgencies: tuple[Urgency, ...] = ()
    studies: tuple[str, ...] = ()
    held: Held | None = None
    critical: bool | None = None
    critical_states: tuple[CriticalState, ...] = ()
    flagged: bool | None = None
    received_within: timedelta | None = None
    q: str | None = None

    def clauses(
        self, session: Session, now: datetime, reader: Reader, shown: sa.ColumnElement[bool]
    ) -> list[sa.ColumnElement[bool]]:
        """For a WHERE. shown: of a Draft, whether the reader may know its flags."""
        return [*self._of_the_study(now), *self._of_what_hangs_on_it(session, now, reader, shown)]

    def _of_the_study(self, now: datetime) -> Iterator[sa.ColumnElement[bool]]:
        if self.states:
            yield Study.stage.in_(self.states)
        if self.priorities:
            yield Study.priority.in_([name.upper() for name in self.priorities])
        if self.urgencies:
            yield RANK.in_([RANKS[urgency] for urgency in self.urgencies])
        if self.studies:
            yield Study.study_instance_uid.in_(self.studies)
        if self.received_within is not None:
            yield Study.received_at >= now - self.received_within
        if self.q:
            places = (Study.patient_name, Study.patient_id, Study.accession_number)
            yield sa.or_(*(place.icontains(self.q, autoescape=True) for place in places))

    def _of_what_hangs_on_it(
        self, session: Session, now: datetime, reader: Reader, shown: sa.ColumnElement[bool]
    ) -> Iterator[sa.ColumnElement[bool]]:
        if self.held is not None:
            yield _held(self.held, now, reader)
        if self.critical is not None:
            there = _critical(tuple(CriticalState), now)
            yield there if self.critical else sa.not_(there)
        if self.critical_states:
            yield _critical(self.critical_states, now)
        if self.flagged is not None:
            current = sa.exists().where(Draft.id == Study.current_draft_id, shown, flag_count(session) > 0)
            yield current if self.flagged else sa.not_(current)


def _held(held: Held, now: datetime, reader: Reader) -> sa.ColumnElement[bool]:
    lock = sa.exists().where(ReadingLock.study_id == Study.id, ReadingLock.expires_at > now)
    if held is Held.UNLOCKED:
        return sa.not_(lock)
    if held is Held.LOCKED:
        return lock
    begun = (Report.status == ReportStatus.PRELIMINARY, Report.author_id == reader.user_id)
    return sa.or_(
        lock.where(ReadingLock.user_id == reader.user_id),
        sa.exists().where(Report.study_id == Study.id, *begun),
    )


def _critical(states: tuple[CriticalState, ...], now: datetime) -> sa.ColumnElement[bool]:
    due = first_due()
    found = {
        CriticalState.OVERDUE: due <= now,
        CriticalState.OPEN: due > now,
        CriticalState.TOLD: sa.and_(due.is_(None), was_told().correlate(Report)),
    }
    return sa.exists().where(Report.study_id == Study.id, sa.or_(*(found[state] for state in states)))


def flag_count(session: Session) -> sa.ScalarSelect[Any]:
    """How many flags the sentences of a Draft of the enclosing query have."""
    if session.get_bind().dialect.name == "postgresql":
        each = sa.func.json_array_elements(Draft.sentences).table_valued(sa.column("value", sa.JSON))
        flags = sa.func.json_array_length(each.c.value["flags"])
    else:
        each = sa.func.json_each(Draft.sentences).table_valued("value")
        flags = sa.func.json_array_length(each.c.value, "$.flags")
    return sa.select(sa.func.coalesce(sa.func.sum(flags), 0)).select_from(each).correlate(Draft).scalar_subquery()
