"""From study to study without the worklist between: in the order, and of the filter, that the reader gave the list."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from app.domain.study import Stage

pytestmark = pytest.mark.peer("chromium", "node")

PATIENTS = {"Bose": "STAT", "Dahl": "ROUTINE", "Ahn": "ROUTINE", "Cruz": "STAT", "Eder": "ROUTINE"}
"""In the order in which they came; by priority the service puts Bose and Cruz first."""
DISPLAYED = """count =>
  performance.getEntriesByType('resource').filter(one => one.name.endsWith('/display')).length >= count
"""


@pytest.fixture
def studies(room):
    """Patients "<name>, Anna", to be reported by hand; by family name."""
    return {
        name: room.study(Stage.NOT_ELIGIBLE, patient_name=f"{name}^Anna", priority=priority)
        for name, priority in PATIENTS.items()
    }


@pytest.fixture
def worklist(reader, studies):
    """The list, before anything is asked of it; the family names from the top are `seen(reader)`."""
    reader.log_in("ada")
    expect(reader.page.get_by_role("grid", name="Studies")).to_have_attribute("aria-rowcount", str(len(studies) + 1))
    return reader


def seen(reader):
    return [name.split(",")[0] for name in reader.page.locator(".lines .open").all_inner_texts()]


def sort_by(reader, title, direction):
    header = reader.page.get_by_role("columnheader", name=title)
    while header.get_attribute("aria-sort") != direction:
        header.get_by_role("button").click()
    expect(header).to_have_attribute("aria-sort", direction)


def expect_open(reader, name):
    expect(reader.page.get_by_role("heading", name=f"{name}, Anna")).to_be_focused()


def fetched(reader, studies):
    """Family names of the studies that the page has asked for, in that order."""
    names = {study.study_instance_uid: name for name, study in studies.items()}
    asked = [url.rsplit("/studies/", 1)[1] for url in reader.requests if "/studies/" in url]
    return list(dict.fromkeys(names[uid] for uid in asked if uid in names))


def test_n_goes_down_the_list_as_it_is_sorted(worklist):
    assert seen(worklist) == ["Bose", "Cruz", "Dahl", "Ahn", "Eder"]
    sort_by(worklist, "Patient", "descending")
    order = seen(worklist)
    assert order == ["Eder", "Dahl", "Cruz", "Bose", "Ahn"]
    worklist.open("Dahl, Anna")
    for name in order[2:]:
        worklist.page.keyboard.press("n")
        expect_open(worklist, name)
    button = worklist.page.get_by_role("button", name="Next study")
    expect(button).to_be_disabled()
    expect(worklist.page.get_by_text("No further study in the list")).to_be_visible()
    worklist.page.keyboard.press("n")
    expect_open(worklist, "Ahn")
    worklist.page.go_back()
    expect(worklist.page.get_by_role("heading", name="Bose, Anna")).to_be_visible()
    button.click()
    expect_open(worklist, "Ahn")


def test_only_studies_of_the_filter_come_next(worklist):
    chip = worklist.page.get_by_role("group", name="Priority").get_by_role("button", name="Routine")
    chip.click()
    sort_by(worklist, "Patient", "ascending")
    expect(worklist.page.locator(".lines .open")).to_have_count(3)
    assert seen(worklist) == ["Ahn", "Dahl", "Eder"]
    worklist.open("Ahn, Anna")
    worklist.page.keyboard.press("n")
    expect_open(worklist, "Dahl")
    worklist.page.keyboard.press("n")
    expect_open(worklist, "Eder")
    expect(worklist.page.get_by_role("button", name="Next study")).to_be_disabled()


def test_the_next_two_of_the_sorted_list_are_fetched_and_no_other(worklist, studies):
    sort_by(worklist, "Patient", "descending")
    worklist.open("Eder, Anna")
    worklist.await_films(1)
    worklist.page.wait_for_function(DISPLAYED, arg=3)
    assert fetched(worklist, studies) == ["Eder", "Dahl", "Cruz"]
    before = len([asked for asked in worklist.requests if asked.endswith("/display")])
    worklist.page.keyboard.press("n")
    expect_open(worklist, "Dahl")
    worklist.await_films(1)
    worklist.page.wait_for_function(DISPLAYED, arg=4)
    assert fetched(worklist, studies) == ["Eder", "Dahl", "Cruz", "Bose"]
    assert before == 3


def test_n_is_a_letter_where_text_is_typed_and_what_was_typed_is_kept(worklist, room, studies):
    room.person("max")
    page, keys = worklist.page, worklist.page.keyboard
    worklist.open("Bose, Anna")
    page.get_by_role("button", name="Report by hand").click()
    own = page.get_by_label("Your findings")
    own.press_sequentially("No new nodule.")
    expect(own).to_have_text("No new nodule.")
    expect(page.get_by_role("heading", name="Bose, Anna")).to_be_visible()
    page.locator(".stage").first.focus()
    keys.press("n")  # before what was typed is saved by itself
    expect_open(worklist, "Cruz")
    with room.colleague("max") as colleague:
        path = f"/studies/{studies['Bose'].study_instance_uid}"
        given_back = "async path => (await (await fetch('/api/v1' + path)).json()).lock === null"
        page.wait_for_function(given_back, arg=path)
        assert colleague.get(path).json()["lock"] is None
    page.get_by_role("button", name="Worklist").click()
    worklist.open("Bose, Anna")
    page.get_by_role("button", name="Go on with this report").click()
    expect(page.get_by_label("Your findings")).to_have_text("No new nodule.")
    page.get_by_role("button", name="Keys").click()
    keys.press("n")
    expect(page.get_by_role("dialog")).to_contain_text("next study of the list")


def test_the_button_meets_wcag_as_far_as_axe_sees_and_leaves_no_trace(worklist, studies):
    page = worklist.page
    worklist.open("Bose, Anna")
    button = page.get_by_role("button", name="Next study")
    found = {}
    for theme in ("dark", "light"):
        page.get_by_label("Theme").select_option(theme)
        found[theme] = worklist.audit_accessibility()
    assert found == {theme: [] for theme in found}
    size = button.bounding_box()
    assert min(size["width"], size["height"]) >= 24
    button.click()
    expect_open(worklist, "Cruz")
    kept = page.evaluate("() => JSON.stringify([location.href, document.title, history.state, {...localStorage}])")
    assert not any(study.study_instance_uid in kept for study in studies.values())
