"""Everybody locks a study before its jobs: whoever holds the study can also queue another job for it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from app.completeness.handlers import CompleteStudies
from app.db import jobs, migrations, outbox
from app.db.session import Database, unit_of_work
from app.db.tables import Job
from app.domain.events import RedraftRequested, StudyCompleted
from app.domain.study import Stage
from app.errors import ArchiveUnavailable
from app.gateways.object_store import LocalObjectStore
from app.relay import Relay
from app.worker import JobRunner
from tests.builders.studies import add_study
from tests.fakes.clock import SetClock


@pytest.fixture
def database(postgres_url):
    """PostgreSQL alone locks by row."""
    database = Database(postgres_url)
    migrations.upgrade(database)
    yield database
    database.close()


@pytest.fixture
def clock():
    return SetClock()


@pytest.fixture
def study(database, clock):
    study = add_study(database, clock, Stage.GATHERING_PRIORS)
    with unit_of_work(database, clock) as uow:
        uow.emit(StudyCompleted(study.id))
    return study


def wait_for_a_lock(database):
    """Until some transaction waits for another."""
    waiting = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    ends = time.monotonic() + 20
    while time.monotonic() < ends:
        with database.reading() as session:
            if session.execute(waiting).scalar_one():
                return
        time.sleep(0.02)
    raise AssertionError("nobody waits")


def states(database):
    with database.reading() as session:
        return sorted(session.scalars(sa.select(Job.state)))


def test_the_reconciler_leaves_a_study_that_is_held_for_its_next_round(database, clock, study, tmp_path):
    store = LocalObjectStore(tmp_path / "store")
    relay = Relay(database, clock, store, CompleteStudies(database, clock), lambda *_: None)
    with unit_of_work(database, clock) as uow:
        uow.session.execute(sa.update(Job).values(attempts=jobs.MAX_ATTEMPTS, state="running"))
    clock.advance(jobs.LEASE.total_seconds() + 1)
    with unit_of_work(database, clock) as uow:
        uow.study(study.id)
        assert relay.reconcile() == 0
        uow.emit(RedraftRequested(study.id))
    assert states(database) == ["queued", "superseded"]


def test_the_reconciler_takes_up_what_nobody_holds(database, clock, study, tmp_path):
    store = LocalObjectStore(tmp_path / "store")
    relay = Relay(database, clock, store, CompleteStudies(database, clock), lambda *_: None)
    other = add_study(database, clock, Stage.GATHERING_PRIORS)
    with unit_of_work(database, clock) as uow:
        uow.emit(StudyCompleted(other.id))
    clock.advance(jobs.UNCLAIMED_AFTER.total_seconds() + 1)
    with unit_of_work(database, clock) as uow:
        uow.study(study.id)
        assert relay.reconcile() == 1
    assert relay.reconcile() == 1


def test_a_failure_waits_for_the_study_without_its_job(database, clock, study):
    """A redraft asked for just as the last attempt fails: both come to their end, and the redraft stands."""

    def away(_claim):
        raise ArchiveUnavailable("pacs does not answer.")

    messages = []
    with unit_of_work(database, clock) as uow:
        outbox.relay(uow.session, lambda *message: messages.append(message))
        uow.session.execute(sa.update(Job).values(attempts=jobs.MAX_ATTEMPTS - 1))
    ((task, job_id, token),) = messages
    with ThreadPoolExecutor(1) as pool:
        with unit_of_work(database, clock) as uow:
            uow.study(study.id)
            running = pool.submit(JobRunner(database, clock, {task: away}).run, job_id, token)
            wait_for_a_lock(database)
            uow.emit(RedraftRequested(study.id))
        running.result(20)
    assert states(database) == ["queued", "superseded"]
