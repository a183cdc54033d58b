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
    answer = reader.post(LISTS, json={"name": name, "filter": wanted or FILTER})
    assert answer.status_code == 201, answer.text
    return answer.json()


def place(kept):
    return f"{LISTS}/{kept['id']}"


def test_a_list_is_kept_read_replaced_and_removed(either_house):
    house = either_house
    reader = house.reader()
    kept = keep(reader)
    assert (kept["name"], kept["filter"]) == ("Night shift", FILTER)
    assert reader.get(place(kept)).json() == kept
    house.clock.advance(5)
    newer = reader.put(place(kept), json={"name": "Day/Night", "filter": {"q": "P-1"}}).json()
    assert newer == {**newer, "id": kept["id"], "name": "Day/Night", "filter": {"q": "P-1"}}
    assert newer["updated_at"] > kept["updated_at"]
    keep(reader, "Aa", sort="due")
    assert [item["name"] for item in reader.get(LISTS).json()["items"]] == ["Aa", "Day/Night"]
    assert reader.delete(place(kept)).status_code == 204
    assert reader.get(place(kept)).status_code == 404
    assert reader.put(place(kept), json={"name": "again", "filter": {}}).status_code == 404
    assert reader.delete(place(kept)).status_code == 404


def test_a_reader_has_one_list_of_a_name(either_house):
    house = either_house
    ada, bob = house.reader("ada"), house.reader("bob")
    first, second = keep(ada), keep(ada, "Day")
    refused = ada.post(LISTS, json={"name": " Night shift ", "filter": {}})
    renamed = ada.put(place(second), json={"name": "Night shift", "filter": {}})
    assert [refused.status_code, renamed.status_code] == [409, 409]
    assert "Night" not in refused.text + renamed.text
    assert ada.get(LISTS).json()["items"] == [second, first]
    assert keep(bob)["id"] != first["id"]


def test_lists_are_their_owners_alone(house):
    ada, bob, root = house.reader("ada"), house.reader("bob"), house.reader("root", Role.ADMIN)
    kept = keep(ada)
    for other in (bob, root):
        assert other.get(LISTS).json() == {"items": []}
        assert other.get(place(kept)).status_code == 404
        assert other.put(place(kept), json={"name": "x", "filter": {}}).status_code == 404
        assert other.delete(place(kept)).status_code == 404
    keep(bob, q="else")
    assert ada.get(LISTS).json()["items"] == [kept]


def test_what_a_list_searches_for_and_its_name_are_in_no_address_and_no_audit_entry(house):
    reader = house.reader()
    mine = keep(reader, "Phantom^One")
    assert "Phantom" not in place(mine)
    reader.delete(place(mine))
    kept, removed = house.audited("worklist_list.kept"), house.audited("worklist_list.removed")
    assert [len(kept), len(removed)] == [1, 1]
    assert kept[0].detail == removed[0].detail == {"list_id": mine["id"]}
    assert "Phantom" not in str([entry.detail for entry in house.audited()])


@pytest.mark.parametrize("name", ["x" * 65, "", "  ", "...", "a\u202eb", "a\u0007b", None])
def test_names_that_are_none_are_refused(house, name):
    reader = house.reader()
    assert reader.post(LISTS, json={"name": name, "filter": FILTER}).status_code == 422
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
    assert reader.post(LISTS, json={"name": "mine", "filter": filters}).status_code == 422
    assert reader.post(LISTS, json={"name": "mine", "filter": {}, "shared": True}).status_code == 422
    assert reader.get(LISTS).json() == {"items": []}


def test_there_is_an_end_to_how_many_are_kept(house):
    reader = house.reader()
    first = keep(reader)
    with unit_of_work(house.database, house.clock) as uow:
        owner = uow.session.query(WorklistList).one().user_id
        uow.session.add_all(
            WorklistList(id=new_id(), user_id=owner, name=f"list {n}", filter={}, updated_at=uow.now)
            for n in range(MOST - 1)
        )
    assert reader.post(LISTS, json={"name": "one more", "filter": {}}).status_code == 409
    assert reader.put(place(first), json={"name": "Night shift", "filter": {"state": "ready"}}).status_code == 200
