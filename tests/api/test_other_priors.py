"""A reader asks to be shown another earlier study of the same patient; of no other is ever an image shown."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.access import Role
from app.db import audit_trail
from app.db.session import unit_of_work
from app.db.tables import Draft, Job, PriorImageRow
from app.domain.identifiers import derived_uid
from app.domain.priors import Standing
from app.domain.study import Stage
from app.worker import JobRunner
from tests.api.modes import in_mode, path, view
from tests.builders.reading import add_image, add_ready_study
from tests.builders.studies import add_study
from tests.web.ledger import AWAY, Ledger

DATE = "20230301"


@pytest.fixture
def ledger(house, pixels):
    return Ledger(house.database, house.clock, house.store, pixels)


def ask(reader, study, entry):
    return reader.post(path(study, f"/priors/{entry.study_instance_uid}/fetch"))


def told(reader, study, entry):
    """The entry as the study's answer has it."""
    body = reader.get(path(study)).json()
    return next(one for one in body["priors"]["entries"] if one["study_instance_uid"] == entry.study_instance_uid)


def frame(reader, image):
    return reader.get(image["display_url"])


def fetched(ledger, reader, study, entry):
    assert ask(reader, study, entry).status_code == 202
    ledger.work()
    return told(reader, study, entry)["images"]


def test_an_earlier_study_is_fetched_once_and_its_image_shown(either_house, pixels):
    house = either_house
    ledger, reader = Ledger(house.database, house.clock, house.store, pixels), house.reader()
    study, draft = add_ready_study(house.database, house.clock)
    entry = ledger.add(study, DATE)
    before = reader.get(path(study)).json()
    assert (told(reader, study, entry)["fetch"], told(reader, study, entry)["images"]) == ("not_fetched", [])

    for _ in range(3):
        answer = ask(reader, study, entry)
        assert (answer.status_code, answer.json()["fetch"]) == (202, "fetching")
    assert ledger.work() == 1
    assert ask(reader, study, entry).json()["fetch"] == "fetched"
    assert ledger.work() == 0

    line = told(reader, study, entry)
    (image,) = line["images"]
    assert (image["role"], image["view"], image["study_date"]) == ("prior", "PA", DATE)
    assert (line["fetch"], line["fetch_reason"], line["decision"]) == ("fetched", None, "rejected")
    assert frame(reader, image).status_code == 200
    after = reader.get(path(study)).json()
    assert (after["images"], after["state"], after["current_draft"]) == (
        before["images"], before["state"], {"id": draft.id, "version": 1, "stale": False},
    )  # fmt: skip
    with house.database.reading() as session:
        assert [job.task for job in session.scalars(sa.select(Job))] == ["priors.fetch"]
        assert audit_trail.verify(session).ok


def test_who_asked_and_what_came_is_audited_and_told_to_those_who_listen(house, ledger):
    reader, (study, _) = house.reader(), add_ready_study(house.database, house.clock)
    entry = ledger.add(study, DATE)
    fetched(ledger, reader, study, entry)
    (asked,) = house.audited("prior.wanted")
    assert (asked.actor, asked.study_id, asked.detail["study_instance_uid"]) == (
        "user:ada", study.id, entry.study_instance_uid,
    )  # fmt: skip
    (change,) = house.machine().get("/api/v1/changes").json()["items"]
    assert (change["action"], change["study_instance_uid"], change["state"]) == (
        "study.prior_fetched", study.study_instance_uid, "ready",
    )  # fmt: skip


def test_a_pacs_that_is_away_is_tried_again_then_told_and_may_be_asked_anew(house, ledger):
    reader, (study, _) = house.reader(), add_ready_study(house.database, house.clock)
    entry = ledger.add(study, DATE)
    ledger.away()
    ask(reader, study, entry)
    for _ in range(4):
        ledger.work()
        assert (told(reader, study, entry)["fetch"], told(reader, study, entry)["fetch_reason"]) == (
            "fetching", AWAY.message,
        )  # fmt: skip
    ledger.work()
    assert (told(reader, study, entry)["fetch"], told(reader, study, entry)["fetch_reason"]) == ("failed", AWAY.message)
    assert ledger.work() == 0
    (change,) = house.machine().get("/api/v1/changes").json()["items"]
    assert change["action"] == "study.prior_not_fetched"

    ledger.back()
    assert ask(reader, study, entry).json()["fetch"] == "fetching"
    ledger.work()
    assert told(reader, study, entry)["fetch"] == "fetched"


def test_a_job_that_died_is_told_and_taken_up_by_the_next_wish(house, ledger):
    reader, (study, _) = house.reader(), add_ready_study(house.database, house.clock)
    entry = ledger.add(study, DATE)
    ask(reader, study, entry)

    def fail(_claim):
        raise RuntimeError

    for _ in range(5):
        (job,) = ledger.waiting()
        JobRunner(house.database, house.clock, {"priors.fetch": fail}).run(job.id, job.token)
    assert (told(reader, study, entry)["fetch"], told(reader, study, entry)["fetch_reason"]) == (
        "failed", "internal error (RuntimeError)",
    )  # fmt: skip
    assert house.study(study.id).stage is Stage.READY
    assert len(fetched(ledger, reader, study, entry)) == 1
    with house.database.reading() as session:
        assert [job.state for job in session.scalars(sa.select(Job))] == ["done"]


