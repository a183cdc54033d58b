"""The relay: what was lost comes back, what is hopeless is buried, one of several is active."""

from __future__ import annotations

import threading
from datetime import timedelta

import prometheus_client
import pytest
import sqlalchemy as sa

from app.access import Role
from app.completeness.handlers import CompleteStudies
from app.db import jobs, migrations
from app.db.report_tables import CriticalFinding
from app.db.session import Database, unit_of_work
from app.db.tables import Job, OutboxMessage, Report, Study
from app.domain.events import StudyCompleted
from app.domain.identifiers import new_id
from app.domain.study import Stage, Step
from app.gateways.object_store import LocalObjectStore
from app.relay import Relay
from tests.builders.reading import add_person
from tests.builders.studies import add_study
from tests.fakes.clock import SetClock


@pytest.fixture
def clock():
    return SetClock()


@pytest.fixture
def database(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/record.db")
    migrations.upgrade(database)
    yield database
    database.close()


@pytest.fixture
def make_relay(database, clock, tmp_path):
    def make(publish, holder="one"):
        store = LocalObjectStore(tmp_path / "store")
        return Relay(database, clock, store, CompleteStudies(database, clock), publish, holder)

    return make


def completed_study(database, clock):
    study = add_study(database, clock)
    with unit_of_work(database, clock) as uow:
        row = uow.study(study.id)
        uow.move(row, Step.COMPLETED)
        uow.emit(StudyCompleted(row.id))
    return study


def test_a_round_closes_quiet_studies_and_publishes_their_jobs(database, clock, make_relay):
    add_study(database, clock)
    sent = []
    make_relay(lambda *message: sent.append(message)).tick()
    assert [task for task, *_ in sent] == ["priors.gather"]
    with database.reading() as session:
        assert session.scalars(sa.select(OutboxMessage)).all() == []


def test_a_message_that_the_broker_lost_is_published_again(database, clock, make_relay):
    completed_study(database, clock)
    sent = []
    relay = make_relay(lambda *message: sent.append(message))
    relay.tick()
    clock.advance(jobs.UNCLAIMED_AFTER.total_seconds() + 1)
    assert relay.reconcile() == 1
    relay.drain()
    assert len(sent) == 2
    assert sent[0] == sent[1]


def test_a_job_that_is_never_done_is_buried_in_sight(database, clock, make_relay):
    study = completed_study(database, clock)
    relay = make_relay(lambda *_: None)
    with unit_of_work(database, clock) as uow:
        uow.session.execute(sa.update(Job).values(attempts=jobs.MAX_ATTEMPTS, state="running"))
    clock.advance(jobs.LEASE.total_seconds() + 1)
    relay.reconcile()
    with database.reading() as session:
        row = session.get_one(Study, study.id)
    assert row.stage is Stage.FAILED
    assert "priors.gather failed 5 times" in row.reason


def test_critical_results_that_nobody_was_told_of_are_counted(database, clock, make_relay):
    def counted():
        relay.measure()
        sample = prometheus_client.REGISTRY.get_sample_value
        return [sample("cxr_critical_results", {"state": state}) for state in ("open", "overdue")]

    relay = make_relay(lambda *_: None)
    assert counted() == [0, 0]
    reader = add_person(database, clock, "ada", Role.RADIOLOGIST)
    study, now = add_study(database, clock, Stage.IN_REVIEW), clock.now()
    with unit_of_work(database, clock) as uow:
        about = {"author_id": reader, "author_name": "Dr Ada", "created_at": now, "updated_at": now}
        report = Report(id=new_id(), study_id=study.id, status="preliminary", sentences=[], **about)
        uow.session.add(report)
        uow.session.flush()
        found = {"finding": "Free air", "found_at": now, "opened_by": reader, "opened_name": "Dr Ada", "opened_at": now}
        for minutes, closed_at in ((30, None), (60, None), (30, now)):
            due = {"due_at": now + timedelta(minutes=minutes), "closed_at": closed_at}
            uow.session.add(CriticalFinding(report_id=report.id, **found, **due))
    assert counted() == [2, 0]
    clock.advance(30 * 60)
    assert counted() == [1, 1]
    clock.advance(30 * 60)
    assert counted() == [0, 2]


def test_only_one_of_two_relays_is_active_until_its_lease_ends(database, clock, make_relay):
    sent = []
    first = make_relay(lambda *message: sent.append(("first", *message)), "first")
    second = make_relay(lambda *message: sent.append(("second", *message)), "second")
    first.tick()
    completed_study(database, clock)
    second.tick()
    assert sent == []
    clock.advance(11)
    late = make_relay(lambda *message: sent.append(("second", *message)), "second")
    late.tick()
    assert [who for who, *_ in sent] == ["second"]


def test_a_broker_that_is_away_does_not_end_the_loop(database, clock, make_relay):
    completed_study(database, clock)
    calls, stop = [], threading.Event()

    def publish(*message):
        calls.append(message)
        if len(calls) == 1:
            raise ConnectionError
        stop.set()

    relay = make_relay(publish)
    loop = threading.Thread(target=relay.run, args=(stop,))
    loop.start()
    loop.join(20)
    assert not loop.is_alive()
    assert len(calls) == 2
