"""A critical finding is kept when it is opened, overdue after its limit, and closed by telling somebody, or dropped."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.access import Role
from app.config import Settings, load
from app.db.report_tables import CriticalFinding, CriticalResult
from app.errors import ConfigError
from app.main import ApiDeps, create_app
from tests.api.acts import CRITICAL, FOUND, REPORTS, begin, save, sign, signed_report
from tests.api.house import House
from tests.builders.reading import add_ready_study, quick_passwords

EMPTY = (..., None, "", " \t\n", [])
"""How a fact can be missing; ...: left out."""


@pytest.fixture
def report(house):
    study, draft = add_ready_study(house.database, house.clock)
    return begin(house.reader(), study, draft)


def path(report, part):
    return f"{REPORTS}/{report['id']}/{part}"


def opened(reader, report, **changes):
    """The finding that was opened last, as the service tells it."""
    answer = reader.post(path(report, "critical-findings"), json={**FOUND, **changes})
    assert answer.status_code == 201, answer.text
    wanted = {**FOUND, **changes}["finding"]
    waiting = [row for row in answer.json()["critical_findings"] if row["outcome"] is None]
    (row,) = [row for row in waiting if row["finding"] == wanted]
    return row


def drop(reader, report, row, reason="Artefact of a tube"):
    return reader.post(path(report, f"critical-findings/{row['id']}/drop"), json={"reason": reason})


def record(reader, report, **changes):
    return reader.post(path(report, "critical-result"), json={**CRITICAL, **changes})


def told_rows(house):
    with house.database.reading() as session:
        return session.scalars(sa.select(CriticalResult)).all()


def finding_rows(house):
    with house.database.reading() as session:
        return session.scalars(sa.select(CriticalFinding)).all()


def pressing(reader):
    (item,) = reader.get("/api/v1/worklist").json()["items"]
    return item["critical"], item["critical_state"], item["critical_due_at"]


def test_one_that_was_told_at_once_is_recorded_before_and_after_signing(house, report):
    reader = house.reader()
    first = record(reader, report)
    assert first.status_code == 201, first.text
    assert first.json()["etag"] == report["etag"]
    sign(reader, save(reader, report)).raise_for_status()
    body = record(reader, report, read_back=False).json()
    assert [told["read_back"] for told in body["critical_results"]] == [True, False]
    assert body["critical_results"][0] == {
        **CRITICAL,
        "critical_finding_id": None,
        "recorded_by": "Dr Ada",
        "recorded_at": "2026-03-01T08:00:00Z",
    }
    assert body["critical_findings"] == []
    (entry, _) = house.audited("report.critical_result")
    assert "Tension" not in str(entry.detail)


def without(body):
    """The body with each of its facts missing in each way."""
    for field in body:
        for empty in EMPTY:
            yield {key: value for key, value in {**body, field: empty}.items() if value is not ...}


@pytest.mark.parametrize("is_open", [False, True], ids=["told at once", "open"])
def test_each_of_the_six_facts_is_needed(house, report, is_open):
    reader = house.reader()
    if is_open:
        opened(reader, report)
    answers = [reader.post(path(report, "critical-result"), json=body).status_code for body in without(CRITICAL)]
    assert answers == [422] * 30
    assert told_rows(house) == []
    assert [row.closed_at for row in finding_rows(house)] == [None] * is_open


def test_nothing_is_opened_without_what_was_found_and_when(house, report):
    reader = house.reader()
    answers = [reader.post(path(report, "critical-findings"), json=body).status_code for body in without(FOUND)]
    assert answers == [422] * 10
    assert finding_rows(house) == []


def test_times_that_cannot_be_are_refused(house, report):
    reader = house.reader()
    wrong = [{"found_at": "2026-03-01T07:56:00Z"}, {"told_at": "2026-03-01T09:00:00Z"}]
    assert [record(reader, report, **times).status_code for times in wrong] == [400, 400]
    unreadable = [{"told_at": "2026-03-01T07:55:00"}, {"found_at": "yesterday"}]
    assert [record(reader, report, **times).status_code for times in unreadable] == [422, 422]
    assert told_rows(house) == []


def test_nothing_is_found_in_the_future(house, report):
    moments = {"2026-03-01T08:06:00Z": 400, "2026-03-01T07:50:00": 422, "soon": 422}
    for found_at, status in moments.items():
        body = {**FOUND, "found_at": found_at}
        assert house.reader().post(path(report, "critical-findings"), json=body).status_code == status
    assert finding_rows(house) == []


def test_what_is_opened_stands_for_everybody_until_somebody_was_told(house, report):
    reader, viewer = house.reader(), house.reader("vera", Role.VIEWER)
    row = opened(reader, report)
    assert row == {
        "id": row["id"],
        **FOUND,
        "due_at": "2026-03-01T08:50:00Z",
        "opened_by": "Dr Ada",
        "opened_at": "2026-03-01T08:00:00Z",
        "outcome": None,
        "drop_reason": None,
        "closed_by": None,
        "closed_at": None,
    }
    study = viewer.get(f"/api/v1/studies/{report['study_instance_uid']}").json()
    assert (study["critical_findings"], study["critical_results"]) == ([row], [])
    assert viewer.get(f"{REPORTS}/{report['id']}").json()["critical_findings"] == [row]
    house.clock.advance(60)
    body = record(house.reader("bob"), report, critical_finding_id=row["id"]).json()
    closed = {"outcome": "told", "closed_by": "Dr Bob", "closed_at": "2026-03-01T08:01:00Z"}
    assert body["critical_findings"] == [{**row, **closed}]
    assert [told["critical_finding_id"] for told in body["critical_results"]] == [row["id"]]
    study = viewer.get(f"/api/v1/studies/{report['study_instance_uid']}").json()
    assert (study["critical_findings"], study["critical_results"]) == (
        body["critical_findings"],
        body["critical_results"],
    )


def test_every_step_is_audited_and_told_to_other_systems_without_words(house, report):
    reader = house.reader()
    told, dropped = opened(reader, report), opened(reader, report, finding="Free air, Jane Doe")
    record(reader, report, critical_finding_id=told["id"]).raise_for_status()
    drop(reader, report, dropped, "Jane Doe moved").raise_for_status()
    steps = ["report.critical_opened"] * 2 + ["report.critical_result", "report.critical_dropped"]
    entries = [entry for entry in house.audited() if entry.action in steps]
    assert [(entry.action, entry.actor) for entry in entries] == [(step, "user:ada") for step in steps]
    assert [entry.detail["critical_finding_id"] for entry in entries] == [
        told["id"], dropped["id"], told["id"], dropped["id"],
    ]  # fmt: skip
    assert "Jane" not in str([entry.detail for entry in entries])
    assert "Tension" not in str([entry.detail for entry in entries])
    feed = house.machine().get("/api/v1/changes").json()["items"]
    assert [change["action"] for change in feed if change["report_id"] == report["id"]][1:] == steps


def test_one_that_is_dropped_is_kept_with_its_reason(house, report):
    reader = house.reader()
    row = opened(reader, report)
    for reason in ({}, {"reason": ""}, {"reason": " "}, {"reason": None}, {"reason": "x" * 501}):
        answer = reader.post(path(report, f"critical-findings/{row['id']}/drop"), json=reason)
        assert answer.status_code == 422
    (kept,) = drop(reader, report, row).json()["critical_findings"]
    assert (kept["outcome"], kept["drop_reason"], kept["closed_by"]) == ("dropped", "Artefact of a tube", "Dr Ada")
    assert (kept["finding"], kept["due_at"]) == (row["finding"], row["due_at"])
    assert pressing(reader) == (False, None, None)


def test_of_several_one_must_be_named(house, report):
    reader = house.reader()
    one, other = opened(reader, report), opened(reader, report, finding="Free air")
    answer = record(reader, report)
    assert answer.status_code == 409
    assert "2 critical findings" in answer.json()["detail"]
    assert told_rows(house) == []
    record(reader, report, critical_finding_id=other["id"]).raise_for_status()
    body = record(reader, report).json()
    assert [told["critical_finding_id"] for told in body["critical_results"]] == [other["id"], one["id"]]
    assert {row["outcome"] for row in body["critical_findings"]} == {"told"}


def test_one_is_closed_once_and_on_its_own_report_only(house, report):
    reader, bob = house.reader(), house.reader("bob")
    row = opened(reader, report)
    _, other = signed_report(house, bob)
    for foreign in (drop(bob, other, row), record(bob, other, critical_finding_id=row["id"])):
        assert foreign.status_code == 404
    assert record(bob, report, critical_finding_id="0" * 32).status_code == 404
    record(bob, report, critical_finding_id=row["id"]).raise_for_status()
    for late in (drop(reader, report, row), record(reader, report, critical_finding_id=row["id"])):
        assert late.status_code == 409
        assert "Dr Bob recorded who was told" in late.json()["detail"]
    dropped = opened(reader, report, finding="Free air")
    drop(reader, report, dropped).raise_for_status()
    late = record(reader, report, critical_finding_id=dropped["id"])
    assert (late.status_code, "Dr Ada dropped it" in late.json()["detail"]) == (409, True)
    assert len(told_rows(house)) == 1


def test_the_signature_waits_for_an_outcome(house, report):
    reader = house.reader()
    row, saved = opened(reader, report), save(reader, report)
    answer = sign(reader, saved)
    assert answer.status_code == 409
    assert answer.json()["reasons"] == ["a critical result was told to nobody yet"]
    drop(reader, report, row).raise_for_status()
    sign(reader, saved).raise_for_status()
    opened(reader, report)
    assert pressing(reader)[1] == "open", "an addendum's finding may be open on a signed report"


def test_an_open_one_survives_take_over_and_withdrawal(house, report):
    ada, bob = house.reader(), house.reader("bob")
    row = opened(ada, report)
    house.clock.advance(61)
    bob.post(f"/api/v1/studies/{report['study_instance_uid']}/claim").raise_for_status()
    assert sign(bob, save(bob, report)).json()["reasons"] == ["a critical result was told to nobody yet"]
    withdrawn = bob.post(path(report, "reject"), json={"reason": "Not mine to report"}).json()
    assert withdrawn["critical_findings"] == [row]
    assert ada.post(path(report, "critical-findings"), json=FOUND).status_code == 409
    assert pressing(ada) == (True, "open", row["due_at"])
    study = ada.get(f"/api/v1/studies/{report['study_instance_uid']}").json()
    assert study["critical_findings"] == [row]
    body = record(ada, report, critical_finding_id=row["id"])
    assert (body.status_code, body.json()["critical_findings"][0]["outcome"]) == (201, "told")
    assert record(ada, report).status_code == 409, "nothing is open on a withdrawn report any more"


def test_it_is_overdue_when_its_time_is_over(either_house):
    house = either_house
    study, draft = add_ready_study(house.database, house.clock)
    reader = house.reader()
    report = begin(reader, study, draft)
    row = opened(reader, report)
    later = opened(reader, report, finding="Free air", found_at="2026-03-01T08:00:00Z")

    def found():
        states, reader = ("open", "overdue", "told"), house.reader()  # a session does not last as long
        pages = {one: reader.get("/api/v1/worklist", params={"critical_state": one}).json() for one in states}
        assert len(reader.get("/api/v1/worklist", params={"critical": True}).json()["items"]) == 1
        assert reader.get("/api/v1/worklist", params={"critical": False}).json()["items"] == []
        return *pressing(reader), [one for one, page in pages.items() if page["items"]]

    assert found() == (True, "open", "2026-03-01T08:50:00Z", ["open"])
    house.clock.advance(50 * 60 - 1)
    assert found() == (True, "open", "2026-03-01T08:50:00Z", ["open"])
    house.clock.advance(1)
    assert found() == (True, "overdue", "2026-03-01T08:50:00Z", ["overdue"])
    reader = house.reader()
    record(reader, report, critical_finding_id=row["id"]).raise_for_status()
    assert found() == (True, "open", "2026-03-01T09:00:00Z", ["open"])
    drop(reader, report, later).raise_for_status()
    assert found() == (True, "told", None, ["told"])
    asked = {"critical_state": ["overdue", "told"]}
    assert len(reader.get("/api/v1/worklist", params=asked).json()["items"]) == 1


def test_the_time_there_is_is_the_sites_to_say(house, pixels, tmp_path):
    file = tmp_path / "unirg.toml"
    file.write_text("[review]\ncritical_minutes = 15\n")
    minutes = load(file).review.critical_minutes
    assert (minutes, Settings().review.critical_minutes) == (15, 60)
    file.write_text("[review]\ncritical_minutes = 0\n")
    with pytest.raises(ConfigError, match=r"review\.critical_minutes"):
        load(file)
    parts = (house.database, house.clock, house.store, pixels, lambda: True)
    deps = ApiDeps(*parts, min_free_ratio=0, web_dist=None, critical_limit=timedelta(minutes=minutes))
    quick = House(create_app(deps, quick_passwords()), house.database, house.clock, house.store)
    study, draft = add_ready_study(house.database, house.clock)
    reader = quick.reader()
    assert opened(reader, begin(reader, study, draft))["due_at"] == "2026-03-01T08:05:00Z"


def test_what_was_found_long_ago_is_overdue_at_once(house, report):
    reader = house.reader()
    opened(reader, report, found_at="2026-02-28T20:00:00Z")
    assert pressing(reader) == (True, "overdue", "2026-02-28T21:00:00Z")
