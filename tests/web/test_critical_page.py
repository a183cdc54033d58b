"""An open critical finding stands in the record: a killed browser, a colleague and the clock all find it there."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from app.db.report_tables import CriticalFinding, CriticalResult
from app.domain.study import Stage
from tests.builders.reading import PASSWORD
from tests.web.conftest import SLOW
from tests.web.reader import Reader
from tests.web.report_page import begin, flagged_study, rows

pytestmark = pytest.mark.peer("chromium", "node")
FINDING = "Tension pneumothorax"
TOLD = {"finding": FINDING, "told_to": "Dr Ward", "method": "telephone", "read_back": True}
LIMIT = timedelta(minutes=60)
"""Of the room: the service's default."""


@pytest.fixture
def study(room):
    return flagged_study(room)


@pytest.fixture
def somebody_else(chromium, room):
    """Another radiologist at another browser."""
    room.person("max")
    with chromium.new_context(viewport={"width": 1440, "height": 900}) as context:
        context.set_default_timeout(SLOW)
        colleague = Reader(context.new_page(), room.url)
        yield colleague
    assert colleague.faults == []


def opened(http, report_id, found_at):
    """Somebody opens one over HTTP; returns its id."""
    given = {"finding": FINDING, "found_at": found_at.isoformat()}
    answer = http.post(f"/reports/{report_id}/critical-findings", json=given).raise_for_status().json()
    return answer["critical_findings"][-1]["id"]


def waiting(reader):
    return reader.page.get_by_role("alert").filter(has_text="told to nobody yet")


def cell(reader):
    return reader.page.locator(".lines .cell-critical")


@pytest.mark.usefixtures("study")
def test_a_killed_browser_loses_nothing_and_a_colleague_finishes(reader, room, somebody_else):
    reader.log_in("ada")
    reader.open("Doe, Jane")
    begin(reader)
    reader.page.keyboard.press("c")
    dialog = reader.page.get_by_role("dialog", name="Critical result")
    dialog.get_by_label("Finding").fill(FINDING)
    dialog.get_by_role("button", name="Open it").click()
    expect(dialog.get_by_label("Told to")).to_be_focused()
    reader.page.close(run_before_unload=False)
    (row,) = rows(room, CriticalFinding)
    assert (row.finding, row.closed_at, row.due_at - row.found_at) == (FINDING, None, LIMIT)

    somebody_else.log_in("max")
    expect(cell(somebody_else)).to_contain_text(re.compile(r"\d+ min"))
    expect(somebody_else.page.get_by_text("1 critical result open")).to_be_visible()
    assert somebody_else.audit_accessibility() == []
    somebody_else.open("Doe, Jane")
    expect(waiting(somebody_else)).to_contain_text(FINDING)
    expect(waiting(somebody_else)).to_contain_text("Opened by Dr Ada")
    somebody_else.page.reload()
    somebody_else.open("Doe, Jane")
    waiting(somebody_else).get_by_role("button", name="Record who was told…").click()
    dialog = somebody_else.page.get_by_role("dialog", name="Critical result")
    expect(dialog.get_by_label("Finding")).to_have_value(FINDING)
    dialog.get_by_label("Told to").fill("Dr Ward")
    dialog.get_by_role("button", name="Now", exact=True).click()
    dialog.get_by_label("How").select_option("telephone")
    dialog.get_by_label("Yes").check()
    dialog.get_by_role("button", name="Record").click()
    expect(waiting(somebody_else)).to_have_count(0)
    (told,) = rows(room, CriticalResult)
    (row,) = rows(room, CriticalFinding)
    assert (row.result_id, row.closed_name, told.told_to) == (told.id, "Dr Max", "Dr Ward")
    recorded = somebody_else.page.get_by_role("region", name="Critical results")
    expect(recorded).to_contain_text("recorded by Dr Max")
    somebody_else.page.get_by_role("button", name="← Worklist").click()
    expect(cell(somebody_else)).to_have_text("Told")


