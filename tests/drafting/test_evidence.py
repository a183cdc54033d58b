"""Regions after the draft: which sentences get one, once, and what a failure leaves alone."""

from __future__ import annotations

import dataclasses

import pytest
import sqlalchemy as sa

from app.db import jobs
from app.db.dead_letters import EVIDENCE, take_up
from app.db.session import unit_of_work
from app.db.tables import AuditRow, Job
from app.domain.events import EvidenceWanted, PriorsGathered
from app.domain.report import Region
from app.domain.study import Stage, Step
from app.errors import ClaimLost, ModelMisbehaved, ModelUnavailable
from app.worker import JobRunner
from tests.drafting.desk import Desk
from tests.fakes.draft_model import spoken
from tests.fakes.pixel_reader import frontal

TWO_SIDES = "Findings: No edema. Small left effusion. Normal heart. Small left effusion. Impression: Left effusion."


@pytest.fixture
def drafted(desk: Desk) -> Desk:
    desk.begin()
    desk.write(evidence=True)
    return desk


def job(desk: Desk) -> Job:
    with desk.database.reading() as session:
        return session.scalars(sa.select(Job).where(Job.task == EVIDENCE)).one()


def run_once(desk: Desk) -> None:
    waiting = job(desk)
    JobRunner(desk.database, desk.clock, {EVIDENCE: desk.pointing.point}).run(waiting.id, waiting.token)


def test_the_draft_is_ready_before_and_its_positive_sentences_get_their_regions(drafted: Desk) -> None:
    assert drafted.study.stage is Stage.READY
    assert drafted.drafts[0].evidence == ""
    drafted.pointing.point(drafted.claim_evidence())
    ((inputs, said),) = drafted.model.pointed
    assert said == ["The heart is enlarged.", "Cardiomegaly."]
    assert inputs == drafted.model.asked[0]
    assert sorted(drafted.regions) == [0, 2]
    found = drafted.regions[0]
    assert (found.left_edge, found.top_edge, found.right_edge, found.bottom_edge) == (0.25, 0.5, 0.5, 0.75)
    assert (found.sop_instance_uid, found.nats) == ("1.2.3.4", 2.0)
    assert drafted.drafts[0].evidence == "occlusion-1"
    assert drafted.study.stage is Stage.READY
    assert drafted.audit == ["study.draft_written", "study.regions_added"]


def test_sentences_are_found_again_in_the_text_though_they_repeat(desk: Desk) -> None:
    desk.begin()
    desk.add_prior(frontal())
    desk.model.answers = [spoken(TWO_SIDES)]
    desk.write(evidence=True)
    desk.pointing.point(desk.claim_evidence())
    rows = desk.drafts[0].sentences
    assert [rows[index]["text"] for index in sorted(desk.regions)] == ["Small left effusion."] * 2 + ["Left effusion."]
    assert all(rows[index]["author"] == "model" for index in desk.regions)


@pytest.mark.parametrize(
    ("said", "evidence"), [("Findings: The heart is enlarged.", False), ("Findings: No edema.", True)]
)
def test_nothing_is_looked_for_where_nobody_asks_or_nothing_is_stated(desk: Desk, said: str, evidence: bool) -> None:
    desk.begin()
    desk.model.answers = [spoken(said)]
    desk.write(evidence=evidence)
    assert desk.jobs == ["done"]


def test_where_no_part_of_the_film_matters_there_is_no_region_and_it_is_known(drafted: Desk) -> None:
    drafted.model.place = None
    drafted.pointing.point(drafted.claim_evidence())
    assert drafted.regions == {}
    assert drafted.drafts[0].evidence == "occlusion-1"


