"""The orders a worklist can have, each total, and the place in one where a page ended."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.db.tables import Study
from app.domain.study import Stage
from app.errors import InvalidRequest
from app.review.worklist_schemas import Urgency

FINISHED = (Stage.SIGNED, Stage.DELIVERED)
OPEN = tuple(stage for stage in Stage if stage not in FINISHED)
URGENCIES: Mapping[str, Urgency] = MappingProxyType(
    {
        "STAT": Urgency.STAT,
        "ASAP": Urgency.URGENT,
        "URGENT": Urgency.URGENT,
        "HIGH": Urgency.URGENT,
        "MEDIUM": Urgency.ROUTINE,
        "ROUTINE": Urgency.ROUTINE,
        "LOW": Urgency.LOW,
    }
)
"""(0040,1003) in modality worklists, OBR-27 in orders. What is not named here is routine."""
TARGETS: Mapping[Urgency, timedelta] = MappingProxyType(
    {
        Urgency.STAT: timedelta(hours=1),
        Urgency.URGENT: timedelta(hours=4),
        Urgency.ROUTINE: timedelta(hours=24),
        Urgency.LOW: timedelta(hours=72),
    }
)
"""From the first image to the signature."""
RANKS = {urgency: rank for rank, urgency in enumerate(Urgency)}
_STAGES = {stage: place for place, stage in enumerate(Stage)}
RANK = sa.case(
    {name: RANKS[urgency] for name, urgency in URGENCIES.items()},
    value=Study.priority,
    else_=RANKS[Urgency.ROUTINE],
)
STAGE = sa.case(_STAGES, value=Study.stage)


class Sort(StrEnum):
    """due: open studies by urgency and due time, then the finished ones, latest received first."""

    DUE = "due"
    RECEIVED = "received"
    PATIENT = "patient"
    STATE = "state"


class Direction(StrEnum):
    """desc is asc from its end to its beginning."""

    ASC = "asc"
    DESC = "desc"


def urgency(priority: str) -> Urgency:
    """Of a priority as it was ordered."""
    return URGENCIES.get(priority, Urgency.ROUTINE)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of an order whose rows follow each other by one key, upwards or downwards."""

    where: sa.ColumnElement[bool]
    key: tuple[Any, ...]
    downwards: bool

    def ordering(self) -> list[sa.ColumnElement[Any]]:
        """For an ORDER BY."""
        return [column.desc() if self.downwards else column.asc() for column in self.key]

    def beyond(self, place: Sequence[Any]) -> sa.ColumnElement[bool]:
        """Rows behind the one whose key is `place`."""
        pairs = zip(self.key, place, strict=True)
        mine, there = sa.tuple_(*self.key), sa.tuple_(*(sa.literal(value, column.type) for column, value in pairs))
        return mine < there if self.downwards else mine > there


def stretches(session: Session, sort: Sort, direction: Direction) -> list[Stretch]:
    """The parts of the order, first to last.

    Texts compare by code point, names without regard to the case of A-Z. Urgency has one target each, so among the
    equally urgent the due time follows the time received.
    """
    uid, received = _by_code_point(session, Study.study_instance_uid), Study.received_at
    name = _by_code_point(session, sa.func.lower(_by_code_point(session, Study.patient_name)))
    urgent = (RANK, received, uid)
    found = {
        Sort.DUE: [
            Stretch(Study.stage.in_(OPEN), urgent, downwards=False),
            Stretch(Study.stage.in_(FINISHED), (received, uid), downwards=True),
        ],
        Sort.RECEIVED: [Stretch(sa.true(), (received, uid), downwards=False)],
        Sort.PATIENT: [Stretch(sa.true(), (name, received, uid), downwards=False)],
        Sort.STATE: [Stretch(sa.true(), (STAGE, *urgent), downwards=False)],
    }[sort]
    if direction is Direction.ASC:
        return found
    return [Stretch(part.where, part.key, not part.downwards) for part in reversed(found)]


def _by_code_point(session: Session, text: sa.ColumnElement[str] | Any) -> Any:
    """SQLite compares so by itself; PostgreSQL would go by the locale it was made with."""
    return text.collate("C") if session.get_bind().dialect.name == "postgresql" else text


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: an order, a stretch of it, and the last row's key; opaque to clients."""

    sort: Sort
    direction: Direction
    stretch: int
    key: tuple[int | str | datetime, ...]

    def cursor(self) -> str:
        """As clients carry it. Cursors travel in addresses, so a patient's name is left out of it."""
        told = [part.isoformat() if isinstance(part, datetime) else part for part in self._nameless()]
        facts = [self.sort, self.direction, self.stretch, *told]
        return base64.urlsafe_b64encode(json.dumps(facts, separators=(",", ":")).encode()).decode()

    def _nameless(self) -> tuple[int | str | datetime, ...]:
        return self.key[1:] if self.sort is Sort.PATIENT else self.key

    @staticmethod
    def read(session: Session, cursor: str) -> Place:
        """Raises InvalidRequest for anything but a cursor of ours."""
        try:
            sort, direction, stretch, *ranks, received_at, uid = json.loads(base64.urlsafe_b64decode(cursor))
            moment = datetime.fromisoformat(received_at).astimezone(UTC)
            places: list[int] = [range(len(Stage)).index(rank) for rank in ranks]
            key: tuple[int | str | datetime, ...] = (*places, moment, str(uid))
            place = Place(Sort(sort), Direction(direction), range(2).index(stretch), key)
            if place.sort is Sort.PATIENT:
                place = replace(place, key=(_name(session, place), *key))
            stretches(session, place.sort, place.direction)[place.stretch].beyond(place.key)
        except (ValueError, TypeError, IndexError, OverflowError, binascii.Error):
            message = "The cursor is not one of this service; start again without it."
            raise InvalidRequest(message) from None
        return place


def _name(session: Session, place: Place) -> str:
    named = sa.select(sa.func.lower(_by_code_point(session, Study.patient_name)))
    name: str | None = session.scalars(named.where(Study.study_instance_uid == place.key[-1])).one_or_none()
    if name is None:
        raise ValueError("its study is gone")
    return name


def due_at(received_at: datetime, urgent: Urgency) -> datetime:
    """When the study should be signed."""
    return received_at + TARGETS[urgent]