@pytest.mark.usefixtures("study")
def test_one_that_is_dropped_stays_in_sight_with_its_reason(reader, room):
    page = reader.page
    reader.log_in("ada")
    reader.open("Doe, Jane")
    begin(reader)
    page.keyboard.press("c")
    for finding, then in ((FINDING, "Another finding…"), ("Free air", "Not critical after all…")):
        dialog = page.get_by_role("dialog", name="Critical result")
        dialog.get_by_label("Finding").fill(finding)
        dialog.get_by_role("button", name="Open it").click()
        dialog.get_by_role("button", name=then).click()
    drop = page.get_by_role("dialog", name="Not critical after all")
    expect(drop).to_contain_text("Free air")
    expect(drop.get_by_role("button", name="Drop it")).to_be_disabled()
    drop.get_by_label("Reason").fill("A fold of the skin")
    drop.get_by_role("button", name="Drop it").click()
    expect(page.get_by_role("region", name="Critical results")).to_contain_text(
        re.compile(r"Free air: found .*; not critical after all, Dr Ada, .*: A fold of the skin")
    )
    expect(waiting(reader)).to_have_count(1)
    expect(waiting(reader)).to_contain_text(FINDING)
    assert {(row.finding, row.drop_reason) for row in rows(room, CriticalFinding)} == {
        (FINDING, ""),
        ("Free air", "A fold of the skin"),
    }


def test_a_signed_study_stands_in_the_list_until_somebody_was_told(reader, room):
    study = room.study(Stage.DRAFT_UNAVAILABLE, patient_name="Roe^Richard", with_film=False)
    room.person("eve")
    with room.colleague("eve") as eve:
        report = eve.post("/reports", json={"study_instance_uid": study.study_instance_uid}).raise_for_status().json()
        place, tag = f"/reports/{report['id']}", {"If-Match": f'"{report["etag"]}"'}
        text = {"findings": "Free air.", "impression": "", "sentences": []}
        report = eve.put(place, json=text, headers=tag).raise_for_status().json()
        tag = {"If-Match": f'"{report["etag"]}"'}
        eve.post(f"{place}/sign", json={"password": PASSWORD, "meaning": "Mine"}, headers=tag).raise_for_status()
        reader.log_in("ada")
        expect(reader.page.get_by_text("No study is open.")).to_be_visible()
        opened(eve, report["id"], room.clock.now())
        expect(cell(reader)).to_contain_text("told to nobody yet")
        reader.page.reload()
        expect(cell(reader)).to_contain_text("told to nobody yet")
        reader.page.get_by_role("button", name="Not told 1").click()
        reader.open("Roe, Richard")
        expect(waiting(reader)).to_contain_text(FINDING)
        expect(waiting(reader).get_by_role("button", name="Record who was told…")).to_be_visible()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_it_says_overdue_within_a_minute_without_a_reload(reader, room, study, somebody_else, theme):
    for page in (reader.page, somebody_else.page):
        page.context.add_cookies([{"name": "unirg_theme", "value": theme, "url": room.url}])
    reader.log_in("ada")
    reader.open("Doe, Jane")
    somebody_else.log_in("max")
    room.person("eve")
    with room.colleague("eve") as eve:
        report = eve.post("/reports", json={"study_instance_uid": study.study_instance_uid}).raise_for_status().json()
        finding_id = opened(eve, report["id"], room.clock.now() - LIMIT + timedelta(seconds=45))
        due = rows(room, CriticalFinding)[0].due_at
        expect(waiting(reader)).to_contain_text("Critical result, told to nobody yet")
        expect(cell(somebody_else)).to_contain_text("told to nobody yet, 0 min left")

        def a_minute_after():
            return max((due - room.clock.now()).total_seconds() + 60, 1) * 1000

        late = "Critical result overdue, told to nobody yet"
        expect(waiting(reader)).to_contain_text(late, timeout=a_minute_after())
        expect(waiting(reader).get_by_role("timer")).to_have_text(re.compile(r"^Known for 1 h 00, overdue by \d min$"))
        expect(cell(somebody_else)).to_contain_text("Critical result overdue", timeout=a_minute_after())
        expect(somebody_else.page.get_by_text("1 critical result overdue, told to nobody yet")).to_be_visible()
        assert reader.audit_accessibility() == []
        assert somebody_else.audit_accessibility() == []
        times = {"found_at": (due - LIMIT).isoformat(), "told_at": room.clock.now().isoformat()}
        told = {**TOLD, **times, "critical_finding_id": finding_id}
        eve.post(f"/reports/{report['id']}/critical-result", json=told).raise_for_status()
    expect(waiting(reader)).to_have_count(0)
    expect(reader.page.get_by_role("region", name="Critical results")).to_contain_text("Dr Ward")
    expect(cell(somebody_else)).to_have_text("Told")
