"""A report's life over HTTP: begun, saved, withdrawn, compared; and who may not interfere."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.access import Role
from app.db import audit_trail
from app.db.report_tables import WithdrawnReport
from app.db.session import unit_of_work
from app.db.tables import Delivery, Job, ReadingLock
from app.domain.study import Stage
from tests.api.acts import (
    DECIDED,
    FINDINGS,
    MEANING,
    REPORTS,
    SIGNING,
    TEXT,
    begin,
    save,
    sign,
    signed_report,
)
from tests.builders.reading import add_draft, add_ready_study
from tests.builders.studies import add_study


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
