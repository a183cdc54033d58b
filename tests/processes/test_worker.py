"""The worker's runner: how each ending of a use case is settled."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.db import migrations, outbox
from app.db.session import Database, finishing, unit_of_work
from app.db.tables import Job, Study
from app.domain.events import PriorsGathered, StudyCompleted
from app.domain.study import Stage, Step
from app.errors import ArchiveUnavailable, EndpointRefused
from app.worker import JobRunner
from tests.builders.studies import add_study
from tests.fakes.clock import SetClock


@pytest.fixture
def clock():
    return SetClock()


@pytest.fixture
def database(tmp_path, clock):
    database = Database(f"sqlite:///{tmp_path}/record.db")
    migrations.upgrade(database)
    study = add_study(database, clock)
    with unit_of_work(database, clock) as uow:
        row = uow.study(study.id)
        uow.move(row, Step.COMPLETED)
        uow.emit(StudyCompleted(row.id))
    yield database
    database.close()


def run(database, clock, use_case):
    sent = []
    with unit_of_work(database, clock) as uow:
        outbox.relay(uow.session, lambda *message: sent.append(message))
    runner = JobRunner(database, clock, {"priors.gather": use_case})
    for _, job_id, token in sent:
        runner.run(job_id, token)
        runner.run(job_id, token)  # the broker repeats itself


def state(database):
    with database.reading() as session:
        return session.scalars(sa.select(Job)).first(), session.scalars(sa.select(Study)).one()


def test_a_use_case_runs_once_for_a_repeated_message(database, clock):
    runs = []

    def gather(claim):
        runs.append(claim)
        with finishing(database, clock, claim) as (uow, study):
            uow.move(study, Step.PRIORS_GATHERED)
            uow.emit(PriorsGathered(study.id))

    run(database, clock, gather)
    job, study = state(database)
    assert (len(runs), job.state, study.stage) == (1, "done", Stage.DRAFTING)


def test_a_peer_that_is_away_is_tried_again_later(database, clock):
    def away(_):
        raise ArchiveUnavailable("pacs does not answer.")

    run(database, clock, away)
    job, study = state(database)
    assert (job.state, job.last_error, study.stage) == ("queued", "pacs does not answer.", Stage.GATHERING_PRIORS)


def test_a_refusal_is_a_dead_letter_that_the_study_shows(database, clock):
    def refused(_):
        raise EndpointRefused("It wants no such object.")

    run(database, clock, refused)
    job, study = state(database)
    assert (job.state, study.stage) == ("dead", Stage.FAILED)
    assert "It wants no such object." in study.reason


def test_a_fault_of_ours_is_tried_again_and_its_message_stays_out_of_the_record(database, clock):
    def broken(_):
        raise ValueError("Canary^Yellow")

    run(database, clock, broken)
    job, _ = state(database)
    assert job.state == "queued"
    assert job.last_error == "internal error (ValueError)"


def test_a_study_that_went_another_way_drops_the_result(database, clock):
    def late(claim):
        with unit_of_work(database, clock) as uow:
            uow.move(uow.study(claim.study_id), Step.IMAGE_ARRIVED)
        with finishing(database, clock, claim) as (uow, study):
            uow.move(study, Step.PRIORS_GATHERED)

    run(database, clock, late)
    job, study = state(database)
    assert (job.state, study.stage) == ("superseded", Stage.RECEIVING)
