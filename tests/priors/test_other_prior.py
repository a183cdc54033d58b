"""A reader asks for another earlier study: fetched and verified as the chosen one was; nothing is drafted from it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.db.jobs import claim
from app.db.session import unit_of_work
from app.db.tables import AuditRow, Instance, Job, Study
from app.domain.events import PriorWanted, RedraftRequested
from app.domain.priors import PriorDecision
from app.domain.study import Stage
from app.errors import ArchiveUnavailable, ClaimLost
from app.priors.handlers import NOT_LISTED, PriorSearch
from app.worker import JobRunner
from tests.priors.conftest import HeaderReader
from tests.priors.documents import FINDINGS, report, section, text
from tests.priors.test_prior_search import DOWN, prior, uid

OLD, NEW = prior(1, "20240301"), prior(2, "20250301")


def search_of(ward, *archives):
    return PriorSearch(ward.database, ward.clock, archives, ward.store, HeaderReader())


def entry_of(ward, study, number=1):
    return next(entry for entry in ward.ledger(study).entries if entry.study_instance_uid == uid(number))


def wanted(ward, study, number=1, attempts=1):
    """The job of a reader's wish, as a worker holds it."""
    entry = entry_of(ward, study, number)
    with unit_of_work(ward.database, ward.clock) as uow:
        uow.emit(PriorWanted(study.id, entry.id))
        job = uow.session.query(Job).filter_by(task="priors.fetch", state="queued").one()
        job.attempts = attempts - 1
        uow.session.flush()
        return claim(uow.session, uow.now, job.id, job.token)


def images_of(ward, entry):
    return ward.ledger(Study(id=entry.study_id)).images[entry.id]


def jobs_of(ward, study):
    with ward.database.reading() as session:
        return sorted((job.task, job.state) for job in session.query(Job).filter_by(study_id=study.id))


def audited(ward, action):
    with ward.database.reading() as session:
        return [row.detail for row in session.query(AuditRow).filter_by(action=action)]


@pytest.fixture
def pacs(ward):
    return ward.archive("pacs", OLD, NEW)


@pytest.fixture
def study(ward, pacs):
    """Its search chose the newer of two."""
    study = ward.study()
    ward.gather(study, pacs)
    return study


def test_an_older_study_is_fetched_and_the_ledger_of_the_draft_stays_as_it_was(ward, pacs, study):
    before = ward.ledger(study).decisions()
    asked = len(pacs.asked)
    search_of(ward, pacs).fetch(wanted(ward, study))
    entry = entry_of(ward, study)
    (image,) = images_of(ward, entry)
    assert (image.sop_instance_uid, image.view_position) == (OLD.SOPInstanceUID, "PA")
    assert ward.store.path(image.object_key).exists()
    assert (entry.fetched_at, entry.fetch_failure) == (ward.clock.now(), "")
    assert ward.ledger(study).decisions() == before
    assert ward.ledger(study).chosen.study_instance_uid == uid(2)
    assert pacs.asked[asked:] == ["find", "retrieve CR DX"]
    assert audited(ward, "study.prior_fetched") == [
        {"state": "drafting", "revision": 1, "study_instance_uid": uid(1)},
    ]


def test_no_draft_is_begun_by_it(ward, pacs, study):
    search_of(ward, pacs).fetch(wanted(ward, study))
    assert jobs_of(ward, study) == [
        ("drafting.write", "queued"), ("priors.fetch", "done"), ("priors.gather", "done"),
    ]  # fmt: skip
    assert ward.ledger(study).study.stage is Stage.DRAFTING


def test_a_study_that_came_here_directly_is_looked_at_too(ward):
    ward.own(OLD)
    study = ward.study()
    ward.gather(study, ward.archive("pacs", NEW))
    search_of(ward, ward.archive("pacs", NEW)).fetch(wanted(ward, study))
    assert len(images_of(ward, entry_of(ward, study))) == 1


# --- an archive that is away ----------------------------------------------------------------------------------


def test_an_archive_that_is_away_is_tried_again(ward, pacs, study):
    held = wanted(ward, study)
    with pytest.raises(ArchiveUnavailable, match="no connection"):
        search_of(ward, replace(pacs, failure=DOWN)).fetch(held)
    assert entry_of(ward, study).fetched_at is None
    search_of(ward, pacs).fetch(held)
    assert entry_of(ward, study).fetched_at is not None


@pytest.mark.parametrize("how", ["failure", "retrieve_failure"])
def test_the_last_attempt_tells_why_and_leaves_no_dead_letter(ward, pacs, study, how):
    search_of(ward, replace(pacs, **{how: DOWN})).fetch(wanted(ward, study, attempts=5))
    entry = entry_of(ward, study)
    assert (entry.standing, entry.fetched_at, entry.fetch_failure) == ("usable", None, DOWN.message)
    assert ("priors.fetch", "done") in jobs_of(ward, study)
    (told,) = audited(ward, "study.prior_not_fetched")
    assert told["reason"] == DOWN.message


def test_after_a_failure_it_can_be_asked_for_again(ward, pacs, study):
    search_of(ward, replace(pacs, failure=DOWN)).fetch(wanted(ward, study, attempts=5))
    search_of(ward, pacs).fetch(wanted(ward, study))
    entry = entry_of(ward, study)
    assert (entry.fetch_failure, len(images_of(ward, entry))) == ("", 1)


def test_a_fault_of_our_own_is_a_dead_letter_and_no_study_fails_for_it(ward, study):
    def fail(_claim):
        raise RuntimeError

    with unit_of_work(ward.database, ward.clock) as uow:
        uow.emit(PriorWanted(study.id, entry_of(ward, study).id))
        job = uow.session.query(Job).filter_by(task="priors.fetch").one()
        job.attempts = 4
    JobRunner(ward.database, ward.clock, {"priors.fetch": fail}).run(job.id, job.token)
    assert ("priors.fetch", "dead") in jobs_of(ward, study)
    assert ward.ledger(study).study.stage is Stage.DRAFTING


