"""The chain as auditors read it: filtered, paged, and broken where somebody touched it."""

from __future__ import annotations

import pytest

from app.access import Role
from app.db.session import unit_of_work
from tests.api.acts import signed_report
from tests.builders.reading import add_ready_study

AUDIT, VERIFY = "/api/v1/audit", "/api/v1/audit/verify"


def test_entries_come_in_order_by_study_and_by_actor(either_house):
    house = either_house
    ada, auditor = house.reader("ada"), house.reader("otto", Role.AUDITOR)
    study, _ = signed_report(house, ada)
    other, _ = add_ready_study(house.database, house.clock)
    house.reader("vera", Role.VIEWER).get(f"/api/v1/studies/{other.study_instance_uid}")
    mine = auditor.get(AUDIT, params={"study": study.study_instance_uid}).json()
    assert mine["next"] is None
    assert {entry["study_instance_uid"] for entry in mine["items"]} == {study.study_instance_uid}
    assert [entry["seq"] for entry in mine["items"]] == sorted(entry["seq"] for entry in mine["items"])
    (look,) = [e for e in auditor.get(AUDIT, params={"actor": "user:vera"}).json()["items"] if "read" in e["action"]]
    assert (look["action"], look["study_instance_uid"]) == ("read.study", other.study_instance_uid)


def test_pages_joined_are_the_whole_chain(house):
    signed_report(house, house.reader("ada"))
    auditor = house.reader("otto", Role.AUDITOR)
    whole = [entry.seq for entry in house.audited()]
    joined, after = [], 0
    while after is not None:
        page = auditor.get(AUDIT, params={"after": after, "limit": 4}).json()
        joined += [entry["seq"] for entry in page["items"] if entry["seq"] <= whole[-1]]
        after = page["next"] if page["next"] is None or page["next"] < whole[-1] else None
    assert joined == whole


def test_looking_at_the_chain_is_in_the_chain(house):
    auditor = house.reader("otto", Role.AUDITOR)
    auditor.get(AUDIT)
    auditor.get(VERIFY)
    assert [entry.action for entry in house.audited()][-2:] == ["read.audit", "audit.verified"]


@pytest.mark.parametrize(
    "touch",
    [
        "UPDATE audit SET actor = 'user:nobody' WHERE seq = 2",
        "UPDATE audit SET detail = '{}' WHERE action = 'report.signed'",
        "DELETE FROM audit WHERE seq = 3",
        "DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)",
    ],
)
def test_whoever_touches_an_entry_is_found_out(house, touch):
    signed_report(house, house.reader("ada"))
    auditor = house.reader("otto", Role.AUDITOR)
    assert auditor.get(VERIFY).json()["ok"] is True
    with unit_of_work(house.database, house.clock) as uow:
        uow.session.connection().exec_driver_sql(touch)
    found = auditor.get(VERIFY).json()
    assert found["ok"] is False
    assert found["problem"]
