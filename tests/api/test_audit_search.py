"""The chain as an administrator searches it: by action, outcome and time, from either end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.access import Role
from app.audit.rules import outcome
from app.db.session import unit_of_work
from tests.api.acts import signed_report

AUDIT = "/api/v1/audit"


@pytest.fixture
def story(either_house):
    """Somebody signs, somebody else mistypes a password, an hour later a job dies."""
    house = either_house
    signed_report(house, house.reader("ada"))
    house.visitor().post("/api/v1/auth/login", json={"username": "ada", "password": "not the password"})
    house.clock.advance(3600)
    with unit_of_work(house.database, house.clock) as uow:
        uow.audit("job.dead", task="priors.gather", attempts=5, error="away")
        uow.audit("reports.of_another_kind")
        uow.audit("audit.verified", ok=False, entries=3)
        uow.audit("audit.verified", ok=True, entries=3)
    return house


def searched(house, **asked):
    auditor = house.reader("otto", Role.AUDITOR)
    answer = auditor.get(AUDIT, params={"limit": 1000, **asked})
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def test_an_action_is_found_by_itself_and_by_its_group(story):
    assert {entry["action"] for entry in searched(story, action="report.signed")} == {"report.signed"}
    group = {entry["action"] for entry in searched(story, action="report")}
    assert {"report.started", "report.signed"} <= group
    assert all(action.startswith("report.") for action in group)
    assert searched(story, action="rep_rt") == searched(story, action="rep") == []


def test_what_failed_is_told_apart_from_what_did_not(story):
    failed = searched(story, outcome="failure")
    told = [(entry["action"], entry["detail"].get("ok")) for entry in failed]
    assert told == [("auth.login_failed", None), ("job.dead", None), ("audit.verified", False)]
    whole = {entry.seq: outcome(entry.action, entry.detail) for entry in story.audited()}
    assert {entry["seq"] for entry in failed} == {seq for seq, found in whole.items() if found == "failure"}
    good = searched(story, outcome="success")
    assert {entry["seq"] for entry in good} >= {seq for seq, found in whole.items() if found == "success"}
    assert {entry["outcome"] for entry in good} == {"success"}


def test_a_time_range_takes_its_first_moment_and_leaves_its_last(story):
    moment = story.clock.now()
    late = [entry["action"] for entry in searched(story, **{"from": moment.isoformat()})]
    assert late[:2] == ["job.dead", "reports.of_another_kind"]
    early = searched(story, to=moment.isoformat())
    assert {entry["at"] < moment.isoformat(timespec="microseconds") for entry in early} == {True}
    assert "report.signed" in {entry["action"] for entry in early}
    elsewhere = (moment + timedelta(hours=2)).replace(tzinfo=None).isoformat() + "+02:00"
    assert searched(story, **{"from": elsewhere, "to": elsewhere}) == []
    between = searched(story, **{"from": elsewhere, "action": "job"})
    assert [entry["action"] for entry in between] == ["job.dead"]


def test_filters_narrow_each_other(story):
    found = searched(story, actor="user:ada", action="auth", outcome="failure", to=story.clock.now().isoformat())
    assert [entry["action"] for entry in found] == ["auth.login_failed"]


@pytest.mark.parametrize("order", ["oldest", "newest"])
def test_pages_joined_are_the_whole_search_from_either_end(story, order):
    auditor = story.reader("otto", Role.AUDITOR)
    wanted = {"order": order, "actor": "user:ada", "limit": 3}
    whole = [entry.seq for entry in story.audited() if entry.actor == "user:ada"]
    joined, after = [], 0
    while after is not None:
        page = auditor.get(AUDIT, params={**wanted, "after": after}).json()
        joined += [entry["seq"] for entry in page["items"]]
        after = page["next"]
    assert len(whole) > 6
    assert joined == (whole if order == "oldest" else whole[::-1])


@pytest.mark.parametrize(
    "asked",
    [{"from": "yesterday"}, {"to": "2026-03-01T08:00:00"}, {"outcome": "maybe"}, {"order": "random"}, {"after": -1}],
)
def test_what_cannot_be_asked_is_refused(house, asked):
    assert house.reader("otto", Role.AUDITOR).get(AUDIT, params=asked).status_code == 422
