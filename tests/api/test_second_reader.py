"""Second reader: text of one's own first, then the draft to compare with."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.db.report_tables import OwnText
from tests.api.acts import REPORTS, TEXT, begin, save
from tests.api.modes import (
    OWN,
    get_draft,
    in_mode,
    look,
    new_image_and_draft,
    reading,
    refused,
    silent,
    start,
    tagged,
)
from tests.builders.reading import add_ready_study


@pytest.fixture
def second_reader(house, pixels):
    return in_mode(house, pixels, "second-reader")


def test_a_second_reader_writes_first_and_compares_then(either_house, pixels):
    house = in_mode(either_house, pixels, "second-reader")
    study, draft = add_ready_study(house.database, house.clock)
    reader = house.reader()
    look(house, reader, study)
    assert "of your own" in refused(get_draft(reader, draft))["detail"]
    refused(start(reader, study, draft))
    report = begin(reader, study)
    refused(get_draft(reader, draft))
    report = save(reader, report, OWN)
    assert reading(reader, study)["draft"] == "shown"
    assert get_draft(reader, draft).status_code == 200
    compared = start(reader, study, draft).json()
    assert (compared["findings"], compared["draft_id"]) == (OWN["findings"], draft.id)
    assert {sentence["decision"] for sentence in compared["sentences"]} == {"pending"}
    assert reader.get(f"{REPORTS}/{report['id']}/diff").status_code == 200


@pytest.mark.parametrize("nothing", [{"findings": " \n", "impression": ""}, {"findings": " . - ", "impression": "…"}])
def test_blanks_are_no_text_of_ones_own(second_reader, nothing):
    house = second_reader
    study, draft = add_ready_study(house.database, house.clock)
    reader = house.reader()
    save(reader, begin(reader, study), {**OWN, **nothing})
    refused(get_draft(reader, draft))


def test_anothers_text_saved_again_is_not_ones_own(second_reader):
    house = second_reader
    study, draft = add_ready_study(house.database, house.clock)
    ada, bob = house.reader("ada"), house.reader("bob")
    report = save(ada, begin(ada, study), OWN)
    house.clock.advance(61)
    refused(get_draft(bob, draft))
    report = save(bob, report, OWN)
    refused(get_draft(bob, draft))
    save(bob, report, {**OWN, "impression": "Cardiac enlargement."})
    assert get_draft(bob, draft).status_code == 200


def test_a_new_image_set_wants_text_saved_again(second_reader):
    house = second_reader
    study, draft = add_ready_study(house.database, house.clock)
    reader = house.reader()
    report = save(reader, begin(reader, study), OWN)
    newer = new_image_and_draft(house, study)
    refused(get_draft(reader, newer))
    assert get_draft(reader, draft).status_code == 200
    save(reader, report, OWN)
    assert get_draft(reader, newer).status_code == 200


def test_a_report_made_from_the_draft_is_withheld_from_the_next_reader_who_may_withdraw_it(second_reader):
    house = second_reader
    study, draft = add_ready_study(house.database, house.clock)
    ada, bob = house.reader("ada"), house.reader("bob")
    save(ada, begin(ada, study), OWN)
    report = save(ada, start(ada, study, draft).json(), TEXT)
    house.clock.advance(61)
    refused(bob.get(f"{REPORTS}/{report['id']}"))
    refused(bob.put(f"{REPORTS}/{report['id']}", json=OWN, headers=tagged(report)))
    gone = bob.post(f"{REPORTS}/{report['id']}/reject", json={"reason": "read again by another"})
    assert (gone.status_code, gone.json()["withheld"]) == (200, True)
    silent(gone)
    save(bob, begin(bob, study), OWN)
    assert get_draft(bob, draft).status_code == 200


def test_text_in_the_other_modes_is_not_counted_as_ones_own(house):
    study, _ = add_ready_study(house.database, house.clock)
    reader = house.reader()
    save(reader, begin(reader, study), OWN)
    with house.database.reading() as session:
        assert session.scalars(sa.select(OwnText)).all() == []
