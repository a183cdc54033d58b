"""The relay: hands the outbox to the broker, closes quiet studies, takes up what was lost.

Several may run; the holder of a database lease is active. It keeps nothing in memory that it could not read again.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta

import sqlalchemy as sa

from app import telemetry
from app.completeness.handlers import CompleteStudies
from app.db import audit_trail, jobs, leases, outbox
from app.db.dead_letters import bury
from app.db.report_tables import IS_OPEN, CriticalFinding
from app.db.session import Database, unit_of_work
from app.db.tables import Job, OutboxMessage, Study
from app.domain.study import Stage
from app.errors import ServiceError
from app.ports import Clock, ObjectStore

LEASE = timedelta(seconds=10)
TICK_SECONDS = 0.1
RECONCILE_SECONDS = 1.0
GAUGES_SECONDS = 15.0
AUDIT_SECONDS = 3600.0
WAITING = (Stage.RECEIVING, Stage.GATHERING_PRIORS, Stage.DRAFTING)


@dataclass(slots=True)
class Every:
    """Due once in so many seconds, by a clock that never jumps."""

    seconds: float
    _next: float = 0.0

    def due(self) -> bool:
        """Whether it is time; then the next time is set."""
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + self.seconds
        return True


@dataclass(slots=True)
class Relay:
    """One loop over four duties; each failure is logged and the loop goes on."""

    database: Database
    clock: Clock
    store: ObjectStore
    complete: CompleteStudies
    publish: outbox.Publish
    holder: str = field(default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}")
    _lease: Every = field(default_factory=lambda: Every(LEASE.total_seconds() / 3))
    _active: bool = False
    _reconcile: Every = field(default_factory=lambda: Every(RECONCILE_SECONDS))
    _gauges: Every = field(default_factory=lambda: Every(GAUGES_SECONDS))
    _audit: Every = field(default_factory=lambda: Every(AUDIT_SECONDS))

    def run(self, stop: threading.Event) -> None:
        """Until `stop` is set."""
        while not stop.wait(TICK_SECONDS):
            try:
                self.tick()
            except ServiceError as error:
                self._active = False
                telemetry.log().warning("relay_tick_failed", error=type(error).__name__)
                stop.wait(1.0)
            except Exception as error:  # noqa: BLE001 - the broker's library raises what it likes; the outbox keeps the messages
                telemetry.log().warning("relay_tick_failed", exc_info=error)
                stop.wait(1.0)

    def tick(self) -> None:
        """One round; does nothing where another relay is active."""
        if not self._holds_lease():
            return
        self.complete.sweep()
        if self._reconcile.due():
            self.reconcile()
        self.drain()
        if self._gauges.due():
            self.measure()
        if self._audit.due():
            self._verify_audit()

    def _holds_lease(self) -> bool:
        if self._lease.due():
            with unit_of_work(self.database, self.clock) as uow:
                self._active = leases.acquire(uow.session, uow.now, "relay", self.holder, LEASE)
        return self._active

    def drain(self) -> int:
        """Hand waiting messages to the broker; returns how many."""
        with self.database.reading() as session:
            if session.scalar(sa.select(OutboxMessage.seq).limit(1)) is None:
                return 0
        with unit_of_work(self.database, self.clock) as uow:
            return outbox.relay(uow.session, self.publish)

    def reconcile(self) -> int:
        """Queue again, or bury, each job past its deadline; returns how many."""
        with self.database.reading() as session:
            query = sa.select(Job.id).where(Job.state.in_(jobs.UNFINISHED), Job.deadline <= self.clock.now())
            if session.scalar(query.limit(1)) is None:
                return 0
        with unit_of_work(self.database, self.clock) as uow:
            late = jobs.overdue(uow.session, uow.now)
            for job in late:
                if not jobs.requeue(uow.session, uow.now, job):
                    bury(uow, job)
        return len(late)

    def measure(self) -> None:
        """Read the gauges that only the database knows."""
        now = self.clock.now()
        with self.database.reading() as session:
            counts = dict(session.execute(sa.select(Study.stage, sa.func.count()).group_by(Study.stage)).all())
            query = sa.select(Study.priority, sa.func.min(Study.received_at)).where(Study.stage.in_(WAITING))
            oldest = dict(session.execute(query.group_by(Study.priority)).all())
            waiting = session.scalar(sa.select(sa.func.min(OutboxMessage.created_at)))
            late = sa.func.count().filter(CriticalFinding.due_at <= now)
            critical = sa.select(sa.func.count(), late).where(IS_OPEN)
            untold, overdue = session.execute(critical).one()
            dead = session.scalar(sa.select(sa.func.count()).where(Job.state == "dead"))
        for stage in Stage:
            telemetry.studies_by_state.labels(stage).set(counts.get(stage, 0))
        for priority in {"STAT", "ROUTINE", *oldest}:
            since = oldest.get(priority)
            telemetry.oldest_pending.labels(priority).set((now - since).total_seconds() if since else 0)
        telemetry.critical_results.labels("open").set(untold - overdue)
        telemetry.critical_results.labels("overdue").set(overdue)
        telemetry.outbox_oldest.set((now - waiting).total_seconds() if waiting else 0)
        telemetry.dead_letters.set(dead or 0)
        telemetry.storage_free.set(self.store.free_ratio())

    def _verify_audit(self) -> None:
        with self.database.reading() as session:
            report = audit_trail.verify(session)
        telemetry.audit_chain_ok.set(1 if report.ok else 0)
        if not report.ok:
            telemetry.log().error("audit_chain_broken", count=report.entries)
