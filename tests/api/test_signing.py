"""What it takes to sign, what a signature binds, and that a signed text never changes (LAW 5)."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.access import Role
from app.db.session import unit_of_work
from app.db.tables import Addendum, Job, Report
from app.domain.signature import Signature, SignedStudy, addendum_digest, report_digest
from app.domain.study import Stage
from tests.api.acts import (
    DECIDED,
    FINDINGS,
    REPORTS,
    SIGNING,
    TEXT,
    begin,
    drafted_again,
    late_image,
    save,
    sign,
    signed_report,
)
from tests.builders.reading import add_ready_study
from tests.builders.studies import add_study


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ({**TEXT, "sentences": DECIDED[:1] + DECIDED[2:]}, "flagged sentence 1 is not decided"),
        ({**TEXT, "sentences": DECIDED[1:]}, "sentence 0 is not decided"),
        ({**TEXT, "findings": "Nothing of the kind."}, "sentence 0 is accepted, but its text is not in the report"),
        (
            {**TEXT, "findings": f"{FINDINGS} New small  left\npleural effusion."},
            "sentence 1 is rejected, but its text is in the report",
        ),
        (
            {
                "findings": " ",
                "impression": "",
                "sentences": [{**sentence, "decision": "rejected"} for sentence in DECIDED],
            },
            "the report is empty",
        ),
    ],
)
def test_nothing_is_signed_by_default(house, text, reason):
    study, draft = add_ready_study(house.database, house.clock)
    reader = house.reader()
    report = save(reader, begin(reader, study, draft), text)
    answer = sign(reader, report)
    assert answer.status_code == 409
    assert reason in answer.json()["reasons"]
    assert reader.get(f"{REPORTS}/{report['id']}").json()["status"] == "preliminary"
    assert house.study(study.id).stage is Stage.IN_REVIEW


@pytest.mark.parametrize("tag", ['"older"', "*", 'W/"x"', ""])
def test_a_signature_under_another_version_is_refused_and_signs_nothing(either_house, tag):
    """409 as for every other stale signature; a save under another version is 412."""
    house = either_house
    study, draft = add_ready_study(house.database, house.clock)
    reader = house.reader()
    report = save(reader, begin(reader, study, draft))
    answer = reader.post(f"{REPORTS}/{report['id']}/sign", json=SIGNING, headers={"If-Match": tag})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:unirg:problem:signature-stale")
    assert house.study(study.id).stage is Stage.IN_REVIEW


def test_a_signature_for_the_text_before_the_last_save_is_refused_each_time(house):
    study, draft = add_ready_study(house.database, house.clock)
    reader = house.reader()
    report = save(reader, begin(reader, study, draft))
    for turn in range(20):
        newer = save(reader, report, {**TEXT, "findings": f"{FINDINGS} {turn}."})
        assert sign(reader, report).status_code == 409
        report = newer
    assert sign(reader, report).status_code == 200


def test_signing_asks_for_the_password_again(house):
    study, draft = add_ready_study(house.database, house.clock)
    reader = house.reader()
    report = save(reader, begin(reader, study, draft))
    for _ in range(10):
        answer = sign(reader, report, password="not the password")
        assert answer.status_code == 403
        assert answer.json()["type"] == "urn:unirg:problem:password-refused"
    assert sign(reader, report).status_code == 429
    assert house.study(study.id).stage is Stage.IN_REVIEW
    assert len(house.audited("auth.confirmation_failed")) == 10


def test_another_readers_password_signs_nothing(house):
    study, draft = add_ready_study(house.database, house.clock)
    reader = house.reader()
    report = save(reader, begin(reader, study, draft))
    machine = house.machine("robot", Role.RADIOLOGIST)
    answer = machine.post(f"{REPORTS}/{report['id']}/sign", json=SIGNING, headers={"If-Match": f'"{report["etag"]}"'})
    assert answer.status_code == 403


def test_a_late_image_makes_the_draft_stale_and_the_report_unsignable_until_the_reader_looked(house):
    study, draft = add_ready_study(house.database, house.clock)
    reader = house.reader()
    report = save(reader, begin(reader, study, draft))
    late_image(house, study)
    answer = sign(reader, report)
    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:unirg:problem:draft-stale"
    report = save(reader, report)
    assert house.study(study.id).stage is Stage.RECEIVING
    newer = drafted_again(house, study)
    assert sign(reader, report).status_code == 409
    report = begin(reader, study, newer)
    assert (report["draft_id"], report["findings"]) == (newer.id, FINDINGS)
    assert {sentence["decision"] for sentence in report["sentences"]} == {"pending"}
    assert sign(reader, save(reader, report)).status_code == 200


def test_a_report_whose_draft_went_stale_without_another_goes_on_by_hand(house):
    study, draft = add_ready_study(house.database, house.clock)
    reader = house.reader()
    report = save(reader, begin(reader, study, draft))
    late_image(house, study)
    with unit_of_work(house.database, house.clock) as uow:
        row = uow.study(study.id)
        row.stage, row.current_draft_id = Stage.DRAFT_UNAVAILABLE, None
    assert sign(reader, save(reader, report)).status_code == 409
    report = begin(reader, study)
    assert (report["draft_id"], report["sentences"], report["findings"]) == (None, [], FINDINGS)
    assert begin(reader, study) == report
    assert sign(reader, report).status_code == 200


def test_a_late_image_stops_a_report_by_hand_until_it_is_saved_again(house):
    study = add_study(house.database, house.clock, Stage.DRAFT_UNAVAILABLE)
    reader = house.reader()
    text = {"findings": "Clear lungs.", "impression": "Normal.", "sentences": []}
    report = save(reader, begin(reader, study), text)
    late_image(house, study)
    assert sign(reader, report).status_code == 409
    drafted_again(house, study)
    assert sign(reader, report).status_code == 409
    assert sign(reader, save(reader, report, text)).status_code == 200


def test_a_signed_text_never_changes(either_house):
    house = either_house
    reader = house.reader()
    study, report = signed_report(house, reader)
    path, tag = f"{REPORTS}/{report['id']}", {"If-Match": f'"{report["etag"]}"'}
    for headers in ({}, tag, {"If-Match": '"other"'}):
        assert reader.put(path, json=TEXT, headers=headers).status_code == 409
        assert reader.post(f"{path}/sign", json=SIGNING, headers=headers).status_code == 409
    assert reader.post(f"{path}/reject", json={"reason": "no"}).status_code == 409
    assert reader.post(REPORTS, json={"study_instance_uid": study.study_instance_uid}).status_code == 409
    assert reader.post(f"/api/v1/studies/{study.study_instance_uid}/redraft").status_code == 409
    assert reader.get(path).json() == report


def test_the_signature_binds_text_patient_signer_time_and_meaning(house):
    reader = house.reader()
    study, report = signed_report(house, reader)
    with house.database.reading() as session:
        row = session.get_one(Report, report["id"])
    signature = Signature(row.signer_id, row.signer_name, row.signed_at, row.meaning)
    about = SignedStudy(study.study_instance_uid, study.patient.key)
    facts = (row.id, about, row.findings, row.impression, signature)
    assert row.signed_digest == report_digest(*facts)
    changed = [(new_id, about, row.findings, row.impression, signature) for new_id in ("0" * 32,)] + [
        (row.id, about, row.findings + ".", row.impression, signature),
        (row.id, about, row.findings + row.impression[:1], row.impression[1:], signature),
        (row.id, SignedStudy("1.2.3", study.patient.key), row.findings, row.impression, signature),
    ]
    assert all(report_digest(*other) != row.signed_digest for other in changed)
    (entry,) = house.audited("report.signed")
    assert entry.detail["signed_digest"] == row.signed_digest
    assert len(entry.detail["image_digests"]) == 1


def test_an_addendum_is_signed_text_beside_the_report(either_house):
    house = either_house
    ada, bob = house.reader("ada"), house.reader("bob")
    study, report = signed_report(house, ada)
    with unit_of_work(house.database, house.clock) as uow:
        uow.study(study.id).addendum_suggested = True
    path = f"{REPORTS}/{report['id']}/addenda"
    wrong = {"text": "Also: a rib.", **SIGNING, "password": "not the password"}
    assert bob.post(path, json=wrong).status_code == 403
    for number, text in enumerate(("Also: a rib.", "And a clip."), 1):
        answer = bob.post(path, json={"text": text, **SIGNING})
        assert answer.status_code == 201, answer.text
        assert [a["number"] for a in answer.json()["addenda"]] == list(range(1, number + 1))
    after = answer.json()
    assert after["status"] == "appended"
    assert (after["findings"], after["signature"]) == (report["findings"], report["signature"])
    assert after["addenda"][0]["signature"]["name"] == "Dr Bob"
    assert house.study(study.id).addendum_suggested is False
    with house.database.reading() as session:
        row = session.scalars(sa.select(Addendum).where(Addendum.number == 2)).one()
        digest = session.get_one(Report, report["id"]).signed_digest
        targets = list(session.scalars(sa.select(Job.target).where(Job.task == "delivery.send")))
    signature = Signature(row.signer_id, row.signer_name, row.signed_at, row.meaning)
    assert row.signed_digest == addendum_digest(digest, 2, "And a clip.", signature)
    assert sorted(targets) == sorted([report["id"], *(a["id"] for a in after["addenda"])])


def test_an_unsigned_report_takes_no_addendum(house):
    study, draft = add_ready_study(house.database, house.clock)
    reader = house.reader()
    report = begin(reader, study, draft)
    assert reader.post(f"{REPORTS}/{report['id']}/addenda", json={"text": "x", **SIGNING}).status_code == 409
