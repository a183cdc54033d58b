"""Look-first: the draft is shown to who was shown every image and said so, and no way leads around it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from app.access import Role
from app.db.session import unit_of_work
from app.db.tables import Draft, Study
from tests.api.acts import CRITICAL, DECIDED, REPORTS, SIGNING, TEXT, begin, drafted_again, late_image, save, sign
from tests.api.house import House
from tests.api.modes import (
    OWN,
    WORDS,
    get_draft,
    images,
    in_mode,
    look,
    new_image_and_draft,
    path,
    reading,
    refused,
    say_looked,
    silent,
    start,
    tagged,
    view,
    with_report,
)
from tests.builders.reading import add_draft, add_image, add_ready_study
from tests.builders.studies import add_study


@pytest.fixture
def look_first(house, pixels):
    return in_mode(house, pixels, "look-first")


@dataclass
class Case:
    """Bob, who has not looked, before a study that Ada looked at and is writing about from its draft."""

    house: House
    study: Study
    draft: Draft
    report: dict

    def __post_init__(self):
        self.bob = self.house.reader("bob")
        self.address = f"{REPORTS}/{self.report['id']}"


def test_look_first_shows_the_draft_after_all_images_and_the_word(either_house, pixels):
    house = in_mode(either_house, pixels, "look-first")
    study, draft = add_ready_study(house.database, house.clock)
    add_image(house.database, house.clock, study)
    reader = house.reader()
    assert reading(reader, study)["reason"] == "Look at every image first: 2 of 2 not seen yet."
    problem = refused(get_draft(reader, draft))
    assert (problem["mode"], problem["unviewed"]) == ("look-first", images(house, study))
    for uid in images(house, study):
        state = view(reader, study, uid)
    assert (state["draft"], state["reason"]) == (
        "withheld",
        "Say that you have looked at the images; then the draft is shown.",
    )
    refused(get_draft(reader, draft))
    assert say_looked(reader, study).json()["draft"] == "shown"
    assert say_looked(reader, study).json()["draft"] == "shown"
    assert len(house.audited("view.looked")) == 1
    assert get_draft(reader, draft).json()["sentences"][0]["text"] == WORDS[0]
    report = begin(reader, study, draft)
    assert report["reading_mode"] == "look-first"
    assert sign(reader, save(reader, report)).status_code == 200
    (signed,) = house.audited("report.signed")
    assert signed.detail["reading_mode"] == "look-first"


def test_a_critical_result_is_taken_from_whoever_has_it_without_telling_the_text(look_first):
    house = look_first
    _, _, report = with_report(house)
    bob = house.reader("bob")
    answer = bob.post(f"{REPORTS}/{report['id']}/critical-result", json=CRITICAL)
    assert answer.status_code == 201
    body = answer.json()
    assert (body["withheld"], body["findings"], body["impression"], body["sentences"]) == (True, "", "", [])
    assert len(body["critical_results"]) == 1
    silent(answer)


def test_who_has_looked_goes_on_with_anothers_report(look_first):
    house = look_first
    study, _, report = with_report(house)
    bob = house.reader("bob")
    look(house, bob, study)
    assert start(bob, study).json()["findings"] == TEXT["findings"]
    assert sign(bob, report).status_code == 200


def test_a_late_image_leaves_the_writer_his_own_report_and_withholds_the_new_draft(look_first):
    house = look_first
    study, _, report = with_report(house)
    ada = house.reader("ada")
    newer = new_image_and_draft(house, study)
    refused(get_draft(ada, newer))
    saved = save(ada, report)
    assert saved["findings"] == TEXT["findings"]
    state = reading(ada, study)
    assert (state["draft"], len(state["unviewed"])) == ("withheld", 1)
    look(house, ada, study)
    assert start(ada, study, newer).status_code == 200


def test_a_redraft_from_the_same_images_needs_no_second_look(look_first):
    house = look_first
    study, _, _ = with_report(house)
    assert get_draft(house.reader("ada"), drafted_again(house, study)).status_code == 200


def test_what_was_said_before_the_last_image_came_counts_for_nothing(look_first):
    house = look_first
    study, draft = add_ready_study(house.database, house.clock)
    reader = house.reader()
    look(house, reader, study)
    with unit_of_work(house.database, house.clock) as uow:
        uow.session.get_one(Draft, draft.id).stale = True
    late = add_image(house.database, house.clock, study)  # within the same image set
    view(reader, study, late.sop_instance_uid)
    refused(get_draft(reader, draft))
    assert say_looked(reader, study).status_code == 200
    assert get_draft(reader, draft).status_code == 200


def test_without_a_draft_a_study_is_read_by_hand(look_first):
    house = look_first
    study, _ = add_ready_study(house.database, house.clock)
    reader = house.reader()
    assert sign(reader, save(reader, begin(reader, study), OWN)).status_code == 200


def test_what_is_signed_is_shown_to_all_who_may_read(look_first):
    house = look_first
    study, draft, report = with_report(house)
    assert sign(house.reader("ada"), report).status_code == 200
    vera = house.reader("vera", Role.VIEWER)
    for address in (f"{REPORTS}/{report['id']}", f"{REPORTS}/{report['id']}/diff", f"/api/v1/drafts/{draft.id}"):
        assert vera.get(address).status_code == 200
    assert reading(vera, study)["draft"] == "shown"


def test_a_study_without_images_shows_nobody_a_draft(look_first):
    house = look_first
    study = add_study(house.database, house.clock, "ready")
    draft = add_draft(house.database, house.clock, study)
    reader = house.reader()
    assert say_looked(reader, study).status_code == 409
    refused(get_draft(reader, draft))


def a_part_of_the_images(case):
    add_image(case.house.database, case.house.clock, case.study)
    view(case.bob, case.study, images(case.house, case.study)[0])
    return get_draft(case.bob, case.draft)


def the_prior_alone(case):
    prior = next(i for i in case.bob.get(path(case.study)).json()["images"] if i["role"] == "prior")
    view(case.bob, case.study, prior["sop_instance_uid"])
    return get_draft(case.bob, case.draft)


def a_receipt_for_a_foreign_image(case):
    other, _ = add_ready_study(case.house.database, case.house.clock)
    look(case.house, case.bob, other)
    foreign = {"sop_instance_uid": images(case.house, other)[0]}
    assert case.bob.post(path(case.study, "/views"), json=foreign).status_code == 404
    return get_draft(case.bob, case.draft)


def views_without_a_word(case):
    for uid in images(case.house, case.study):
        view(case.bob, case.study, uid)
    return get_draft(case.bob, case.draft)


def the_word_without_views(case):
    assert say_looked(case.bob, case.study).status_code == 409
    return get_draft(case.bob, case.draft)


def the_pixels_alone(case):
    case.bob.get(f"/api/v1/instances/{images(case.house, case.study)[0]}/display")
    return get_draft(case.bob, case.draft)


def old_receipts_for_a_new_draft(case):
    look(case.house, case.bob, case.study)
    return get_draft(case.bob, new_image_and_draft(case.house, case.study))


def old_receipts_for_a_report_from_the_new_draft(case):
    look(case.house, case.bob, case.study)
    return start(case.bob, case.study, new_image_and_draft(case.house, case.study))


def old_receipts_for_the_old_draft_of_the_new_images(case):
    """The new image changes nothing for the model: the draft becomes the new image set's."""
    look(case.house, case.bob, case.study)
    late_image(case.house, case.study)
    add_image(case.house.database, case.house.clock, case.house.study(case.study.id))
    with unit_of_work(case.house.database, case.house.clock) as uow:
        row = uow.session.get_one(Draft, case.draft.id)
        row.stale, row.revision = False, uow.study(case.study.id).revision
    return get_draft(case.bob, case.draft)


