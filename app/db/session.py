"""Engines, sessions and the unit of work: the only place that commits."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc
from sqlalchemy.orm import Session, sessionmaker

from app.db import audit_trail, jobs
from app.db.tables import Study
from app.domain.events import Event
from app.domain.study import Step, after
from app.errors import ClaimLost, ConfigError, Conflict, DatabaseUnavailable, NotFound
from app.pipeline import next_task
from app.ports import Clock

SYSTEM = "system"


def _begin_with(engine: sa.Engine, statement: str) -> None:
    """SQLite: writers take the lock at once (no upgrade deadlock), and a commit is on disk when it returns."""

    @sa.event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(statement)


class Database:
    """One database by URL: sqlite:///path or postgresql+psycopg://…"""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        parsed = sa.make_url(url)
        self.url = url
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        if self.is_sqlite:
            self._writer, self._reader = self._sqlite(parsed)
        elif parsed.get_backend_name() == "postgresql":
            self._writer = self._reader = sa.create_engine(url, pool_size=pool_size, pool_pre_ping=True)
        else:
            message = "database.url must start with sqlite:/// or postgresql+psycopg://; correct the configuration."
            raise ConfigError(message)
        self._turn = threading.RLock() if self.is_sqlite else nullcontext()
        self._write_sessions = sessionmaker(self._writer, expire_on_commit=False)
        self._read_sessions = sessionmaker(self._reader, expire_on_commit=False, autoflush=False)

    @staticmethod
    def _sqlite(url: sa.URL) -> tuple[sa.Engine, sa.Engine]:
        if not url.database or url.database == ":memory:":
            message = "database.url names no file; the record must be durable: use sqlite:///path/to/file.db."
            raise ConfigError(message)
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        writer, reader = sa.create_engine(url), sa.create_engine(url)
        _begin_with(writer, "BEGIN IMMEDIATE")
        _begin_with(reader, "BEGIN")
        return writer, reader

    @property
    def engine(self) -> sa.Engine:
        """For migrations."""
        return self._writer

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session that takes the writer's lock on its first statement.

        The threads of one process queue for SQLite's one writer here: its own wait is a sleep of up to 100 ms.
        """
        with self._turn, self._write_sessions() as session:
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session for reads alone; whatever is changed in it is dropped."""
        with _foreign_errors(), self._read_sessions() as session:
            yield session

    def close(self) -> None:
        """Give the connections back."""
        self._writer.dispose()
        self._reader.dispose()


@contextmanager
def _foreign_errors() -> Iterator[None]:
    try:
        yield
    except exc.IntegrityError as error:
        message = "The same thing was written by somebody else at the same time; read again and repeat."
        raise Conflict(message) from error
    except exc.SQLAlchemyError as error:
        message = f"The database did not do its part ({type(error).__name__}); check it and try again."
        raise DatabaseUnavailable(message) from error


class UnitOfWork:
    """Record, audit entries and next tasks of one transaction; made by `unit_of_work`."""

    def __init__(self, session: Session, now: datetime, actor: str) -> None:
        self.session, self.now, self.actor = session, now, actor
        self._entries: list[audit_trail.Entry] = []

    @property
    def connection(self) -> sa.Connection:
        """For statements on tables, where loading objects would cost too much."""
        return self.session.connection()

    def commit(self) -> None:
        """All or nothing; called by `unit_of_work` alone. The audit chain's lock comes last, to be held briefly."""
        self.session.flush()
        audit_trail.append(self.connection, self.now, self._entries)
        self.session.commit()

    def acting_as(self, actor: str) -> UnitOfWork:
        """The same transaction on behalf of somebody else; what it audits is written with this one's commit."""
        other = UnitOfWork(self.session, self.now, actor)
        other._entries = self._entries
        return other

    def audit(self, action: str, study_id: str = "", **detail: object) -> None:
        """Note an action for the audit chain; written when the transaction ends, before its commit."""
        self._entries.append(audit_trail.Entry(self.actor, action, study_id, detail))

    def study(self, study_id: str) -> Study:
        """The study's row, locked for this transaction. Raises NotFound."""
        row = self.session.get(Study, study_id, with_for_update=True)
        if row is None:
            message = "No study has this id; it may have been removed."
            raise NotFound(message)
        return row

    def study_by_uid(self, study_instance_uid: str) -> Study:
        """As `study`, by StudyInstanceUID. Raises NotFound."""
        query = sa.select(Study).where(Study.study_instance_uid == study_instance_uid).with_for_update()
        row = self.session.scalars(query).one_or_none()
        if row is None:
            message = "No study with this StudyInstanceUID was received here."
            raise NotFound(message)
        return row

    def move(self, study: Study, step: Step, *, reason: str = "", **detail: object) -> None:
        """Take one step of the state machine and audit it. Raises IllegalTransition."""
        before, study.stage = study.stage, after(study.stage, step)
        study.reason = reason
        if before != study.stage:
            study.stage_since = self.now
        facts: Mapping[str, object] = {"state": str(study.stage), "revision": study.revision, **detail}
        self.audit(f"study.{step}", study.id, **facts)

    def emit(self, event: Event) -> None:
        """Say what happened; the task that follows is queued in this transaction."""
        task = next_task(event)
        if task is not None:
            study = self.study(event.study_id)
            jobs.enqueue(self.session, self.now, task, study, target=getattr(event, "target", ""))


@contextmanager
def unit_of_work(database: Database, clock: Clock, actor: str = SYSTEM) -> Iterator[UnitOfWork]:
    """One transaction: leaving the block commits, an exception rolls back.

    Raises Conflict or DatabaseUnavailable for what the database refuses.
    """
    with _foreign_errors(), database.writing() as session:
        uow = UnitOfWork(session, clock.now(), actor)
        yield uow
        uow.commit()


@contextmanager
def finishing(database: Database, clock: Clock, claim: jobs.Claim) -> Iterator[tuple[UnitOfWork, Study]]:
    """The transaction that writes a job's result and marks it done, or changes nothing.

    Raises ClaimLost where another attempt owns the job, or the study has a newer revision.
    """
    with unit_of_work(database, clock) as uow:
        study = uow.study(claim.study_id)
        if study.revision != claim.revision or not jobs.finish(uow.session, claim):
            message = "A newer attempt or a newer image set took over; this result is dropped."
            raise ClaimLost(message)
        yield uow, study
