"""Which studies a reader sees, in which order, page by page."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.access import Role
from app.db.session import unit_of_work
from app.db.tables import ReadingLock
from app.domain.study import Stage
from tests.builders.reading import add_ready_study
from tests.builders.studies import add_study

LIST = "/api/v1/worklist"


def shown(reader, **query):
    answer = reader.get(LIST, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def uids(page):
    return [item["study_instance_uid"] for item in page["items"]]


def test_a_line_says_what_a_reader_chooses_by(house):
    study, _ = add_ready_study(house.database, house.clock, accession_number="A-17", priority="STAT")
    reader = house.reader()
    reader.post(f"/api/v1/studies/{study.study_instance_uid}/claim")
    (item,) = shown(house.reader("bob"))["items"]
    assert item == {
        "study_instance_uid": study.study_instance_uid,
        "accession_number": "A-17",
        "patient": {
            "name": "Phantom^One",
            "id": "P-1",
            "issuer": "HOSPITAL",
            "birth_date": "19600101",
            "sex": "F",
        },
        "study_date": "20260301",
        "description": None,
        "state": "ready",
        "reason": None,
        "priority": "STAT",
        "received_at": "2026-03-01T08:00:00Z",
        "lock": {"owner": "Dr Ada"},
        "flags": 1,
        "report_status": None,
    }


def test_open_studies_come_by_priority_and_age_then_the_signed_ones_latest_first(either_house):
    house = either_house
    expected = {}
    plan = [("ROUTINE", Stage.READY), ("LOW", Stage.FAILED), ("STAT", Stage.RECEIVING), ("ROUTINE", Stage.SIGNED)]
    plan += [("HIGH", Stage.IN_REVIEW), ("STAT", Stage.DELIVERED), ("ROUTINE", Stage.NOT_ELIGIBLE)]
    for number, (priority, stage) in enumerate(plan):
        study = add_study(house.database, house.clock, stage, priority=priority)
        expected[number] = study.study_instance_uid
        house.clock.advance(1)
    order = [expected[number] for number in (2, 4, 0, 6, 1, 5, 3)]
    reader = house.reader()
    assert uids(shown(reader)) == order
    pages, cursor = [], None
    while True:
        page = shown(reader, limit=2, **({"cursor": cursor} if cursor else {}))
        pages += uids(page)
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert pages == order


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    plan=st.lists(
        st.tuples(st.sampled_from(["STAT", "HIGH", "ROUTINE", "LOW", "odd"]), st.sampled_from(Stage)), max_size=12
    ),
    limit=st.integers(1, 5),
)
def test_pages_joined_are_the_whole_list_whatever_their_size(house, plan, limit):
    with unit_of_work(house.database, house.clock) as uow:
        uow.session.connection().exec_driver_sql("DELETE FROM studies")
    for priority, stage in plan:
        add_study(house.database, house.clock, stage, priority=priority)
    machine = house.machine()
    joined, cursor = [], None
    while cursor is not None or not joined:
        page = shown(machine, limit=limit, **({"cursor": cursor} if cursor else {}))
        joined += uids(page)
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert joined == uids(shown(machine, limit=200))
    assert len(joined) == len(plan)


def test_filters(house):
    wanted = add_study(house.database, house.clock, Stage.READY, priority="STAT", patient_name="Müller^Jörg")
    add_study(house.database, house.clock, Stage.FAILED, priority="ROUTINE", accession_number="100%")
    reader = house.reader()
    assert uids(shown(reader, state="ready")) == [wanted.study_instance_uid]
    assert uids(shown(reader, priority="stat")) == [wanted.study_instance_uid]
    assert uids(shown(reader, q="müller")) == [wanted.study_instance_uid]
    assert uids(shown(reader, q="0%")) != [wanted.study_instance_uid]
    assert len(uids(shown(reader, q="p-1"))) == 2
    assert uids(shown(reader, q="_")) == []
    assert len(uids(shown(reader, q=" ", priority=""))) == 2


@pytest.mark.parametrize("cursor", ["x", "W10=", "e30=", "WzAsMCwieCIsIngiXQ==", "ü"])
def test_a_made_up_cursor_is_refused(house, cursor):
    answer = house.reader().get(LIST, params={"cursor": cursor})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 201}, {"state": "lost"}, {"q": "a\x00"}, {"q": "x" * 65}])
def test_a_query_outside_the_schema_is_refused_without_repeating_it(house, query):
    answer = house.reader().get(LIST, params=query)
    assert answer.status_code == 422
    assert "x" * 65 not in answer.text


def test_an_expired_lock_is_no_lock(house):
    study, _ = add_ready_study(house.database, house.clock)
    house.reader().post(f"/api/v1/studies/{study.study_instance_uid}/claim")
    house.clock.advance(61)
    (item,) = shown(house.reader("bob"))["items"]
    assert item["lock"] is None
    with house.database.reading() as session:
        assert session.get(ReadingLock, study.id) is not None


def test_each_page_that_is_looked_at_is_audited_once_a_minute(house):
    one, _ = add_ready_study(house.database, house.clock)
    viewer = house.reader("vera", Role.VIEWER)
    shown(viewer)
    shown(viewer)
    (entry,) = house.audited("read.worklist")
    assert (entry.actor, entry.detail["studies"]) == ("user:vera", [one.id])
    house.clock.advance(61)
    shown(viewer)
    two, _ = add_ready_study(house.database, house.clock)
    shown(viewer)
    assert len(house.audited("read.worklist")) == 3
    assert two.id in house.audited("read.worklist")[-1].detail["studies"]
