"""Worklist filters that a person keeps under a name; one may search for a patient, and is told to nobody else."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.access import Reader
from app.db.report_tables import WorklistList
from app.db.session import Database, unit_of_work
from app.domain.identifiers import new_id
from app.errors import Conflict, NotFound
from app.ports import Clock
from app.rest.guard import actor
from app.review.text_schemas import ListOut, ListsOut, WriteList

MOST = 100
"""Lists of one person."""


@dataclass(frozen=True, slots=True)
class KeepLists:
    """Every person's own."""

    database: Database
    clock: Clock

    def all(self, reader: Reader) -> ListsOut:
        """By name."""
        query = sa.select(WorklistList).where(WorklistList.user_id == reader.user_id).order_by(WorklistList.name)
        with self.database.reading() as session:
            return ListsOut(items=[ListOut.model_validate(row, from_attributes=True) for row in session.scalars(query)])

    def get(self, reader: Reader, name: str) -> ListOut:
        """Raises NotFound."""
        with self.database.reading() as session:
            return ListOut.model_validate(_found(session, reader, name), from_attributes=True)

    def put(self, reader: Reader, name: str, given: WriteList) -> ListOut:
        """Keep it under this name, in place of what was there. Raises Conflict where there are too many."""
        with unit_of_work(self.database, self.clock, actor(reader)) as uow:
            mine = WorklistList.user_id == reader.user_id
            query = sa.select(WorklistList).where(mine, WorklistList.name == name).with_for_update()
            row = uow.session.scalars(query).one_or_none()
            if row is None:
                if (uow.session.scalar(sa.select(sa.func.count()).where(mine)) or 0) >= MOST:
                    raise Conflict(f"You keep {MOST} lists already; remove one.")
                row = WorklistList(id=new_id(), user_id=reader.user_id, name=name)
                uow.session.add(row)
            row.filter, row.updated_at = dict(given.filter), uow.now
            uow.audit("worklist_list.kept", list_id=row.id)
            uow.session.flush()
            return ListOut.model_validate(row, from_attributes=True)

    def remove(self, reader: Reader, name: str) -> None:
        """Raises NotFound."""
        with unit_of_work(self.database, self.clock, actor(reader)) as uow:
            row = _found(uow.session, reader, name)
            uow.session.delete(row)
            uow.audit("worklist_list.removed", list_id=row.id)


def _found(session: Session, reader: Reader, name: str) -> WorklistList:
    mine = (WorklistList.user_id == reader.user_id, WorklistList.name == name)
    row = session.scalars(sa.select(WorklistList).where(*mine)).one_or_none()
    if row is None:
        raise NotFound("You keep no list under this name.")
    return row