def withdrawing_and_beginning_anew(case):
    silent(case.bob.post(f"{case.address}/reject", json={"reason": "to begin anew"}))
    return start(case.bob, case.study, case.draft)


def withdrawing_and_reading(case):
    silent(case.bob.post(f"{case.address}/reject", json={"reason": "to read it"}))
    return case.bob.get(case.address)


def the_draft_once_it_is_stale(case):
    drafted_again(case.house, case.study)
    return get_draft(case.bob, case.draft)


def text_that_stayed_behind(case):
    """Ada goes over to no draft; what she took from it still stands in her text."""
    drafted_again(case.house, case.study)
    assert start(case.house.reader("ada"), case.study).json()["draft_id"] is None
    case.house.clock.advance(61)
    return case.bob.get(case.address)


AROUND = {
    "the draft": lambda case: get_draft(case.bob, case.draft),
    "a report from it": lambda case: start(case.bob, case.study, case.draft),
    "going on with another's report": lambda case: start(case.bob, case.study),
    "another's report": lambda case: case.bob.get(case.address),
    "its diff": lambda case: case.bob.get(f"{case.address}/diff"),
    "a save that answers with it": lambda case: case.bob.put(
        case.address, json={**OWN, "sentences": DECIDED[:1]}, headers=tagged(case.report)
    ),
    "a signature that answers with it": lambda case: case.bob.post(
        f"{case.address}/sign", json=SIGNING, headers=tagged(case.report)
    ),
    "feedback that asks how long it is": lambda case: case.bob.post(
        f"/api/v1/drafts/{case.draft.id}/feedback", json={"kind": "style", "sentence_index": 99}
    ),
    "a viewer's eyes": lambda case: get_draft(case.house.reader("vera", Role.VIEWER), case.draft),
    "an administrator's": lambda case: case.house.reader("root", Role.ADMIN).get(case.address),
    "a machine's": lambda case: case.house.machine().get(case.address),
    **{
        attempt.__name__: attempt
        for attempt in (
            a_part_of_the_images,
            the_prior_alone,
            a_receipt_for_a_foreign_image,
            views_without_a_word,
            the_word_without_views,
            the_pixels_alone,
            old_receipts_for_a_new_draft,
            old_receipts_for_a_report_from_the_new_draft,
            old_receipts_for_the_old_draft_of_the_new_images,
            withdrawing_and_beginning_anew,
            withdrawing_and_reading,
            the_draft_once_it_is_stale,
            text_that_stayed_behind,
        )
    },
}


@pytest.mark.parametrize("attempt", AROUND.values(), ids=AROUND)
def test_look_first_cannot_be_skipped(look_first, attempt):
    """Ada's own receipts are there all the time, and help nobody else."""
    refused(attempt(Case(look_first, *with_report(look_first))))
