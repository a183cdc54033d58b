"""Worklist filters that a person keeps under a name; one may search for a patient, and is told to nobody else."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.access import Reader
from app.db.report_tables import WorklistList
from app.db.session import Database, UnitOfWork, unit_of_work
from app.domain.identifiers import new_id
from app.errors import Conflict, NotFound
from app.ports import Clock
from app.rest.guard import actor
from app.review.text_schemas import ListOut, ListsOut, WriteList

MOST = 100
"""Lists of one person."""


@dataclass(frozen=True, slots=True)
class KeepLists:
    """Every person's own, by an id: the name may be a patient's, and stands in no address."""

    database: Database
    clock: Clock

    def all(self, reader: Reader) -> ListsOut:
        """By name."""
        query = sa.select(WorklistList).where(WorklistList.user_id == reader.user_id).order_by(WorklistList.name)
        with self.database.reading() as session:
            return ListsOut(items=[ListOut.model_validate(row, from_attributes=True) for row in session.scalars(query)])

    def get(self, reader: Reader, list_id: str) -> ListOut:
        """Raises NotFound."""
        with self.database.reading() as session:
            return ListOut.model_validate(_found(session, reader, list_id), from_attributes=True)

    def add(self, reader: Reader, given: WriteList) -> ListOut:
        """Keep a new one. Raises Conflict where the reader has one of this name, or too many."""
        with unit_of_work(self.database, self.clock, actor(reader)) as uow:
            mine = sa.select(sa.func.count()).where(WorklistList.user_id == reader.user_id)
            if (uow.session.scalar(mine) or 0) >= MOST:
                raise Conflict(f"You keep {MOST} lists already; remove one.")
            row = WorklistList(id=new_id(), user_id=reader.user_id)
            uow.session.add(row)
            return _write(uow, row, given)

    def replace(self, reader: Reader, list_id: str, given: WriteList) -> ListOut:
        """Name and filter anew. Raises NotFound, Conflict where another one of the reader's has this name."""
        with unit_of_work(self.database, self.clock, actor(reader)) as uow:
            return _write(uow, _found(uow.session, reader, list_id), given)

    def remove(self, reader: Reader, list_id: str) -> None:
        """Raises NotFound."""
        with unit_of_work(self.database, self.clock, actor(reader)) as uow:
            row = _found(uow.session, reader, list_id)
            uow.session.delete(row)
            uow.audit("worklist_list.removed", list_id=row.id)


def _found(session: Session, reader: Reader, list_id: str) -> WorklistList:
    mine = (WorklistList.user_id == reader.user_id, WorklistList.id == list_id)
    row = session.scalars(sa.select(WorklistList).where(*mine)).one_or_none()
    if row is None:
        raise NotFound("You keep no list with this id.")
    return row


def _write(uow: UnitOfWork, row: WorklistList, given: WriteList) -> ListOut:
    row.name, row.filter, row.updated_at = given.name, dict(given.filter), uow.now
    try:
        uow.session.flush()
    except IntegrityError as error:  # the one constraint that a name can break: two lists of one person
        raise Conflict("You keep a list of this name already; choose another name, or replace that list.") from error
    uow.audit("worklist_list.kept", list_id=row.id)
    return ListOut.model_validate(row, from_attributes=True)
