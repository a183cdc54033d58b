"""A study, its draft and its frames, as the reading page asks for them."""

from __future__ import annotations

import numpy as np
import pytest

from app.access import Role
from app.db.session import unit_of_work
from app.db.tables import QuarantinedObject
from app.domain.identifiers import derived_uid
from app.domain.priors import PriorDecision
from app.domain.study import Stage
from tests.builders.reading import add_draft, add_image, add_prior, add_ready_study
from tests.builders.studies import add_study


def study_of(reader, study):
    answer = reader.get(f"/api/v1/studies/{study.study_instance_uid}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_ready_study_has_its_draft_its_images_and_its_ledger(either_house):
    house = either_house
    study, draft = add_ready_study(house.database, house.clock, indication="Cough")
    body = study_of(house.reader(), study)
    assert body["state"] == "ready"
    assert body["current_draft"] == {"id": draft.id, "version": 1, "stale": False}
    assert body["report"] is None
    assert body["lock"] is None
    assert body["indication"] == "Cough"
    assert [image["role"] for image in body["images"]] == ["current", "prior"]
    assert [image["study_date"] for image in body["images"]] == ["20260301", "20250115"]
    assert all(
        image["display_url"] == f"/api/v1/instances/{image['sop_instance_uid']}/display" for image in body["images"]
    )
    assert body["priors"]["outcome"] == "found"
    assert [entry["decision"] for entry in body["priors"]["entries"]] == ["chosen"]
    assert body["revisions"] == [{"revision": 1, "instances": 1, "received_at": "2026-03-01T08:00:00Z"}]


def test_while_priors_are_searched_nothing_is_said_about_them(house):
    study, _ = add_ready_study(house.database, house.clock)
    with unit_of_work(house.database, house.clock) as uow:
        uow.study(study.id).stage = Stage.GATHERING_PRIORS
    body = study_of(house.reader(), study)
    assert body["priors"] == {"outcome": None, "reason": None, "entries": []}
    assert [image["role"] for image in body["images"]] == ["current"]


def test_rejected_and_failed_priors_are_told_but_not_shown(house):
    study = add_study(house.database, house.clock, Stage.READY)
    rejected = add_prior(house.database, house.clock, study, PriorDecision.REJECTED)
    failed = add_prior(house.database, house.clock, study, PriorDecision.FAILED)
    reader = house.reader()
    body = study_of(reader, study)
    assert {entry["decision"] for entry in body["priors"]["entries"]} == {"rejected", "failed"}
    assert body["images"] == []
    for image in (rejected, failed):
        assert reader.get(f"/api/v1/instances/{image.sop_instance_uid}/display").status_code == 404


def test_quarantined_objects_are_counted(house):
    study = add_study(house.database, house.clock, Stage.READY)
    kept = QuarantinedObject(
        study_id=study.id,
        sop_instance_uid=derived_uid("instance", "1"),
        sop_class_uid="1.2.840.10008.5.1.4.1.1.1",
        object_key="quarantine/00/0",
        digest="0" * 64,
        size=1,
        reason="another object under a SOP Instance UID that is held",
        received_at=house.clock.now(),
    )
    with unit_of_work(house.database, house.clock) as uow:
        uow.session.add(kept)
    assert study_of(house.reader(), study)["quarantined"] == 1


def test_the_lock_says_whose_it_is(house):
    study, _ = add_ready_study(house.database, house.clock)
    ada, bob = house.reader("ada"), house.reader("bob")
    claimed = ada.post(f"/api/v1/studies/{study.study_instance_uid}/claim").json()
    assert claimed == {"owner": "Dr Ada", "mine": True, "expires_at": "2026-03-01T08:01:00Z"}
    assert study_of(ada, study)["lock"] == claimed
    assert study_of(bob, study)["lock"] == {**claimed, "mine": False}


@pytest.mark.parametrize("uid", ["1.2.3", "9" * 64])
def test_an_unknown_study_is_a_404_problem(house, uid):
    answer = house.reader().get(f"/api/v1/studies/{uid}")
    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:unirg:problem:not-found"


@pytest.mark.parametrize("uid", ["abc", "1.2.%00", "1" * 65, "%2e%2e%2f"])
def test_what_is_no_uid_is_refused(house, uid):
    assert house.reader().get(f"/api/v1/studies/{uid}").status_code in {404, 422}


def test_a_draft_has_sentences_with_sources_flags_and_what_made_it(house):
    study, draft = add_ready_study(house.database, house.clock)
    body = house.reader().get(f"/api/v1/drafts/{draft.id}").json()
    assert body["study_instance_uid"] == study.study_instance_uid
    assert [(s["index"], s["section"], s["source"]) for s in body["sentences"]] == [
        (0, "findings", "image"),
        (1, "findings", "prior"),
        (2, "impression", "image"),
    ]
    assert body["sentences"][1]["flags"] == [{"code": "comparison", "reason": "compares"}]
    assert (body["model"], body["weights_digest"], body["prompt_version"]) == ("unirg-cxr-nano", "0" * 64, "test-1")
    assert body["image_digests"] == ["1" * 64]
    assert "not for diagnosis" in body["notice"]


def test_a_stale_draft_can_still_be_read_and_says_so(house):
    study, first = add_ready_study(house.database, house.clock)
    second = add_draft(house.database, house.clock, study)
    reader = house.reader()
    assert reader.get(f"/api/v1/drafts/{first.id}").json()["stale"] is True
    assert study_of(reader, study)["current_draft"] == {"id": second.id, "version": 2, "stale": False}


def test_every_look_at_study_and_draft_is_audited(house):
    study, draft = add_ready_study(house.database, house.clock)
    viewer = house.reader("vera", Role.VIEWER)
    study_of(viewer, study)
    study_of(viewer, study)
    viewer.get(f"/api/v1/drafts/{draft.id}")
    assert [(e.action, e.actor, e.study_id) for e in house.audited() if e.action.startswith("read.")] == [
        ("read.study", "user:vera", study.id),
        ("read.study", "user:vera", study.id),
        ("read.draft", "user:vera", study.id),
    ]


def test_what_cannot_be_audited_is_not_shown(house):
    study, _ = add_ready_study(house.database, house.clock)
    reader = house.reader()
    with unit_of_work(house.database, house.clock) as uow:
        uow.session.connection().exec_driver_sql("ALTER TABLE audit RENAME TO audit_gone")
    answer = reader.get(f"/api/v1/studies/{study.study_instance_uid}")
    assert answer.status_code == 503
    assert "Phantom" not in answer.text


def test_a_display_frame_is_16_bit_little_endian_with_its_geometry(house):
    study = add_study(house.database, house.clock, Stage.READY)
    image = add_image(house.database, house.clock, study, house.store)
    answer = house.reader().get(f"/api/v1/instances/{image.sop_instance_uid}/display")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["cache-control"] == "no-store"
    rows, columns = int(answer.headers["x-rows"]), int(answer.headers["x-columns"])
    assert (rows, columns) == (64, 48)
    values = np.frombuffer(answer.content, "<u2").reshape(rows, columns)
    assert values[0, 0] < values[-1, -1]
    assert float(answer.headers["x-window-width"]) > 1
    assert values.max() <= int(answer.headers["x-max-value"])


def test_a_frame_that_the_page_holds_is_not_sent_again(house):
    study = add_study(house.database, house.clock, Stage.READY)
    image = add_image(house.database, house.clock, study, house.store)
    reader = house.reader()
    path = f"/api/v1/instances/{image.sop_instance_uid}/display"
    tag = reader.get(path).headers["etag"]
    again = reader.get(path, headers={"If-None-Match": f'"other", {tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert reader.get(path, headers={"If-None-Match": '"other"'}).status_code == 200
    assert len(house.audited("read.frame")) == 1
    house.clock.advance(61)
    reader.get(path)
    assert [entry.study_id for entry in house.audited("read.frame")] == [study.id, study.id]


def test_pixels_that_cannot_be_read_are_a_problem_with_words(house):
    study = add_study(house.database, house.clock, Stage.READY)
    key = house.store.put_bytes(b"no DICOM at all")
    image = add_image(house.database, house.clock, study)
    with unit_of_work(house.database, house.clock) as uow:
        uow.session.merge(image).object_key = key
    answer = house.reader().get(f"/api/v1/instances/{image.sop_instance_uid}/display")
    assert answer.status_code == 422
    assert answer.json()["detail"]


def test_a_redraft_sends_the_study_down_its_road_again(house):
    study, _ = add_ready_study(house.database, house.clock)
    path = f"/api/v1/studies/{study.study_instance_uid}/redraft"
    answer = house.machine().post(path)
    assert answer.status_code == 202
    assert answer.json() == {
        "study_instance_uid": study.study_instance_uid,
        "state": "gathering_priors",
        "revision": 1,
    }
    assert house.machine().post(path).status_code == 409
    assert [entry.actor for entry in house.audited("study.redraft_asked")] == ["user:ris"]