# --- the same, verified patient -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("standing", "fetch", "words"),
    [
        (Standing.IDENTITY, "identity_uncertain", "It is not certain that this study is of the same patient (why)"),
        (Standing.UNFIT, "unfit", "no chest radiograph to compare with (why)"),
    ],
)
def test_what_the_search_found_doubtful_or_unfit_is_refused_in_words(house, ledger, standing, fetch, words):
    reader, (study, _) = house.reader(), add_ready_study(house.database, house.clock)
    entry = ledger.add(study, DATE, standing, "why")
    answer = ask(reader, study, entry)
    assert (answer.status_code, answer.json()["title"]) == (409, "This earlier study cannot be shown")
    assert words in answer.json()["detail"]
    assert (told(reader, study, entry)["fetch"], told(reader, study, entry)["fetch_reason"]) == (fetch, "why")
    assert ledger.waiting() == []


def test_what_turns_out_to_be_another_patients_is_never_shown(house, ledger):
    reader, (study, _) = house.reader(), add_ready_study(house.database, house.clock)
    entry = ledger.add(study, DATE, PatientBirthDate="19310101")
    assert fetched(ledger, reader, study, entry) == []
    assert told(reader, study, entry)["fetch"] == "identity_uncertain"
    assert ask(reader, study, entry).status_code == 409
    (hidden,) = ledger.pacs.held
    assert reader.get(f"/api/v1/instances/{hidden.SOPInstanceUID}/display").status_code == 404


def test_of_500_foreign_studies_none_is_fetched_or_shown(house, ledger):
    """Of other patients, of other studies' ledgers, in the PACS or in our own store, and made up."""
    reader, (study, _) = house.reader(), add_ready_study(house.database, house.clock)
    other, _ = add_ready_study(house.database, house.clock, patient_id="P-2")
    theirs = ledger.add(other, DATE, PatientID="P-2")
    received = add_study(house.database, house.clock, Stage.READY, patient_id="P-3")
    add_image(house.database, house.clock, received, house.store)
    known = [theirs.study_instance_uid, other.study_instance_uid, received.study_instance_uid, study.study_instance_uid]
    tried = []

    @settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(known) | st.integers(1, 10**30).map(lambda number: derived_uid("foreign", str(number))))
    def attempt(uid):
        tried.append(uid)
        assert reader.post(path(study, f"/priors/{uid}/fetch")).status_code == 404

    attempt()
    for uid in known:
        assert reader.post(path(study, f"/priors/{uid}/fetch")).status_code == 404
    assert len(tried) >= 500
    assert ledger.waiting() == []
    (hidden,) = ledger.pacs.held
    assert reader.get(f"/api/v1/instances/{hidden.SOPInstanceUID}/display").status_code == 404
    shown = {image["study_instance_uid"] for image in reader.get(path(study)).json()["images"]}
    assert shown & set(known) == {study.study_instance_uid} & shown
    assert house.audited("prior.wanted") == []


def test_a_machine_asks_for_nothing_whatever_its_role(house, ledger):
    study, _ = add_ready_study(house.database, house.clock)
    entry = ledger.add(study, DATE)
    answer = ask(house.machine("robot", Role.RADIOLOGIST), study, entry)
    assert (answer.status_code, ledger.waiting()) == (403, [])


# --- what it leaves as it is ----------------------------------------------------------------------------------


def test_a_view_of_it_is_no_receipt_and_look_first_asks_for_the_same_images(house, ledger, pixels):
    strict = in_mode(house, pixels, "look-first")
    reader, (study, _) = strict.reader(), add_ready_study(house.database, house.clock)
    before = reader.get(path(study)).json()["reading"]
    (image,) = fetched(ledger, reader, study, ledger.add(study, DATE))
    assert reader.get(path(study)).json()["reading"] == before
    answer = reader.post(path(study, "/views"), json={"sop_instance_uid": image["sop_instance_uid"]})
    assert answer.status_code == 404
    (chosen,) = (one for one in reader.get(path(study)).json()["images"] if one["role"] == "prior")
    assert chosen["sop_instance_uid"] in view(reader, study, chosen["sop_instance_uid"])["viewed"]


def test_the_draft_names_the_prior_that_it_was_written_from(house, ledger):
    reader, (study, draft) = house.reader(), add_ready_study(house.database, house.clock)
    (chosen,) = reader.get(path(study)).json()["priors"]["entries"]
    assert chosen["of_draft"] is False
    with unit_of_work(house.database, house.clock) as uow:
        row = uow.session.get_one(Draft, draft.id)
        row.prior_study_instance_uid, row.prior_study_date = chosen["study_instance_uid"], chosen["study_date"]
    entry = ledger.add(study, DATE)
    fetched(ledger, reader, study, entry)
    lines = reader.get(path(study)).json()["priors"]["entries"]
    assert {line["study_instance_uid"]: line["of_draft"] for line in lines} == {
        chosen["study_instance_uid"]: True, entry.study_instance_uid: False,
    }  # fmt: skip
    named = reader.get(f"/api/v1/drafts/{draft.id}").json()["prior_study_instance_uid"]
    assert named == chosen["study_instance_uid"]


def test_a_new_image_set_has_a_ledger_of_its_own(house, ledger):
    reader, (study, _) = house.reader(), add_ready_study(house.database, house.clock)
    entry = ledger.add(study, DATE)
    fetched(ledger, reader, study, entry)
    with unit_of_work(house.database, house.clock) as uow:
        row = uow.study(study.id)
        row.stage, row.revision, row.prior_outcome = Stage.RECEIVING, 2, None
    assert reader.get(path(study)).json()["priors"]["entries"] == []
    assert ask(reader, study, entry).status_code == 404
    with unit_of_work(house.database, house.clock) as uow:
        row = uow.study(study.id)
        row.stage, row.prior_outcome = Stage.READY, "found"
    assert ask(reader, study, entry).status_code == 404
    again = ledger.add(house.study(study.id), DATE)
    assert told(reader, study, again)["fetch"] == "not_fetched"
    assert len(fetched(ledger, reader, study, again)) == 1
    with house.database.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(PriorImageRow)) == 3
