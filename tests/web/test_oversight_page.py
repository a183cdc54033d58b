"""The lead's page in Chromium: figures equal a recount, for any days and grouping; refusals are told; by keyboard."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import datetime

import pytest
from playwright.sync_api import expect

from app.access import Role
from app.oversight.signed_reports import KnownFigures
from model.findings import read_findings
from tests.api.recount import DECISIONS, compared, decisions_of, names, rows_of
from tests.web.conftest import SLOW
from tests.web.overseen import SIGNED, open_overseen
from tests.web.reader import Reader

pytestmark = pytest.mark.peer("chromium", "node")

BY_FINDING = "Readers’ decisions by finding"
ON_FLAGGED = "Readers’ decisions on flagged sentences"
TIMES = "Time from image and draft to signature"
GROUPS = {"model": "model version", "site": "site", "device": "device", "view": "views"}
TABLE = """table => [...table.querySelectorAll('tr')].map(row => [...row.cells].map(cell => cell.innerText.trim()))"""
FOCUSABLE = (
    """() => [...document.querySelectorAll('main :is(button, input, [tabindex="0"])')].map(one => one.outerHTML)"""
)
FOCUSED = "() => document.activeElement.outerHTML"
SMALL = """() => [...document.querySelectorAll('main :is(button, input)')]
  .map(one => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()])
  .filter(([, { width, height }]) => width < 24 || height < 24)
  .map(([html, { width, height }]) => `${width} x ${height}: ${html}`)"""
OVER_THE_EDGE = """() => Math.max(
  document.documentElement.scrollWidth - innerWidth, document.querySelector('main').scrollWidth - innerWidth
)"""


@pytest.fixture(scope="module")
def overseen(pixels, tmp_path_factory):
    with open_overseen(tmp_path_factory.mktemp("overseen"), pixels) as running:
        yield running


@pytest.fixture
def lead(chromium, overseen):
    """Lena, at the page that a lead begins with; it may raise no error and break no policy in any test."""
    context = chromium.new_context(viewport={"width": 1280, "height": 720})
    context.set_default_timeout(SLOW)
    somebody = Reader(context.new_page(), overseen.url)
    overseen.log_in(somebody)
    yield somebody
    context.close()
    assert somebody.faults == []


@pytest.fixture
def limited(overseen):
    """A function: the service keeps its figures under other limits (of KnownFigures) until the test ends."""
    state, before = overseen.house.app.state, overseen.house.app.state.oversight

    def limit(**limits):
        state.oversight = replace(before, figures=KnownFigures(**limits))

    yield limit
    state.oversight = before


@pytest.fixture
def impatient(limited):
    """The service reads one report a call."""
    limited(patience=0.0)


def table(lead, caption):
    """Cells by column, by the first cell of each row; a share beside a count is left out."""
    found = lead.page.get_by_role("table", name=caption, exact=True)
    expect(found).to_be_visible()
    head, *rows = found.evaluate(TABLE)
    return {row[0]: dict(zip(head[1:], [cell.split(" (")[0] for cell in row[1:]], strict=True)) for row in rows}


def numbers(cells, *columns):
    return [int(cells[column].replace(",", "")) for column in columns]


def show(lead, first, last):
    lead.page.get_by_label("First day").fill(str(first))
    lead.page.get_by_label("Last day").fill(str(last))
    lead.page.get_by_role("button", name="Show").click()


def signed(overseen, ago, where="1 = 1"):
    """The rows of the reports of the last so many days, read without the application."""
    days = f"substr(r.signed_at, 1, 10) BETWEEN '{overseen.day(ago - 1)}' AND '{overseen.today}'"
    return rows_of(overseen.house, f"{days} AND {where}")


def told_counts(lead):
    return [int(text.split()[0]) for text in lead.page.locator(".counts dd").all_inner_texts()]


def class_words(name):
    return "No finding stated" if name == "none" else name.capitalize()


def decided(counted):
    sentences = sum(counted[decision] for decision in DECISIONS if decision != "added")
    return [sentences, *(counted[decision] for decision in ("accepted", "edited", "rejected", "added"))]


def in_seconds(words):
    units = {"d": 86_400, "h": 3600, "min": 60, "s": 1}
    parts = words.split()
    return sum(int(number) * units[unit] for number, unit in zip(parts[::2], parts[1::2], strict=True))


def test_decisions_and_flags_equal_a_recount(lead, overseen):
    by_class, by_flag, every, flagged = defaultdict(Counter), defaultdict(Counter), Counter(), 0
    for row in signed(overseen, 30):
        for decision, text, codes in decisions_of(row):
            every[decision] += 1
            flagged += bool(codes)
            for name in {finding.condition for finding in read_findings(text)} or {"none"}:
                by_class[class_words(name)][decision] += 1
            for code in codes:
                by_flag[code.replace("-", " ").capitalize()][decision] += 1
    columns = ("Draft sentences", "Accepted", "Edited", "Rejected")
    found = {head: numbers(cells, *columns, "Added") for head, cells in table(lead, BY_FINDING).items()}
    assert found.pop("Sentences, each counted once") == decided(every)
    assert found.pop("Sum of the lines above") == decided(sum(by_class.values(), Counter()))
    assert found == {name: decided(counted) for name, counted in by_class.items()}
    assert list(found)[-1] == "No finding stated"
    flags = {head: numbers(cells, *columns) for head, cells in table(lead, ON_FLAGGED).items()}
    assert flags == {name: decided(counted)[:4] for name, counted in by_flag.items()}
    expect(lead.page.get_by_text(f"{flagged} of {decided(every)[0]} draft sentences")).to_be_visible()


def test_times_to_signature_equal_a_recount(lead, overseen):
    found = table(lead, TIMES)
    for head, since in (
        ("Since the first image was received", "received_at"),
        ("Since the draft was written", "drafted_at"),
    ):
        waits = sorted(
            (datetime.fromisoformat(row["signed_at"]) - datetime.fromisoformat(row[since])).total_seconds()
            for row in signed(overseen, 30)
            if row[since]
        )
        middle = (waits[(len(waits) - 1) // 2] + waits[len(waits) // 2]) / 2
        assert numbers(found[head], "Reports") == [len(waits)]
        assert abs(in_seconds(found[head]["Median"]) - middle) <= 1
        nine_tenths = in_seconds(found[head]["90th percentile"])
        assert sum(wait <= nine_tenths + 1 for wait in waits) >= 0.9 * len(waits)
        assert sum(wait < nine_tenths - 1 for wait in waits) < 0.9 * len(waits)


@pytest.mark.parametrize("by", GROUPS)
def test_draft_against_signed_text_equals_a_recount(lead, overseen, by):
    name, groups = names(overseen.house, by), defaultdict(Counter)
    for row in signed(overseen, 30, "d.id IS NOT NULL"):
        said, digest, prompt = name(row)
        made = f"\nweights {digest[:12]}, prompt {prompt}" if digest else ""
        groups[(said or "Not recorded") + made] += compared(row)
    groups["All reports on a draft"] = sum(groups.values(), Counter())
    button = lead.page.get_by_role("button", name=by.capitalize(), exact=True)
    button.focus()
    lead.page.keyboard.press("Enter")
    sentences = table(lead, f"Sentences of draft and signed report, by {GROUPS[by]}")
    findings = table(lead, f"Findings of draft and signed report, by {GROUPS[by]}")
    expect(button).to_be_focused()
    expect(button).to_have_attribute("aria-pressed", "true")
    assert sentences.keys() == findings.keys() == groups.keys()
    for head, counted in groups.items():
        parts = [counted[f"findings_{where}"] for where in ("in_both", "only_in_draft", "only_in_signed")]
        columns = ("Reports", "Draft sentences", "Unchanged", "Reworded", "Deleted", "Added", "Signed sentences")
        keys = ("reports", "draft_sentences", "unchanged", "reworded", "deleted", "added", "signed_sentences")
        assert numbers(sentences[head], *columns) == [counted[key] for key in keys]
        columns = ("Findings", "In both texts", "Only in the draft", "Only in the signed report")
        assert numbers(findings[head], *columns) == [sum(parts), *parts]
    by_condition = table(lead, "Findings of draft and signed report, by condition")
    whole = numbers(by_condition.pop("All conditions"), *columns)
    lines = [numbers(row, *columns) for row in by_condition.values()]
    assert whole == [sum(column) for column in zip(*lines, strict=True)]
    assert whole[0] == sum(parts)


def test_days_can_be_chosen(lead, overseen):
    page = lead.page
    expect(page.get_by_role("button", name="Last 30 days")).to_have_attribute("aria-pressed", "true")
    for days in (7, 90, 30):
        page.get_by_role("button", name=f"Last {days} days").click()
        expect(page.get_by_label("First day")).to_have_value(str(overseen.day(days - 1)))
        rows = signed(overseen, days)
        drafted = sum(row["drafted"] is not None for row in rows)
        expect(page.locator(".counts dd").first).to_have_text(str(len(rows)))
        assert told_counts(lead) == [len(rows), drafted, len(rows) - drafted]
    show(lead, overseen.day(200), overseen.day(200))
    expect(page.locator(".counts dd").first).to_have_text(str(SIGNED[200]))
    expect(page.get_by_role("button", name="Last 30 days")).to_have_attribute("aria-pressed", "false")
    show(lead, overseen.day(2), overseen.day(1))
    expect(page.get_by_text("No report was signed in these days")).to_be_visible()
    expect(page.get_by_role("table")).to_have_count(0)


def test_days_that_cannot_be_are_told_and_not_asked_for(lead, overseen):
    page = lead.page
    expect(page.locator(".counts")).to_be_visible()
    start = len(lead.requests)
    for first, last, said in (
        (overseen.day(1), overseen.day(2), "put the earlier day first"),
        (overseen.day(400), overseen.day(1), "choose fewer days"),
        ("", overseen.day(1), "give both days"),
    ):
        show(lead, first, last)
        expect(page.get_by_role("alert")).to_contain_text(said)
        expect(page.get_by_label("First day")).to_have_attribute("aria-invalid", "true")
    assert lead.requests[start:] == []
    show(lead, overseen.day(20), overseen.day(1))
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator(".counts dd").first).to_have_text(str(SIGNED[20] + SIGNED[3]))


@pytest.mark.usefixtures("impatient")
def test_reports_that_were_not_all_read_yet_are_asked_for_again(lead, overseen):
    page = lead.page
    expect(page.get_by_role("status")).to_contain_text("of 21 signed reports have been read.")
    show(lead, overseen.day(201), overseen.day(199))
    expect(page.get_by_role("status")).to_contain_text("1 of 3 signed reports have been read.")
    expect(page.get_by_role("progressbar", name="Reports read")).to_have_attribute("value", "1")
    assert lead.audit_accessibility() == []
    expect(page.locator(".counts dd").first).to_have_text("3")
    expect(page.get_by_role("progressbar")).to_have_count(0)


def test_refusals_say_what_can_be_done(lead, limited):
    page, alert = lead.page, lead.page.get_by_role("alert")
    expect(page.locator(".counts")).to_be_visible()
    limited(most=20)
    page.get_by_role("button", name="Last 90 days").click()
    expect(alert).to_contain_text("The service refused these days. 27 reports were signed in these days")
    expect(alert).to_contain_text("ask for fewer days")
    expect(page.get_by_role("table")).to_have_count(0)
    page.context.set_offline(True)
    page.get_by_role("button", name="Last 7 days").click()
    expect(alert).to_contain_text("The service cannot be reached.")
    page.context.set_offline(False)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".counts dd").first).to_have_text(str(SIGNED[3]))
    expect(alert).to_have_count(0)


def test_who_is_no_lead_any_more_is_told_so(lead, overseen):
    expect(lead.page.locator(".counts")).to_be_visible()
    overseen.house.change_roles("lena", Role.VIEWER)
    lead.page.get_by_role("button", name="Last 7 days").click()
    expect(lead.page.get_by_role("alert")).to_contain_text("These figures are for leads.")
    expect(lead.page.get_by_role("button", name="Try again")).to_have_count(0)
    overseen.house.change_roles("lena", Role.LEAD)


def test_what_is_shown_can_be_kept_and_names_nobody(lead, overseen):
    page = lead.page
    with page.expect_download() as started:
        page.get_by_role("button", name="Download as CSV").click()
    assert started.value.suggested_filename == f"drafts-in-use-{overseen.day(29)}-{overseen.today}.csv"
    text = started.value.path().read_text()
    kept = {(row["table"], row["name"], row["measure"]): row["value"] for row in csv.DictReader(text.splitlines())}
    assert kept["reports", "", "signed"] == str(len(signed(overseen, 30)))
    whole = sum((compared(row) for row in signed(overseen, 30, "d.id IS NOT NULL")), Counter())
    assert {what: kept["discrepancy", "total", what] for what in whole} == {what: str(n) for what, n in whole.items()}
    assert "not for diagnosis" in text
    shown = page.get_by_role("main").inner_text()
    assert "not for diagnosis" in shown
    with overseen.house.database.reading() as session:
        query = "SELECT name FROM users UNION SELECT patient_name FROM studies UNION SELECT patient_id FROM studies"
        people = [name for (name,) in session.connection().exec_driver_sql(query) if name]
    assert people
    assert [name for name in people if name in text or name in shown or name in lead.traces()] == []


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_it_is_read_by_everybody(lead, theme):
    page = lead.page
    page.get_by_label("Theme").select_option(theme)
    expect(page.get_by_role("table")).to_have_count(6)
    assert lead.audit_accessibility() == []
    assert page.evaluate(SMALL) == []
    assert page.evaluate(OVER_THE_EDGE) <= 0
    page.set_viewport_size({"width": 640, "height": 360})  # 1280 x 720 at 200 %
    assert page.evaluate(OVER_THE_EDGE) <= 0
    assert lead.audit_accessibility() == []


def test_the_keyboard_reaches_everything(lead):
    page, keys = lead.page, lead.page.keyboard
    expect(page.get_by_role("table")).to_have_count(6)
    wanted, reached = set(page.evaluate(FOCUSABLE)), set()
    page.get_by_role("button", name="Log out").focus()
    for _ in range(60):
        keys.press("Tab")
        reached.add(page.evaluate(FOCUSED))
    assert [html[:120] for html in wanted - reached] == []
    page.get_by_role("button", name="Last 7 days").focus()
    keys.press("Enter")
    expect(page.locator(".counts dd").first).to_have_text(str(SIGNED[3]))
    page.set_viewport_size({"width": 640, "height": 360})
    box = page.get_by_role("region", name="Sentences of draft and signed report, by model version")
    box.focus()
    keys.press("ArrowRight")
    page.wait_for_function("() => document.activeElement.scrollLeft > 0")
