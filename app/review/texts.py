"""Templates and macros: kept as plain text, put into a report by a reader's act and by nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.access import Action, Reader, require
from app.db.report_tables import SavedText
from app.db.session import Database, UnitOfWork, unit_of_work
from app.domain.identifiers import new_id
from app.errors import Conflict, InvalidRequest, NotFound, StaleVersion
from app.ports import Clock
from app.rest.etags import is_expected
from app.rest.guard import actor
from app.review.text_schemas import Kind, Scope, TextOut, TextsOut, WriteText

MOST = 500
"""Texts of one person, or of the site."""


class TextChanged(StaleVersion):
    """The template or macro was changed since it was read (If-Match failed)."""

    title = "The text has changed"


@dataclass(frozen=True, slots=True)
class KeepTexts:
    """What is the site's is everybody's to read, and an administrator's to write."""

    database: Database
    clock: Clock

    def all(self, reader: Reader) -> TextsOut:
        """The site's and the reader's own, by shortcut; of two with one shortcut the reader's own comes first."""
        query = sa.select(SavedText).where(_readable(reader))
        own_first = SavedText.owner_id.is_(None)
        with self.database.reading() as session:
            rows = session.scalars(query.order_by(SavedText.shortcut, own_first))
            return TextsOut(items=[_out(row) for row in rows])

    def add(self, reader: Reader, given: WriteText) -> TextOut:
        """Raises NotAllowed for a text of the site by anybody but an administrator, Conflict for a shortcut in use."""
        owner = _owner(reader, given.scope)
        with unit_of_work(self.database, self.clock, actor(reader)) as uow:
            _refuse_taken(uow.session, owner, given.shortcut)
            same = sa.select(sa.func.count()).where(_of(owner))
            if (uow.session.scalar(same) or 0) >= MOST:
                raise Conflict(f"There are {MOST} texts already; remove those that nobody uses.")
            row = SavedText(id=new_id(), owner_id=owner, version=0)
            uow.session.add(row)
            return _write(uow, row, given, "report_text.added")

    def change(self, reader: Reader, text_id: str, if_match: str | None, given: WriteText) -> TextOut:
        """Replace all of it but its scope. Raises NotFound, NotAllowed, VersionRequired, TextChanged, Conflict."""
        with unit_of_work(self.database, self.clock, actor(reader)) as uow:
            row = _locked(uow, reader, text_id, if_match)
            if given.scope is not _scope(row):
                raise InvalidRequest("A text keeps its scope; add another one in the scope that you want.")
            if given.shortcut != row.shortcut:
                _refuse_taken(uow.session, row.owner_id, given.shortcut)
            return _write(uow, row, given, "report_text.changed")

    def remove(self, reader: Reader, text_id: str, if_match: str | None) -> None:
        """Raises NotFound, NotAllowed, VersionRequired, TextChanged."""
        with unit_of_work(self.database, self.clock, actor(reader)) as uow:
            row = _locked(uow, reader, text_id, if_match)
            uow.session.delete(row)
            uow.audit("report_text.removed", text_id=row.id, scope=str(_scope(row)), kind=row.kind)


def _readable(reader: Reader) -> sa.ColumnElement[bool]:
    return sa.or_(SavedText.owner_id == reader.user_id, SavedText.owner_id.is_(None))


def _of(owner: str | None) -> sa.ColumnElement[bool]:
    return SavedText.owner_id.is_(None) if owner is None else SavedText.owner_id == owner


def _owner(reader: Reader, scope: Scope) -> str | None:
    if scope is Scope.SITE:
        require(reader, Action.ADMINISTER)
        return None
    return reader.user_id


def _refuse_taken(session: Session, owner: str | None, shortcut: str) -> None:
    taken = sa.select(SavedText.title).where(_of(owner), SavedText.shortcut == shortcut)
    if (title := session.scalars(taken).first()) is not None:
        raise Conflict(f"{shortcut} is the shortcut of “{title}”; choose another, or change that one.")


def _locked(uow: UnitOfWork, reader: Reader, text_id: str, if_match: str | None) -> SavedText:
    query = sa.select(SavedText).where(SavedText.id == text_id, _readable(reader)).with_for_update()
    row = uow.session.scalars(query).one_or_none()
    if row is None:
        raise NotFound("No template or macro of yours or of the site has this id.")
    _owner(reader, _scope(row))
    if not is_expected(_etag(row), if_match):
        raise TextChanged("The text was changed since you read it; read it again, then decide what to keep.")
    return row


def _write(uow: UnitOfWork, row: SavedText, given: WriteText, action: str) -> TextOut:
    for name, value in given.model_dump(exclude={"scope"}).items():
        setattr(row, name, value)
    row.version, row.updated_at = row.version + 1, uow.now
    uow.audit(action, text_id=row.id, scope=str(given.scope), kind=str(given.kind), version=row.version)
    uow.session.flush()
    return _out(row)


def _scope(row: SavedText) -> Scope:
    return Scope.SITE if row.owner_id is None else Scope.PERSONAL


def _etag(row: SavedText) -> str:
    return f"{row.id[:8]}-{row.version}"


def _out(row: SavedText) -> TextOut:
    return TextOut(
        id=row.id,
        scope=_scope(row),
        kind=Kind(row.kind),
        shortcut=row.shortcut,
        title=row.title,
        findings=row.findings,
        impression=row.impression,
        text=row.text,
        procedure_code=row.procedure_code,
        procedure_description=row.procedure_description,
        etag=_etag(row),
        updated_at=row.updated_at,
    )
