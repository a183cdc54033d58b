"""Where a C-MOVE's requester finds what the receiver, another process, filed for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from app.db.session import Database, unit_of_work
from app.db.tables import ExpectedMove, MovedObject
from app.ports import Clock, RetrievedObject

_NOTES = ExpectedMove.__table__
_EXPECTED = sa.select(_NOTES.c.until).where(_NOTES.c.study_instance_uid == sa.bindparam("uid"))


@dataclass(frozen=True, slots=True)
class MoveInbox:
    """What C-MOVE brought, by study.

    Archives name the originator of a C-MOVE in each C-STORE, or leave it out: the two elements are optional
    (PS3.7 9.3.1.1). For the latter the study is noted as expected before it is asked for, so that the receiver can
    tell an asked-for prior from a new study. wait: how long such a note holds.
    """

    database: Database
    clock: Clock
    wait: timedelta = timedelta(minutes=10)

    def expect(self, study_instance_uid: str) -> None:
        """Note that we are about to ask for this study."""
        with unit_of_work(self.database, self.clock) as uow:
            uow.session.execute(sa.delete(ExpectedMove).where(ExpectedMove.until <= uow.now))
            uow.session.merge(ExpectedMove(study_instance_uid=study_instance_uid, until=uow.now + self.wait))

    def arrived(self, study_instance_uid: str) -> Sequence[RetrievedObject]:
        """Every object of the study that came for us so far; the latest of each SOP Instance UID."""
        query = (
            sa.select(MovedObject)
            .where(MovedObject.study_instance_uid == study_instance_uid)
            .order_by(MovedObject.received_at)
        )
        with self.database.reading() as session:
            latest = {row.sop_instance_uid: _retrieved(row) for row in session.scalars(query)}
        return list(latest.values())


def is_expected(connection: sa.Connection, now: datetime, study_instance_uid: str) -> bool:
    """Whether an object of this study that names no move originator is one we asked for."""
    until = connection.execute(_EXPECTED, {"uid": study_instance_uid}).scalar_one_or_none()
    return until is not None and until > now


def _retrieved(row: MovedObject) -> RetrievedObject:
    return RetrievedObject(
        row.sop_class_uid, row.sop_instance_uid, row.study_instance_uid, row.series_instance_uid, row.object_key
    )