# --- identity: never fetched, never shown ---------------------------------------------------------------------


def changed(archive, **values):
    """The archive, with the older study as it holds it now."""
    return replace(archive, held=[prior(1, "20240301", **values), NEW])


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"PatientBirthDate": "19700707"}, "birth dates differ"),
        ({"PatientSex": "M"}, "sexes differ"),
        ({"IssuerOfPatientID": None}, "issuer"),
    ],
)
def test_a_doubt_about_whose_it_is_refuses_it_for_good(ward, pacs, study, values, why):
    search_of(ward, changed(pacs, **values)).fetch(wanted(ward, study))
    entry = entry_of(ward, study)
    assert (entry.standing, entry.fetched_at) == ("identity", None)
    assert why in entry.fetch_failure
    assert images_of(ward, entry) == []


@pytest.mark.parametrize(
    "values",
    [{"PatientID": "P-2"}, {"IssuerOfPatientID": "ELSEWHERE"}, {"PatientBirthDate": "19700707"}, {"PatientSex": "M"}],
)
def test_an_archive_that_lists_one_patient_and_sends_another_shows_nothing(ward, pacs, study, values):
    lying = prior(1, "20240301", **values)

    class Lying(type(pacs)):
        def retrieve(self, study_instance_uid, modalities):
            return (
                [self._stored(lying)]
                if study_instance_uid == uid(1)
                else super().retrieve(study_instance_uid, modalities)
            )

    archive = Lying(ward.store, "pacs", [OLD, NEW])
    search_of(ward, archive).fetch(wanted(ward, study))
    entry = entry_of(ward, study)
    assert (entry.standing, entry.fetched_at, images_of(ward, entry)) == ("identity", None, [])
    assert "in the header of what was fetched" in entry.fetch_failure


def test_one_source_in_doubt_is_enough_although_another_is_clear(ward, pacs, study):
    doubtful = replace(changed(pacs, PatientBirthDate="19700707"), name="second")
    search_of(ward, pacs, doubtful).fetch(wanted(ward, study))
    entry = entry_of(ward, study)
    assert (entry.standing, images_of(ward, entry)) == ("identity", [])


def test_a_study_that_was_moved_to_another_patient_is_not_fetched(ward, pacs, study):
    search_of(ward, changed(pacs, PatientID="P-2")).fetch(wanted(ward, study))
    entry = entry_of(ward, study)
    assert (entry.fetch_failure, images_of(ward, entry)) == (NOT_LISTED, [])


def test_what_turns_out_to_be_no_frontal_chest_is_not_shown(ward, pacs, study):
    search_of(ward, changed(pacs, ViewPosition="LL")).fetch(wanted(ward, study))
    entry = entry_of(ward, study)
    assert (entry.standing, entry.fetch_failure, images_of(ward, entry)) == ("unfit", "not a frontal view", [])


def test_the_search_says_of_each_candidate_whether_it_may_be_asked_for(ward):
    held = {
        1: prior(1, "20250801"),
        2: prior(2, "20250701"),
        3: prior(3, "20250601", PatientBirthDate="19700707"),
        4: prior(4, "20250501", BodyPartExamined="KNEE", StudyDescription="XR KNEE"),
        5: prior(5, "20251001", ViewPosition="LL"),
    }
    study = ward.study()
    ward.gather(study, ward.archive("pacs", *held.values()))
    standings = {number: entry_of(ward, study, number).standing for number in held}
    assert standings == {1: "usable", 2: "usable", 3: "identity", 4: "unfit", 5: "unfit"}


# --- another ledger -------------------------------------------------------------------------------------------


def redrafted(ward, study, *archives):
    """A reader asked for another draft: the search writes the ledger of the same image set anew."""
    with unit_of_work(ward.database, ward.clock) as uow:
        uow.session.query(Job).filter_by(task="drafting.write").delete()
        uow.study(study.id).stage = Stage.GATHERING_PRIORS
        uow.emit(RedraftRequested(study.id))
    return ward.gather(study, *archives)


def test_another_search_drops_the_wish(ward, pacs, study):
    held = wanted(ward, study)
    redrafted(ward, study, pacs)
    with pytest.raises(ClaimLost):
        search_of(ward, pacs).fetch(held)


def test_a_new_image_set_drops_the_wish(ward, pacs, study):
    held = wanted(ward, study)
    with unit_of_work(ward.database, ward.clock) as uow:
        uow.study(study.id).revision = 2
    with pytest.raises(ClaimLost):
        search_of(ward, pacs).fetch(held)
    assert images_of(ward, entry_of(ward, study)) == []


def test_a_redraft_forgets_the_images_with_the_ledger_that_had_them(ward, pacs, study):
    search_of(ward, pacs).fetch(wanted(ward, study))
    written = redrafted(ward, study, pacs)
    entry = entry_of(ward, study)
    assert (entry.standing, entry.fetched_at, written.images[entry.id]) == ("usable", None, [])
    assert [image.sop_instance_uid for image in written.images[written.chosen.id]] == [NEW.SOPInstanceUID]


def test_the_report_of_a_picked_study_is_not_asked_for(ward, pacs, study):
    pacs.held.append(report(section(FINDINGS, text("Clear.")), study_instance_uid=uid(1), StudyDate="20240301"))
    search_of(ward, pacs).fetch(wanted(ward, study))
    assert entry_of(ward, study).report_text == ""
    assert entry_of(ward, study).decision == PriorDecision.REJECTED
    with ward.database.reading() as session:
        assert session.query(Instance).count() == 0
