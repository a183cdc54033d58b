"""The search as a whole: four outcomes, a ledger that says why, and no comparison without evidence (LAW 4, LAW 6)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.db.session import unit_of_work
from app.db.tables import AuditRow, Instance, Job, Study
from app.domain.identifiers import PatientKey, derived_uid
from app.domain.patient import Patient
from app.domain.study import Stage
from app.errors import ArchiveIncomplete, ArchiveUnavailable, ClaimLost, StorageUnavailable
from tests.builders.radiographs import radiograph
from tests.builders.reports import add_signed_report
from tests.priors.documents import FINDINGS, report, section, text

DOWN = ArchiveUnavailable("pacs (PACS at 10.0.0.1:104): no connection; check host.")


def prior(number=1, date="20250301", **values):
    uids = {"StudyInstanceUID": derived_uid("s", str(number)), "SOPInstanceUID": derived_uid("i", str(number))}
    return radiograph(**{**uids, "StudyDate": date, **values})


def uid(number):
    return derived_uid("s", str(number))


def sr_of(study, *content, **values):
    return report(*content, study_instance_uid=study.StudyInstanceUID, StudyDate=study.StudyDate, **values)


def test_the_newest_relevant_study_is_fetched_with_its_report(ward):
    old, new = prior(1, "20240301"), prior(2, "20250301")
    knee = prior(3, "20251201", BodyPartExamined="KNEE", StudyDescription="XR KNEE")
    document = sr_of(new, section(FINDINGS, text("Small left effusion.")))
    pacs = ward.archive("pacs", old, new, knee, document)
    written = ward.gather(ward.study(), pacs)
    assert (written.outcome, written.reason) == ("found", "prior study of 20250301 from pacs")
    assert written.chosen.study_instance_uid == uid(2)
    assert (written.chosen.report_text, written.chosen.report_source) == (
        "Findings: Small left effusion.", "SR from pacs, verified",
    )  # fmt: skip
    (image,) = written.images[written.chosen.id]
    assert (image.sop_instance_uid, image.view_position) == (derived_uid("i", "2"), "PA")
    assert ward.store.path(image.object_key).exists()
    assert written.decisions() == {
        uid(3): ("rejected", "another part of the body (KNEE)"),
        uid(2): ("chosen", "DX, chest, earlier; frontal chest radiograph (PA)"),
        uid(1): ("rejected", "relevant, but older than the prior that was chosen"),
    }
    assert pacs.asked == ["find", "retrieve CR DX", "retrieve SR"]


def test_the_next_stage_is_queued_and_the_search_is_audited(ward):
    study = ward.study()
    ward.gather(study, ward.archive("pacs", prior()))
    with ward.database.reading() as session:
        assert session.get_one(Study, study.id).stage is Stage.DRAFTING
        assert [job.task for job in session.query(Job).filter_by(state="queued")] == ["drafting.write"]
        actions = {row.action: row.detail for row in session.query(AuditRow)}
    assert actions["study.priors_gathered"]["outcome"] == "found"
    assert actions["prior.chosen"] == {"study_instance_uid": uid(1), "source": "pacs"}


def test_no_archive_has_any(ward):
    written = ward.gather(ward.study(), ward.archive("one"), ward.archive("two"))
    assert written.outcome == "none_exist"
    assert "none has an earlier study" in written.reason


def test_nothing_that_is_there_can_be_compared_with(ward):
    lateral = prior(1, ViewPosition="LL")
    later = prior(2, "20260302")
    written = ward.gather(ward.study(), ward.archive("pacs", lateral, later))
    assert written.outcome == "none_exist"
    assert "no frontal chest radiographs" in written.reason
    assert written.decisions()[uid(1)] == ("rejected", "not a frontal view")


def test_without_an_archive_nobody_knows(ward):
    written = ward.gather(ward.study())
    assert written.outcome == "unavailable"
    assert written.reason == "no archive is configured; only studies received here were searched"


def test_without_an_archive_our_own_studies_are_priors(ward):
    ward.own(prior(1))
    written = ward.gather(ward.study())
    assert (written.outcome, written.chosen.source) == ("found", "own")


def test_a_report_signed_here_comes_before_any_document(ward):
    earlier = add_signed_report(ward.database, ward.clock, "Clear lungs.", study_date="20250301", description="CHEST")
    with unit_of_work(ward.database, ward.clock) as uow:
        study = uow.session.get_one(Study, earlier.study_id)
        own = prior(1, StudyInstanceUID=study.study_instance_uid)
        image = uow.session.query(Instance).filter_by(study_id=study.id).one()
        temp = ward.store.incoming_dir / "x.part"
        own.save_as(temp, enforce_file_format=True)
        image.object_key = ward.store.put_bytes(temp.read_bytes())
        image.sop_instance_uid = own.SOPInstanceUID
    pacs = ward.archive("pacs", own, sr_of(own, section(FINDINGS, text("Another text."))))
    written = ward.gather(ward.study(), pacs)
    assert written.chosen.source == "own"
    assert written.chosen.report_text == "Findings: Clear lungs.\nImpression: No acute abnormality."
    assert pacs.asked == ["find"]


def test_the_same_study_in_two_places_is_one_candidate(ward):
    both = prior(1)
    written = ward.gather(ward.study(), ward.archive("one", both), ward.archive("two", both))
    assert len(written.entries) == 1
    assert written.chosen.source == "one"


def test_the_current_study_is_no_prior_of_itself(ward):
    study = ward.study()
    itself = prior(1, "20260228", StudyInstanceUID=study.study_instance_uid)
    assert ward.gather(study, ward.archive("pacs", itself)).entries == []


# --- archives that fail ---------------------------------------------------------------------------------------


def failing(ward, name="down", failure=DOWN, **how):
    archive = ward.archive(name)
    return replace(archive, failure=failure, **how)


def test_an_archive_that_does_not_answer_is_tried_again(ward):
    study = ward.study()
    with pytest.raises(ArchiveUnavailable, match="no connection"):
        ward.gather(study, failing(ward))
    assert ward.ledger(study).outcome is None


def test_the_last_attempt_says_unavailable_and_goes_on(ward):
    study = ward.study()
    written = ward.gather(study, failing(ward), attempts=5)
    assert (written.outcome, written.reason) == ("unavailable", DOWN.message)
    assert written.study.stage is Stage.DRAFTING


def test_one_archive_down_and_another_with_a_prior(ward):
    written = ward.gather(ward.study(), failing(ward), ward.archive("pacs", prior()))
    assert written.outcome == "found"
    assert written.reason == f"prior study of 20250301 from pacs; {DOWN.message}"


def test_one_archive_down_and_another_without_a_prior(ward):
    written = ward.gather(ward.study(), failing(ward), ward.archive("pacs"), attempts=5)
    assert written.outcome == "unavailable"


def test_a_part_is_tried_again_and_never_compared_with(ward):
    study = ward.study()
    part = ArchiveIncomplete("pacs: it announced 2 objects of a series, 1 arrived.")
    pacs = replace(ward.archive("pacs", prior()), retrieve_failure=part)
    with pytest.raises(ArchiveUnavailable, match="1 arrived"):
        ward.gather(study, pacs)


def test_at_last_the_older_that_can_be_fetched_serves(ward):
    study = ward.study()
    ward.own(prior(1, "20240301"))
    pacs = replace(ward.archive("pacs", prior(2, "20250301")), retrieve_failure=DOWN)
    written = ward.gather(study, pacs, attempts=5)
    assert written.outcome == "found"
    assert written.chosen.study_instance_uid == uid(1)
    assert written.decisions()[uid(2)] == ("failed", f"it could not be fetched: {DOWN.message}")
    assert DOWN.message in written.reason


def test_a_second_archive_can_deliver_what_the_first_cannot(ward):
    first = replace(ward.archive("one", prior()), retrieve_failure=DOWN)
    written = ward.gather(ward.study(), first, ward.archive("two", prior()))
    assert (written.outcome, written.chosen.source) == ("found", "two")


def test_an_archive_that_lists_images_and_delivers_none_has_failed(ward):
    pacs = ward.archive("pacs", prior())
    pacs.retrieve = lambda *_asked: []
    written = ward.gather(ward.study(), pacs, attempts=5)
    assert written.outcome == "unavailable"
    assert "delivered none" in written.reason


def test_images_that_cannot_be_read_are_not_no_prior(ward):
    pacs = ward.archive("pacs", prior())
    sent = pacs.retrieve(uid(1), ("DX",))[0]
    whole = ward.store.path(sent.object_key).read_bytes()
    pacs.retrieve = lambda *_asked: [replace(sent, object_key=ward.store.put_bytes(whole[:400]))]
    written = ward.gather(ward.study(), pacs)
    assert written.outcome in {"unavailable", "identity_uncertain"}


def test_a_report_that_cannot_be_fetched_leaves_the_image(ward):
    pacs = ward.archive("pacs", prior(), sr_of(prior()))
    fetch = pacs.retrieve

    def only_images(study_instance_uid, modalities):
        if "SR" in modalities:
            raise DOWN
        return fetch(study_instance_uid, modalities)

    pacs.retrieve = only_images
    written = ward.gather(ward.study(), pacs)
    assert written.outcome == "found"
    assert written.chosen.report_text == ""
    assert "its report could not be read" in written.chosen.reason


def test_a_full_disk_of_ours_is_tried_again(ward):
    pacs = replace(ward.archive("pacs", prior()), retrieve_failure=StorageUnavailable("full"))
    with pytest.raises(StorageUnavailable):
        ward.gather(ward.study(), pacs, attempts=5)


# --- whose study is it ----------------------------------------------------------------------------------------


def test_without_a_patient_id_nobody_is_asked(ward):
    pacs = ward.archive("pacs", prior(1, PatientID=""))
    written = ward.gather(ward.study(patient_id=""), pacs)
    assert written.outcome == "identity_uncertain"
    assert pacs.asked == []


def test_without_a_study_date_none_is_earlier(ward):
    written = ward.gather(ward.study(study_date=""), ward.archive("pacs", prior()))
    assert (written.outcome, written.entries) == ("unavailable", [])


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"PatientBirthDate": "19600102"}, "birth dates differ"),
        ({"PatientSex": "M"}, "sexes differ"),
        ({"IssuerOfPatientID": None}, "only one of the two studies names the issuer"),
    ],
)
def test_a_patient_who_may_be_another_is_not_compared_with(ward, values, says):
    written = ward.gather(ward.study(), ward.archive("pacs", prior(1, **values)))
    assert written.outcome == "identity_uncertain"
    assert says in written.reason
    assert written.chosen is None


def test_an_object_whose_own_header_names_another_patient_is_refused(ward):
    pacs = ward.archive("pacs", prior())
    listed = pacs.find_studies(PatientKey("P-1", "HOSPITAL"), "20260301", "20200101")
    pacs.held[0].PatientID = "P-2"
    pacs.find_studies = lambda *_asked: listed
    written = ward.gather(ward.study(), pacs)
    assert written.outcome == "identity_uncertain"
    assert "in the header of what was fetched: another patient ID" in written.reason


def test_priors_are_never_joined_across_issuers(ward):
    ward.own(prior(1, IssuerOfPatientID="ELSEWHERE"), issuer="ELSEWHERE")
    pacs = ward.archive("pacs", prior(2, IssuerOfPatientID="ELSEWHERE"))
    written = ward.gather(ward.study(), pacs)
    assert (written.outcome, written.entries) == ("none_exist", [])


def test_an_own_study_without_an_issuer_casts_doubt(ward):
    ward.own(prior(1), issuer="")
    written = ward.gather(ward.study(), ward.archive("pacs"))
    assert written.outcome == "identity_uncertain"


def test_a_certain_prior_outweighs_a_doubtful_one(ward):
    doubtful = prior(1, "20250901", PatientSex="M")
    written = ward.gather(ward.study(), ward.archive("pacs", doubtful, prior(2)))
    assert written.outcome == "found"
    assert written.chosen.study_instance_uid == uid(2)


# --- the record -----------------------------------------------------------------------------------------------


def test_only_so_many_are_looked_into(ward):
    laterals = [prior(n, f"2025010{n}", ViewPosition="LL") for n in range(1, 4)]
    written = ward.gather(ward.study(), ward.archive("pacs", *laterals), max_priors=2)
    assert written.decisions()[uid(1)] == ("rejected", "not looked into: 2 newer studies were")


def test_what_is_older_than_the_look_back_is_not_listed(ward):
    written = ward.gather(ward.study(), ward.archive("pacs", prior(1, "20200101")), lookback_days=365)
    assert written.entries == []


def test_of_two_frontal_images_the_current_view_comes_first(ward):
    ap, pa = prior(1, ViewPosition="AP"), prior(1, ViewPosition="PA", SOPInstanceUID=derived_uid("pa"))
    study = ward.study()
    with unit_of_work(ward.database, ward.clock) as uow:
        uow.session.add(
            Instance(
                study_id=study.id,
                sop_instance_uid="1.9",
                sop_class_uid="1.2",
                series_instance_uid="1.3",
                transfer_syntax_uid="1.2",
                modality="DX",
                view_position="AP",
                object_key="",
                digest="",
                size=1,
                revision=1,
                received_at=uow.now,
            )
        )
    written = ward.gather(study, ward.archive("pacs", pa, ap))
    views = {image.view_position for image in written.images[written.chosen.id]}
    assert views == {"AP", "PA"}


def test_a_second_search_of_the_same_revision_replaces_the_ledger(ward):
    study = ward.study()
    ward.gather(study, ward.archive("pacs", prior(1)))
    with unit_of_work(ward.database, ward.clock) as uow:
        row = uow.study(study.id)
        row.stage = Stage.GATHERING_PRIORS
        uow.session.query(Job).update({"state": "superseded"})
        from app.domain.events import RedraftRequested

        uow.emit(RedraftRequested(study.id))
    written = ward.gather(study, ward.archive("pacs", prior(2)))
    assert [entry.study_instance_uid for entry in written.entries] == [uid(2)]


def test_a_late_image_makes_the_search_worthless(ward):
    study = ward.study()
    with unit_of_work(ward.database, ward.clock) as uow:
        uow.study(study.id).revision = 2
    with pytest.raises(ClaimLost):
        ward.gather(study, ward.archive("pacs", prior()))
    assert ward.ledger(study).entries == []


def test_the_patient_as_an_archive_describes_one_is_no_log(ward):
    """An error for the log says nothing of the patient."""
    study = ward.study()
    with pytest.raises(ArchiveUnavailable) as caught:
        ward.gather(study, failing(ward))
    patient = Patient(PatientKey("P-1", "HOSPITAL"), "Phantom^One", "19600101")
    assert not any(part in caught.value.message for part in (patient.key.patient_id, patient.name, patient.birth_date))