def test_a_second_job_and_a_redraft_of_the_same_inputs_ask_nothing_again(drafted: Desk) -> None:
    drafted.pointing.point(drafted.claim_evidence())
    with unit_of_work(drafted.database, drafted.clock) as uow:
        uow.emit(EvidenceWanted(drafted.study_id, drafted.drafts[0].id))
    drafted.pointing.point(drafted.claim_evidence())
    with unit_of_work(drafted.database, drafted.clock) as uow:
        study = uow.study(drafted.study_id)
        uow.move(study, Step.REDRAFT_ASKED)
        uow.move(study, Step.PRIORS_GATHERED)
    drafted.write(evidence=True)
    assert drafted.jobs == ["done"] * 4
    assert len(drafted.model.pointed) == 1
    assert drafted.audit.count("study.regions_added") == 1


def test_a_job_whose_claim_is_gone_changes_nothing(drafted: Desk) -> None:
    claim = drafted.claim_evidence()
    drafted.pointing.point(claim)
    before = drafted.audit
    with pytest.raises(ClaimLost):
        drafted.pointing.point(claim)
    assert drafted.audit == before


def test_a_late_image_or_another_model_ends_it(drafted: Desk) -> None:
    claim = drafted.claim_evidence()
    drafted.model.model = dataclasses.replace(drafted.model.model, weights_digest="b" * 64)
    with pytest.raises(ClaimLost, match="cannot be asked again"):
        drafted.pointing.point(claim)
    with unit_of_work(drafted.database, drafted.clock) as uow:
        uow.study(drafted.study_id).revision += 1
    with pytest.raises(ClaimLost, match="another image set"):
        drafted.pointing.point(claim)
    assert (drafted.regions, drafted.model.pointed) == ({}, [])


@pytest.mark.parametrize("stage", [Stage.READY, Stage.GATHERING_PRIORS, Stage.SIGNED])
def test_a_job_that_dies_leaves_draft_and_study_alone_and_can_be_tried_again(drafted: Desk, stage: Stage) -> None:
    with unit_of_work(drafted.database, drafted.clock) as uow:
        uow.study(drafted.study_id).stage = stage
    drafted.model.place = ModelMisbehaved("It points at nothing.")
    run_once(drafted)
    assert job(drafted).state == jobs.DEAD
    assert (drafted.study.stage, drafted.study.reason) == (stage, "")
    with drafted.database.reading() as session:
        (told,) = session.scalars(sa.select(AuditRow).where(AuditRow.action == "job.dead"))
    assert told.detail["error"] == "It points at nothing."
    drafted.model.place = Region(0, 0, 1, 1, 1.0)
    with unit_of_work(drafted.database, drafted.clock) as uow:
        take_up(uow, job(drafted).id, "mended")
    run_once(drafted)
    assert (job(drafted).state, sorted(drafted.regions)) == ("done", [0, 2])


def test_a_failure_that_may_pass_is_tried_again(drafted: Desk) -> None:
    drafted.model.place = ModelUnavailable("Busy.")
    run_once(drafted)
    assert (job(drafted).state, job(drafted).last_error) == ("queued", "Busy.")


def test_while_a_draft_waits_to_be_written_the_job_is_given_back_without_losing_an_attempt(drafted: Desk) -> None:
    with unit_of_work(drafted.database, drafted.clock) as uow:
        uow.emit(PriorsGathered(drafted.study_id))
    claim = drafted.claim_evidence()
    drafted.pointing.point(claim)
    waiting = job(drafted)
    assert (waiting.state, waiting.attempts, drafted.model.pointed) == ("queued", 0, [])
    assert waiting.token != claim.token
    with unit_of_work(drafted.database, drafted.clock) as uow:
        uow.session.execute(sa.update(Job).where(Job.task == "drafting.write").values(state="done"))
        drafted.clock.advance(3)
        (late,) = jobs.overdue(uow.session, drafted.clock.now())
        assert jobs.requeue(uow.session, uow.now, late)
    run_once(drafted)
    assert job(drafted).state == "done"


def test_the_second_of_two_jobs_makes_room_for_a_draft(drafted: Desk) -> None:
    with unit_of_work(drafted.database, drafted.clock) as uow:
        uow.emit(PriorsGathered(drafted.study_id))
    pointing, claim = drafted.pointing, drafted.claim_evidence()
    with pointing._one:
        pointing.point(claim)
    assert job(drafted).state == "queued"
