"""Regions on the wire: with the draft, and never without it."""

from __future__ import annotations

from app.db.report_tables import SentenceRegion
from app.db.session import unit_of_work
from app.db.tables import Draft
from tests.api.modes import get_draft, in_mode, look
from tests.builders.reading import add_image, add_ready_study


def point(house, draft, image):
    """As the evidence job leaves it: a region for the first sentence."""
    box = {"left_edge": 0.125, "top_edge": 0.5, "right_edge": 0.375, "bottom_edge": 0.75}
    with unit_of_work(house.database, house.clock) as uow:
        uow.session.get_one(Draft, draft.id).evidence = "occlusion-1"
        uow.session.add(
            SentenceRegion(
                draft_id=draft.id, sentence_index=0, sop_instance_uid=image.sop_instance_uid, nats=2.0, **box
            )
        )
        uow.audit("study.regions_added", draft.study_id, state="ready", revision=1, draft=1, regions=1)


def test_a_draft_comes_with_its_regions_once_they_are_there(either_house):
    house = either_house
    study, draft = add_ready_study(house.database, house.clock)
    image = add_image(house.database, house.clock, study)
    reader = house.reader()
    before = get_draft(reader, draft).json()
    assert before["evidence"] is None
    assert [sentence["region"] for sentence in before["sentences"]] == [None] * 3
    point(house, draft, image)
    after = get_draft(reader, draft).json()
    assert after["evidence"] == "occlusion-1"
    first, *others = (sentence["region"] for sentence in after["sentences"])
    assert first == {
        "sop_instance_uid": image.sop_instance_uid,
        "left": 0.125,
        "top": 0.5,
        "right": 0.375,
        "bottom": 0.75,
    }
    assert others == [None, None]


def test_the_feed_says_when_they_came(house):
    study, draft = add_ready_study(house.database, house.clock)
    image = add_image(house.database, house.clock, study)
    point(house, draft, image)
    changes = house.machine().get("/api/v1/changes").json()["items"]
    assert [(one["action"], one["study_instance_uid"]) for one in changes] == [
        ("study.regions_added", study.study_instance_uid)
    ]


def test_regions_are_withheld_with_the_draft(house, pixels):
    house = in_mode(house, pixels, "look-first")
    study, draft = add_ready_study(house.database, house.clock)
    image = add_image(house.database, house.clock, study)
    point(house, draft, image)
    reader = house.reader()
    answers = [get_draft(reader, draft), reader.get(f"/api/v1/studies/{study.study_instance_uid}")]
    assert answers[0].status_code == 403
    assert all("region" not in answer.text and "occlusion" not in answer.text for answer in answers)
    look(house, reader, study)
    assert get_draft(reader, draft).json()["sentences"][0]["region"]["left"] == 0.125
