"""Saved worklist lists: a person's own, and told to nobody else, since one may search for a patient."""

from __future__ import annotations

import pytest

from app.access import Role
from app.db.report_tables import WorklistList
from app.db.session import unit_of_work
from app.domain.identifiers import new_id
from app.review.lists import MOST

LISTS = "/api/v1/worklist-lists"
FILTER = {
    "state": ["ready", "in_review"],
    "priority": "STAT",
    "q": "Phantom^One",
    "critical": True,
    "received_within": 60,
}


def keep(reader, name="Night shift", **wanted):
    answer = reader.put(f"{LISTS}/{name}", json={"filter": wanted or FILTER})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_list_is_kept_read_replaced_and_removed(either_house):
    house = either_house
    reader = house.reader()
    kept = keep(reader)
    assert (kept["name"], kept["filter"]) == ("Night shift", FILTER)
    assert reader.get(f"{LISTS}/Night shift").json() == kept
    house.clock.advance(5)
    newer = keep(reader, q="P-1")
    assert newer["filter"] == {"q": "P-1"}
    assert newer["updated_at"] > kept["updated_at"]
    keep(reader, "Aa", sort="due")
    assert [item["name"] for item in reader.get(LISTS).json()["items"]] == ["Aa", "Night shift"]
    assert reader.delete(f"{LISTS}/Night shift").status_code == 204
    assert reader.get(f"{LISTS}/Night shift").status_code == 404
    assert reader.delete(f"{LISTS}/Night shift").status_code == 404


def test_lists_are_their_owners_alone(house):
    ada, bob, root = house.reader("ada"), house.reader("bob"), house.reader("root", Role.ADMIN)
    keep(ada)
    for other in (bob, root):
        assert other.get(LISTS).json() == {"items": []}
        assert other.get(f"{LISTS}/Night shift").status_code == 404
        assert other.delete(f"{LISTS}/Night shift").status_code == 404
    keep(bob, q="else")
    assert ada.get(f"{LISTS}/Night shift").json()["filter"] == FILTER


def test_what_a_list_searches_for_and_its_name_are_in_no_audit_entry(house):
    reader = house.reader()
    keep(reader, "Phantom^One")
    reader.delete(f"{LISTS}/Phantom^One")
    kept, removed = house.audited("worklist_list.kept"), house.audited("worklist_list.removed")
    assert [len(kept), len(removed)] == [1, 1]
    assert kept[0].detail == removed[0].detail
    assert "Phantom" not in str([entry.detail for entry in house.audited()])


@pytest.mark.parametrize("name", ["x" * 65, "a%2Fb", "%20%20", "...", "a%E2%80%AEb", "a%07b"])
def test_names_that_are_none_are_refused(house, name):
    reader = house.reader()
    assert reader.put(f"{LISTS}/{name}", json={"filter": FILTER}).status_code in {404, 405, 422}
    assert reader.get(LISTS).json() == {"items": []}


@pytest.mark.parametrize(
    "filters",
    [
        {"q": "x" * 65},
        {"Q": "x"},
        {"q": {"deep": "x"}},
        {"q": "x\x00"},
        {"q": None},
        {"state": ["x"] * 201},
        {f"f{'x' * n}": "1" for n in range(25)},
    ],
)
def test_filters_that_are_none_are_refused(house, filters):
    reader = house.reader()
    assert reader.put(f"{LISTS}/mine", json={"filter": filters}).status_code == 422
    assert reader.put(f"{LISTS}/mine", json={"filter": {}, "shared": True}).status_code == 422
    assert reader.get(LISTS).json() == {"items": []}


def test_there_is_an_end_to_how_many_are_kept(house):
    reader = house.reader()
    keep(reader)
    with unit_of_work(house.database, house.clock) as uow:
        owner = uow.session.query(WorklistList).one().user_id
        uow.session.add_all(
            WorklistList(id=new_id(), user_id=owner, name=f"list {n}", filter={}, updated_at=uow.now)
            for n in range(MOST - 1)
        )
    assert reader.put(f"{LISTS}/one more", json={"filter": {}}).status_code == 409
    keep(reader, state="ready")
