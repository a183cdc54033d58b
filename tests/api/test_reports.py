"""A report's life over HTTP: begun, saved, signed, added to; and who may not interfere."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.access import Role
from app.db import audit_trail
from app.db.report_tables import CriticalResult, WithdrawnReport
from app.db.session import unit_of_work
from app.db.tables import Addendum, Delivery, Job, ReadingLock, Report
from app.domain.signature import Signature, SignedStudy, addendum_digest, report_digest
from app.domain.study import Stage
from tests.builders.reading import PASSWORD, add_draft, add_ready_study
from tests.builders.studies import add_study

REPORTS = "/api/v1/reports"
MEANING = "I have reviewed the images and this is my report"
FINDINGS, IMPRESSION = "The heart is enlarged.", "Cardiomegaly."
DECIDED = [
    {"index": 0, "decision": "accepted", "text": "The heart is enlarged."},
    {"index": 1, "decision": "rejected", "text": "New small left pleural effusion."},
    {"index": 2, "decision": "accepted", "text": "Cardiomegaly."},
]
TEXT = {"findings": FINDINGS, "impression": IMPRESSION, "sentences": DECIDED}
SIGNING = {"password": PASSWORD, "meaning": MEANING}


def begin(reader, study, draft=None):
    body = {"study_instance_uid": study.study_instance_uid, **({"draft_id": draft.id} if draft else {})}
    answer = reader.post(REPORTS, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def save(reader, report, text=TEXT):
    answer = reader.put(f"{REPORTS}/{report['id']}", json=text, headers={"If-Match": f'"{report["etag"]}"'})
    assert answer.status_code == 200, answer.text
    return answer.json()


def sign(reader, report, **changes):
    tag = {"If-Match": f'"{report["etag"]}"'}
    return reader.post(f"{REPORTS}/{report['id']}/sign", json={**SIGNING, **changes}, headers=tag)


def signed_report(house, reader):
    study, draft = add_ready_study(house.database, house.clock)
    answer = sign(reader, save(reader, begin(reader, study, draft)))
    assert answer.status_code == 200, answer.text
    return study, answer.json()


def test_a_report_starts_with_nothing_accepted(either_house):
    house = either_house
    study, draft = add_ready_study(house.database, house.clock)
    report = begin(house.reader(), study, draft)
    assert (report["status"], report["findings"], report["impression"]) == ("preliminary", "", "")
    assert {sentence["decision"] for sentence in report["sentences"]} == {"pending"}
    assert report["draft_id"] == draft.id
    assert report["author"] == "Dr Ada"
    assert house.study(study.id).stage is Stage.IN_REVIEW


def test_from_draft_to_signed_and_on_to_delivery(either_house):
    house = either_house
    reader = house.reader()
    study, report = signed_report(house, reader)
    assert report["status"] == "final"
    assert report["signature"] == {"name": "Dr Ada", "signed_at": "2026-03-01T08:00:00Z", "meaning": MEANING}
    assert house.study(study.id).stage is Stage.SIGNED
    with house.database.reading() as session:
        job = session.scalars(sa.select(Job)).one()
        assert (job.task, job.target) == ("delivery.send", report["id"])
        assert session.get(ReadingLock, study.id) is None
        assert audit_trail.verify(session).ok
    actions = [entry.action for entry in house.audited() if entry.study_id == study.id]
    assert actions == [
        "study.claimed",
        "study.report_started",
        "report.started",
        "text.saved",
        "study.signed",
        "report.signed",
        "study.released",
    ]


@pytest.mark.parametrize("stage", [Stage.DRAFT_UNAVAILABLE, Stage.NOT_ELIGIBLE, Stage.FAILED, Stage.READY])
def test_without_a_draft_a_study_is_read_and_signed_by_hand(house, stage):
    study = add_study(house.database, house.clock, stage)
    reader = house.reader()
    text = {"findings": "Clear lungs.", "impression": "Normal.", "sentences": []}
    answer = sign(reader, save(reader, begin(reader, study), text))
    assert answer.status_code == 200, answer.text
    assert answer.json()["draft_id"] is None


@pytest.mark.parametrize("stage", [Stage.RECEIVING, Stage.GATHERING_PRIORS, Stage.DRAFTING])
def test_a_study_that_is_not_ready_to_be_read_takes_no_report(house, stage):
    study = add_study(house.database, house.clock, stage)
    answer = house.reader().post(REPORTS, json={"study_instance_uid": study.study_instance_uid})
    assert answer.status_code == 409


def test_a_draft_of_another_study_or_a_stale_one_begins_nothing(house):
    study, stale = add_ready_study(house.database, house.clock)
    add_draft(house.database, house.clock, study)
    _, foreign = add_ready_study(house.database, house.clock)
    reader = house.reader()
    for draft in (stale, foreign):
        body = {"study_instance_uid": study.study_instance_uid, "draft_id": draft.id}
        assert reader.post(REPORTS, json=body).status_code == 409
    assert house.study(study.id).stage is Stage.READY


def test_writes_need_the_version_they_change(house):
    study, draft = add_ready_study(house.database, house.clock)
    reader = house.reader()
    report = begin(reader, study, draft)
    path = f"{REPORTS}/{report['id']}"
    assert reader.put(path, json=TEXT).status_code == 428
    assert reader.put(path, json=TEXT, headers={"If-Match": '"older"'}).status_code == 412
    newer = save(reader, report)
    assert newer["etag"] != report["etag"]
    assert reader.put(path, json=TEXT, headers={"If-Match": f'"{report["etag"]}"'}).status_code == 412
    read = reader.get(path)
    assert read.json() == newer
    assert read.headers["etag"] == f'"{newer["etag"]}"'
    assert reader.post(f"{path}/sign", json=SIGNING).status_code == 428


@pytest.mark.parametrize(
    "sentences",
    [
        [{"index": 3, "decision": "accepted", "text": "Not of the draft."}],
        [{"index": 0, "decision": "added", "text": "Mine."}],
        [{"index": 0, "decision": "accepted", "text": "Another wording."}],
        [{"index": 0, "decision": "edited", "text": " "}],
        [{"index": 7, "decision": "added", "text": ""}],
        [{"index": 0, "decision": "rejected", "text": "x"}, {"index": 0, "decision": "accepted", "text": "x"}],
        [{"index": -1, "decision": "added", "text": "x"}],
        [{"index": 0, "decision": "perhaps", "text": "x"}],
        [{"index": 0, "decision": "accepted"}],
    ],
)
def test_decisions_that_contradict_the_draft_are_refused_and_nothing_is_kept(house, sentences):
    study, draft = add_ready_study(house.database, house.clock)
    reader = house.reader()
    report = begin(reader, study, draft)
    tag = {"If-Match": f'"{report["etag"]}"'}
    answer = reader.put(f"{REPORTS}/{report['id']}", json={**TEXT, "sentences": sentences}, headers=tag)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert reader.get(f"{REPORTS}/{report['id']}").json() == report


def test_another_readers_study_cannot_be_written(house):
    study, draft = add_ready_study(house.database, house.clock)
    ada, bob = house.reader("ada"), house.reader("bob")
    report = begin(ada, study, draft)
    path, tag = f"{REPORTS}/{report['id']}", {"If-Match": f'"{report["etag"]}"'}
    claim = bob.post(f"/api/v1/studies/{study.study_instance_uid}/claim")
    for refused in (
        claim,
        bob.put(path, json=TEXT, headers=tag),
        bob.post(f"{path}/sign", json=SIGNING, headers=tag),
        bob.post(f"{path}/reject", json={"reason": "mine now"}),
        bob.post(REPORTS, json={"study_instance_uid": study.study_instance_uid}),
    ):
        assert refused.status_code == 409
        assert refused.json()["owner"] == "Dr Ada"
    house.clock.advance(61)
    assert save(bob, report)["author"] == "Dr Ada"


def test_the_lease_is_renewed_by_claiming_and_by_writing_and_ended_by_releasing(house):
    study, draft = add_ready_study(house.database, house.clock)
    ada, bob = house.reader("ada"), house.reader("bob")
    claim = f"/api/v1/studies/{study.study_instance_uid}/claim"
    assert ada.post(claim).status_code == 200
    house.clock.advance(50)
    assert ada.post(claim).json()["expires_at"] == "2026-03-01T08:01:50Z"
    report = begin(ada, study, draft)
    house.clock.advance(50)
    save(ada, report)
    house.clock.advance(50)
    assert bob.post(claim).status_code == 409
    assert bob.delete(claim).status_code == 204
    assert bob.post(claim).status_code == 409
    assert ada.delete(claim).status_code == 204
    assert bob.post(claim).status_code == 200
    assert len(house.audited("study.claimed")) == 2


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


def test_signing_asks_for_the_password_again(house):
    study, draft = add_ready_study(house.database, house.clock)
    reader = house.reader()
    report = save(reader, begin(reader, study, draft))
    for _ in range(9):
        answer = sign(reader, report, password="not the password")
        assert answer.status_code == 403
        assert answer.json()["type"] == "urn:unirg:problem:password-refused"
    assert sign(reader, report).status_code == 429
    assert house.study(study.id).stage is Stage.IN_REVIEW
    assert len(house.audited("auth.confirmation_failed")) == 9


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


def late_image(house, study):
    with unit_of_work(house.database, house.clock) as uow:
        row = uow.study(study.id)
        row.stage, row.revision = Stage.RECEIVING, row.revision + 1
        uow.session.connection().exec_driver_sql("UPDATE drafts SET stale = 1")


def drafted_again(house, study):
    draft = add_draft(house.database, house.clock, study)
    with unit_of_work(house.database, house.clock) as uow:
        uow.study(study.id).stage = Stage.READY
    return draft


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
    assert len(entry.detail["image_sha256"]) == 1


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


def test_a_withdrawn_report_is_kept_and_the_study_waits_for_another(either_house):
    house = either_house
    study, draft = add_ready_study(house.database, house.clock)
    reader = house.reader()
    report = save(reader, begin(reader, study, draft))
    answer = reader.post(f"{REPORTS}/{report['id']}/reject", json={"reason": "wrong patient in the room"})
    assert answer.json()["status"] == "cancelled"
    row = house.study(study.id)
    assert (row.stage, row.reason) == (Stage.READY, "Dr Ada withdrew a report")
    with house.database.reading() as session:
        kept = session.scalars(sa.select(WithdrawnReport)).one()
        assert (kept.findings, kept.reason) == (FINDINGS, "wrong patient in the room")
        assert session.get(ReadingLock, study.id) is None
    assert (
        reader.put(
            f"{REPORTS}/{report['id']}", json=TEXT, headers={"If-Match": f'"{answer.json()["etag"]}"'}
        ).status_code
        == 409
    )
    again = begin(reader, study, draft)
    assert (again["status"], again["findings"]) == ("preliminary", "")
    assert again["etag"] != answer.json()["etag"]
    assert sign(reader, save(reader, again)).status_code == 200


def test_withdrawn_without_a_draft_the_study_takes_its_road_again(house):
    study = add_study(house.database, house.clock, Stage.NOT_ELIGIBLE, reason="lateral view only")
    reader = house.reader()
    report = begin(reader, study)
    reader.post(f"{REPORTS}/{report['id']}/reject", json={"reason": "not mine"})
    assert house.study(study.id).stage is Stage.GATHERING_PRIORS
    with house.database.reading() as session:
        assert session.scalars(sa.select(Job.task)).all() == ["priors.gather"]


CRITICAL = {
    "finding": "Tension pneumothorax",
    "found_at": "2026-03-01T07:50:00Z",
    "told_to": "Dr Ward",
    "told_at": "2026-03-01T07:55:00Z",
    "method": "telephone",
    "read_back": True,
}


def test_a_critical_result_is_recorded_before_and_after_signing(house):
    reader = house.reader()
    study, draft = add_ready_study(house.database, house.clock)
    report = begin(reader, study, draft)
    path = f"{REPORTS}/{report['id']}/critical-result"
    first = reader.post(path, json=CRITICAL)
    assert first.status_code == 201, first.text
    assert first.json()["etag"] == report["etag"]
    sign(reader, save(reader, report))
    body = reader.post(path, json={**CRITICAL, "read_back": False}).json()
    assert [told["read_back"] for told in body["critical_results"]] == [True, False]
    assert body["critical_results"][0] == {
        **CRITICAL,
        "recorded_by": "Dr Ada",
        "recorded_at": "2026-03-01T08:00:00Z",
    }
    (entry, _) = house.audited("report.critical_result")
    assert "Tension" not in str(entry.detail)


@pytest.mark.parametrize("field", CRITICAL)
def test_each_of_the_six_facts_is_needed(house, field):
    reader = house.reader()
    study, draft = add_ready_study(house.database, house.clock)
    report = begin(reader, study, draft)
    given = {key: value for key, value in CRITICAL.items() if key != field}
    assert reader.post(f"{REPORTS}/{report['id']}/critical-result", json=given).status_code == 422


@pytest.mark.parametrize(
    "times",
    [
        {"found_at": "2026-03-01T07:56:00Z"},
        {"told_at": "2026-03-01T09:00:00Z"},
        {"told_at": "2026-03-01T07:55:00"},
        {"found_at": "yesterday"},
    ],
)
def test_times_that_cannot_be_are_refused(house, times):
    reader = house.reader()
    study, draft = add_ready_study(house.database, house.clock)
    report = begin(reader, study, draft)
    answer = reader.post(f"{REPORTS}/{report['id']}/critical-result", json={**CRITICAL, **times})
    assert answer.status_code in {400, 422}
    with house.database.reading() as session:
        assert session.scalars(sa.select(CriticalResult)).all() == []


def test_the_diff_tells_what_the_reader_changed(house):
    study, draft = add_ready_study(house.database, house.clock)
    reader = house.reader()
    edited = {
        **TEXT,
        "findings": "The heart is mildly enlarged.",
        "sentences": [{"index": 0, "decision": "edited", "text": "The heart is mildly enlarged."}, *DECIDED[1:]],
    }
    report = save(reader, begin(reader, study, draft), edited)
    diff = reader.get(f"{REPORTS}/{report['id']}/diff").json()
    assert diff["draft_id"] == draft.id
    assert diff["impression"] == [{"op": "equal", "text": "Cardiomegaly."}]
    assert {"op": "inserted", "text": "mildly "} in diff["findings"]
    drafted = "".join(e["text"] for e in diff["findings"] if e["op"] != "inserted")
    assert drafted == "The heart is enlarged. New small left pleural effusion."


def test_deliveries_say_where_the_documents_are(house):
    reader = house.reader()
    study, report = signed_report(house, reader)
    with unit_of_work(house.database, house.clock) as uow:
        uow.session.add(
            Delivery(
                report_id=report["id"],
                study_id=study.id,
                target=report["id"],
                channel="dicom_sr",
                destination="PACS",
                sop_instance_uid="1.2.3",
                object_key="objects/00/0",
                status="dead",
                attempts=5,
                last_error="refused",
            )
        )
    assert reader.get(f"{REPORTS}/{report['id']}/deliveries").json() == {
        "items": [
            {
                "target": report["id"],
                "channel": "dicom_sr",
                "destination": "PACS",
                "sop_instance_uid": "1.2.3",
                "status": "dead",
                "attempts": 5,
                "last_error": "refused",
                "delivered_at": None,
            }
        ]
    }


def test_reading_a_report_is_audited(house):
    reader = house.reader()
    study, report = signed_report(house, reader)
    viewer = house.reader("vera", Role.VIEWER)
    for part in ("", "/diff", "/deliveries"):
        assert viewer.get(f"{REPORTS}/{report['id']}{part}").status_code == 200
    read = [(e.action, e.study_id) for e in house.audited() if e.actor == "user:vera" and e.action.startswith("read.")]
    assert read == [("read.report", study.id), ("read.report", study.id), ("read.deliveries", study.id)]


def test_study_and_worklist_name_the_report(house):
    reader = house.reader()
    study, report = signed_report(house, reader)
    body = reader.get(f"/api/v1/studies/{study.study_instance_uid}").json()
    assert body["report"] == {"id": report["id"], "status": "final", "etag": report["etag"]}
    (item,) = reader.get("/api/v1/worklist").json()["items"]
    assert item["report_status"] == "final"
