"""Jobs: lost and repeated messages are harmless, late writers change nothing, the hopeless become visible."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from app.db import jobs, outbox
from app.db.session import finishing, unit_of_work
from app.db.tables import Job, OutboxMessage, Study
from app.domain.events import PriorsGathered, StudyCompleted
from app.domain.study import Stage, Step
from app.errors import ClaimLost
from tests.builders.studies import add_study
from tests.fakes.clock import SetClock


@pytest.fixture
def clock():
    return SetClock()


@pytest.fixture
def study(database, clock):
    study = add_study(database, clock)
    with unit_of_work(database, clock) as uow:
        row = uow.study(study.id)
        uow.move(row, Step.COMPLETED)
        uow.emit(StudyCompleted(row.id))
    return study


def take_messages(database, clock):
    sent = []
    with unit_of_work(database, clock) as uow:
        outbox.relay(uow.session, lambda *message: sent.append(message))
    return sent


def claim(database, clock, message):
    with unit_of_work(database, clock) as uow:
        return jobs.claim(uow.session, uow.now, message[1], message[2])


def test_record_and_message_come_together(database, clock, study):
    [(task, _, _)] = take_messages(database, clock)
    assert task == "priors.gather"
    assert take_messages(database, clock) == []


def test_a_failed_transaction_leaves_no_message(database, clock):
    study = add_study(database, clock)
    with pytest.raises(RuntimeError), unit_of_work(database, clock) as uow:
        uow.emit(StudyCompleted(study.id))
        uow.session.flush()
        raise RuntimeError
    assert take_messages(database, clock) == []


def test_a_broker_that_is_away_keeps_the_message(database, clock, study):
    def away(*_):
        raise ConnectionError

    with pytest.raises(ConnectionError), unit_of_work(database, clock) as uow:
        outbox.relay(uow.session, away)
    assert len(take_messages(database, clock)) == 1


def test_a_repeated_message_is_claimed_once(database, clock, study):
    [message] = take_messages(database, clock)
    with ThreadPoolExecutor(4) as pool:
        claims = list(pool.map(lambda _: claim(database, clock, message), range(8)))
    assert sum(c is not None for c in claims) == 1


def test_a_late_writer_changes_nothing(database, clock, study):
    first = claim(database, clock, take_messages(database, clock)[0])
    clock.advance(jobs.LEASE.total_seconds() + 1)
    with unit_of_work(database, clock) as uow:
        [late] = jobs.overdue(uow.session, uow.now)
        assert jobs.requeue(uow.session, uow.now, late)
    second = claim(database, clock, take_messages(database, clock)[0])
    with pytest.raises(ClaimLost), finishing(database, clock, first) as (uow, row):
        uow.move(row, Step.PRIORS_GATHERED)
    with finishing(database, clock, second) as (uow, row):
        uow.move(row, Step.PRIORS_GATHERED)
        uow.emit(PriorsGathered(row.id))
    with database.reading() as session:
        assert session.get_one(Study, study.id).stage is Stage.DRAFTING
    assert [task for task, *_ in take_messages(database, clock)] == ["drafting.write"]


def test_a_newer_image_set_drops_the_result(database, clock, study):
    held = claim(database, clock, take_messages(database, clock)[0])
    with unit_of_work(database, clock) as uow:
        row = uow.study(study.id)
        row.revision += 1
        uow.move(row, Step.IMAGE_ARRIVED)
    with pytest.raises(ClaimLost), finishing(database, clock, held):
        pass


def test_a_failing_job_backs_off_and_then_dies_in_sight(database, clock, study):
    waits = []
    for attempt in range(1, jobs.MAX_ATTEMPTS + 1):
        held = claim(database, clock, take_messages(database, clock)[0])
        assert held.attempts == attempt
        with unit_of_work(database, clock) as uow:
            dead = jobs.fail(uow.session, uow.now, held, "the archive is away", retry=True)
            job = uow.session.get_one(Job, held.job_id)
            waits.append((job.deadline - uow.now).total_seconds())
        if dead:
            break
        clock.advance(waits[-1])
        with unit_of_work(database, clock) as uow:
            for late in jobs.overdue(uow.session, uow.now):
                jobs.requeue(uow.session, uow.now, late)
    assert attempt == jobs.MAX_ATTEMPTS
    assert waits[:4] == list(jobs.BACK_OFF)
    with database.reading() as session:
        job = session.get_one(Job, held.job_id)
    assert (job.state, job.last_error) == ("dead", "the archive is away")


def test_a_job_without_a_retry_dies_at_once(database, clock, study):
    held = claim(database, clock, take_messages(database, clock)[0])
    with unit_of_work(database, clock) as uow:
        assert jobs.fail(uow.session, uow.now, held, "refused", retry=False)


def test_a_job_whose_processes_end_each_time_dies_too(database, clock, study):
    for _ in range(jobs.MAX_ATTEMPTS):
        assert claim(database, clock, take_messages(database, clock)[0])
        clock.advance(jobs.LEASE.total_seconds() + 1)
        with unit_of_work(database, clock) as uow:
            alive = [jobs.requeue(uow.session, uow.now, job) for job in jobs.overdue(uow.session, uow.now)]
    assert alive == [False]


def test_a_job_that_says_it_is_under_way_is_left_alone(database, clock, study):
    held = claim(database, clock, take_messages(database, clock)[0])
    for _ in range(5):
        clock.advance(jobs.LEASE.total_seconds() - 1)
        with unit_of_work(database, clock) as uow:
            assert jobs.overdue(uow.session, uow.now) == []
            jobs.renew(uow.session, uow.now, held)


def test_in_a_long_queue_the_older_message_stays_good(database, clock, study):
    [first] = take_messages(database, clock)
    for _ in range(4):
        clock.advance(600)
        with unit_of_work(database, clock) as uow:
            for late in jobs.overdue(uow.session, uow.now):
                jobs.requeue(uow.session, uow.now, late)
    assert claim(database, clock, first) is not None
    assert [claim(database, clock, message) for message in take_messages(database, clock)] == [None, None, None]


def test_a_redraft_supersedes_what_waits(database, clock, study):
    [old] = take_messages(database, clock)
    with unit_of_work(database, clock) as uow:
        uow.emit(StudyCompleted(study.id))
    [new] = take_messages(database, clock)
    assert claim(database, clock, old) is None
    assert claim(database, clock, new) is not None


def test_messages_carry_an_id_and_a_token_only(database, clock, study):
    assert {c.name for c in OutboxMessage.__table__.columns} == {"seq", "task", "job_id", "token", "created_at"}
    with database.reading() as session:
        message = session.scalars(sa.select(OutboxMessage)).one()
    assert len(message.job_id) == len(message.token) == 32
