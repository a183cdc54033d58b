"""The worklist in Chromium: by keyboard alone, with 10,000 studies, live, in both themes, in the service's order."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from app.domain.study import Stage
from tests.bench.bench_worklist import WAITING, arrive, seed
from tests.builders.reading import PASSWORD
from tests.web.reader import OVER_THE_EDGE

pytestmark = pytest.mark.peer("chromium", "node")

SMALL = """() => [...document.querySelectorAll('button, select, input, a, summary')]
  .filter(one => one.checkVisibility())
  .map(one => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()])
  .filter(([, { width, height }]) => width < 24 || height < 24)
  .map(([html, { width, height }]) => `${width} x ${height}: ${html}`)"""
COVERED = """() => {
  const { left, top, width, height } = document.activeElement.getBoundingClientRect()
  return document.elementFromPoint(left + width / 2, top + height / 2) !== document.activeElement
}"""


def grid(reader):
    return reader.page.get_by_role("grid", name="Studies")


def row_of(reader, patient):
    return reader.page.get_by_role("row").filter(has_text=patient)


def focused_row(reader):
    return reader.page.locator("[aria-selected=true]:has(:focus)")


def asked_since(reader, start):
    """The worklist's questions that the page put since `start`, without the counts."""
    return [asked for asked in reader.requests[start:] if asked.endswith("/worklist/search")]


def test_the_list_is_used_without_a_mouse(reader, room):
    seed(room.database, room.clock, 80, [Stage.READY])
    room.study(priority="STAT", patient_name="Roe^Richard", with_film=False)
    page, keys = reader.page, reader.page.keyboard
    page.goto(reader.url)
    page.get_by_label("User name").focus()
    keys.type("ada")
    keys.press("Tab")
    keys.type(PASSWORD)
    keys.press("Enter")
    expect(grid(reader)).to_have_attribute("aria-rowcount", "82")
    expect(focused_row(reader)).to_have_attribute("aria-rowindex", "2")
    for key, index in {"j": 3, "ArrowDown": 4, "k": 3, "ArrowUp": 2, "End": 82, "Home": 2}.items():
        keys.press(key)
        expect(focused_row(reader)).to_have_attribute("aria-rowindex", str(index))
        assert not page.evaluate(COVERED), key
    keys.press("PageDown")
    keys.press("PageDown")
    expect(focused_row(reader)).not_to_have_attribute("aria-rowindex", "2")
    keys.press("PageUp")
    assert not page.evaluate(COVERED)

    keys.press("/")
    expect(page.get_by_role("searchbox", name="Search")).to_be_focused()
    keys.type("roe, j")  # letters that are commands elsewhere
    expect(page.get_by_text("No study matches the filter.")).to_be_visible()
    keys.press("Backspace")
    keys.press("Backspace")
    expect(grid(reader)).to_have_attribute("aria-rowcount", "2")
    keys.press("Enter")
    expect(focused_row(reader)).to_contain_text("Roe, Richard")
    keys.press("f")
    expect(page.get_by_role("button", name="All open")).to_be_focused()
    keys.press("Tab")
    keys.press("Space")
    expect(page.get_by_role("button", name="Draft ready")).to_have_attribute("aria-pressed", "true")
    keys.press("Escape")
    expect(focused_row(reader)).to_contain_text("Roe, Richard")
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Roe, Richard")).to_be_focused()


def test_ten_thousand_studies_are_one_list(reader, room):
    seed(room.database, room.clock, 10_000)
    reader.log_in("ada")
    expect(grid(reader)).to_have_attribute("aria-rowcount", "10001", timeout=120_000)
    expect(reader.page.get_by_text("10000 studies")).to_be_visible()
    expect(focused_row(reader)).to_have_count(1)
    reader.page.keyboard.press("End")
    expect(focused_row(reader)).to_have_attribute("aria-rowindex", "10001")
    assert reader.page.get_by_role("row").count() < 120
    start = len(reader.requests)
    reader.page.get_by_role("button", name="Flagged").click()
    expect(grid(reader)).not_to_have_attribute("aria-rowcount", "10001")
    reader.page.get_by_role("button", name="Received", exact=True).click()
    expect(reader.page.get_by_role("columnheader", name="Received")).to_have_attribute("aria-sort", "ascending")
    reader.page.get_by_role("button", name="Clear filters").click()
    expect(grid(reader)).to_have_attribute("aria-rowcount", "10001")
    assert asked_since(reader, start) == [], "what is here is not asked for again"


@pytest.mark.parametrize("title", ["Due", "Received", "Patient", "State"])
def test_the_order_on_the_page_is_the_services(reader, room, title):
    """Both ways: every row that is drawn on the way down, by its place in the list."""
    seed(room.database, room.clock, 150, WAITING)
    reader.page.set_viewport_size({"width": 1440, "height": 2200})
    reader.log_in("ada")
    expect(grid(reader)).to_have_attribute("aria-rowcount", "151")
    head = reader.page.get_by_role("columnheader", name=title)
    with room.colleague("ada") as service:
        for order in ("asc", "desc"):
            if not (title == "Due" and order == "asc"):
                head.get_by_role("button").click()
            expect(head).to_have_attribute("aria-sort", "ascending" if order == "asc" else "descending")
            answer = service.get("/worklist", params={"sort": title.lower(), "order": order, "limit": 1000})
            expected = [item["patient"]["id"] for item in answer.raise_for_status().json()["items"]]
            assert drawn(reader, len(expected)) == expected


def drawn(reader, count):
    found: dict[int, str] = {}
    for part in (0, 0.5, 1):
        reader.page.evaluate(
            "p => { const g = document.querySelector('.grid-box'); g.scrollTop = p * g.scrollHeight }", part
        )
        reader.page.wait_for_function(
            "p => { const r = [...document.querySelectorAll('.lines [role=row]')].map(e => +e.ariaRowIndex - 1);"
            " return Math.min(...r) <= p[0] && Math.max(...r) >= p[0] }",
            arg=[max(1, round(part * count))],
        )
        rows = "rows => rows.map(r => [+r.ariaRowIndex - 2, r.querySelector('.cell-number').textContent])"
        found |= dict(map(tuple, reader.page.locator(".lines [role=row]").evaluate_all(rows)))
    return [found[place] for place in range(count)]


def test_a_stat_study_comes_by_itself_and_leaves_the_reader_where_they_were(reader, room):
    seed(room.database, room.clock, 300, [Stage.READY])
    page = reader.page
    reader.log_in("ada")
    expect(grid(reader)).to_have_attribute("aria-rowcount", "301")
    expect(focused_row(reader)).to_have_count(1)
    page.get_by_role("grid").evaluate("grid => { grid.scrollTop = 2800 }")
    at_the_top = page.locator("[aria-rowindex='103']")
    expect(at_the_top).to_be_visible()
    patient, where = at_the_top.locator(".cell-number").inner_text(), at_the_top.bounding_box()["y"]
    start = len(reader.requests)
    page.evaluate("() => { window.sameDocument = true }")

    with page.expect_request("**/worklist/search") as asking:
        arrive(room.database, room.clock, "Novak^Eva", received_at=room.clock.now().replace(year=2020))
    expect(page.get_by_text("New STAT study: Novak, Eva")).to_be_visible()
    expect(grid(reader)).to_have_attribute("aria-rowcount", "302")
    moved = row_of(reader, patient)
    assert moved.get_attribute("aria-rowindex") == "104"
    notice = page.locator(".arrival").bounding_box()["height"]
    assert abs(moved.bounding_box()["y"] - where - notice) < 12, "nothing slides under the pointer"
    assert page.evaluate("() => window.sameDocument")
    assert len(asked_since(reader, start)) == 1
    assert len(asking.value.post_data_json["study"]) == 1

    page.get_by_role("button", name="Show it").click()
    expect(focused_row(reader)).to_contain_text("Novak, Eva")
    expect(focused_row(reader)).to_contain_text("overdue")
    expect(page.locator(".arrival")).to_be_hidden()


def test_changes_show_in_the_row_itself(reader, room):
    study = room.study(Stage.READY, with_film=False, patient_name="Doe^Jane")
    room.draft(study, {"section": "findings", "text": "Clear lungs.", "source": "image"})
    room.person("max")
    reader.log_in("ada")
    row = row_of(reader, "Doe, Jane")
    for words in ("Routine", "23 h 59 left", "Draft ready", "Ready"):
        expect(row).to_contain_text(words)
    with room.colleague("max") as colleague:
        colleague.post(f"/studies/{study.study_instance_uid}/claim").raise_for_status()
        expect(row).to_contain_text("Dr Max")
        colleague.delete(f"/studies/{study.study_instance_uid}/claim").raise_for_status()
        expect(row).not_to_contain_text("Dr Max")
    room.late_image_without_draft(study)
    expect(row).to_contain_text("Draft unavailable")
    expect(row).to_contain_text("No draft")


def test_signed_studies_are_read_only_where_they_are_asked_for(reader, room):
    seed(room.database, room.clock, 30, [Stage.SIGNED])
    room.study(Stage.DELIVERED, with_film=False, patient_name="Roe^Richard")
    reader.log_in("ada")
    page = reader.page
    expect(page.get_by_text("No study is open.")).to_be_visible()
    expect(page.get_by_role("button", name="Signed")).to_have_text("Signed 30")
    page.get_by_role("button", name="Signed").click()
    expect(grid(reader)).to_have_attribute("aria-rowcount", "31")
    page.get_by_role("button", name="Delivered").click()
    expect(grid(reader)).to_have_attribute("aria-rowcount", "32")
    page.get_by_role("searchbox", name="Search").fill("roe")
    expect(grid(reader)).to_have_attribute("aria-rowcount", "2")
    expect(row_of(reader, "Roe, Richard")).to_contain_text("Delivered")
    assert asked_since(reader, 0)
    assert not [address for address in reader.requests if "roe" in address.lower()]


def test_a_list_is_kept_under_a_name_and_found_again(reader, room):
    seed(room.database, room.clock, 40)
    reader.log_in("ada")
    page = reader.page
    page.get_by_role("button", name="Draft ready").click()
    page.get_by_role("button", name="Flagged").click()
    page.get_by_role("searchbox", name="Search").fill("a")
    page.get_by_role("button", name="Patient", exact=True).click()
    expect(page.get_by_role("columnheader", name="Patient")).to_have_attribute("aria-sort", "ascending")
    expect(grid(reader)).not_to_have_attribute("aria-rowcount", "41")
    rows = grid(reader).get_attribute("aria-rowcount")
    page.get_by_role("button", name="Keep this list…").click()
    page.get_by_role("dialog").get_by_role("textbox").fill("Flagged drafts")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_hidden()

    page.reload()
    expect(grid(reader)).to_have_attribute("aria-rowcount", "41")
    page.get_by_label("Saved lists").select_option("Flagged drafts")
    expect(grid(reader)).to_have_attribute("aria-rowcount", rows)
    page.wait_for_timeout(500)  # longer than the search waits before it asks
    expect(page.get_by_role("searchbox", name="Search")).to_have_value("a")
    expect(page.get_by_role("columnheader", name="Patient")).to_have_attribute("aria-sort", "ascending")
    expect(page.get_by_role("button", name="Draft ready")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Clear filters").click()
    page.get_by_role("button", name="Keep this list…").click()
    assert reader.audit_accessibility() == []
    page.get_by_role("dialog").get_by_role("textbox").fill(" Flagged drafts ")
    expect(page.get_by_text("There is a list of this name; it will be replaced.")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_role("button", name="Draft ready").click()
    page.get_by_label("Saved lists").select_option("Flagged drafts")
    expect(page.get_by_role("button", name="Draft ready")).to_have_attribute("aria-pressed", "false")
    page.get_by_role("button", name="Keep this list…").click()
    page.get_by_role("button", name="Remove “Flagged drafts”").click()
    expect(page.get_by_role("list", name="Kept")).to_be_hidden()
    assert "Flagged" not in " ".join(reader.requests)


def test_a_chosen_chip_is_named_by_its_words_alone(reader, room):
    """As Chromium tells a screen reader; the check mark is for the eye."""
    room.study(with_film=False, patient_name="Phantom^One")
    reader.log_in("ada")
    chip = reader.page.get_by_role("button", name="Draft ready")
    expect(chip).to_have_text("Draft ready 1")
    chip.click()
    expect(chip).to_have_attribute("aria-pressed", "true")
    assert "✓" in chip.evaluate("chip => getComputedStyle(chip, '::before').content")
    nodes = reader.page.context.new_cdp_session(reader.page).send("Accessibility.getFullAXTree")["nodes"]
    names = {
        node["name"]["value"].strip()
        for node in nodes
        if node.get("role", {}).get("value") in {"button", "ToggleButton"}
    }
    assert "Draft ready 1" in names
    assert not [name for name in names if "✓" in name]


def test_filter_and_order_are_as_they_were_when_one_comes_back_and_gone_after_a_logout(reader, room):
    room.study(with_film=False, patient_name="Phantom^One")
    room.study(Stage.FAILED, with_film=False, patient_name="Roe^Richard")
    reader.log_in("ada")
    page = reader.page
    page.get_by_role("button", name="Draft ready").click()
    page.get_by_role("searchbox", name="Search").fill("phantom")
    page.get_by_role("button", name="Patient", exact=True).click()
    expect(grid(reader)).to_have_attribute("aria-rowcount", "2")
    reader.open("Phantom, One")
    page.get_by_role("button", name="← Worklist").click()
    expect(page.get_by_role("searchbox", name="Search")).to_have_value("phantom")
    expect(page.get_by_role("button", name="Draft ready")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("columnheader", name="Patient")).to_have_attribute("aria-sort", "ascending")
    expect(grid(reader)).to_have_attribute("aria-rowcount", "2")
    expect(row_of(reader, "Phantom, One").get_by_role("button")).to_be_focused()
    assert "phantom" not in reader.traces().lower()
    page.get_by_role("button", name="Log out").click()
    reader.enter("ada")
    expect(grid(reader)).to_have_attribute("aria-rowcount", "3")
    expect(page.get_by_role("searchbox", name="Search")).to_have_value("")


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_list_meets_wcag_in_either_theme(reader, room, theme):
    seed(room.database, room.clock, 60, [*WAITING, Stage.FAILED, Stage.SIGNED, Stage.DELIVERED, Stage.RECEIVING])
    room.study(Stage.FAILED, with_film=False, reason="model away", patient_name="Roe^Richard", priority="ASAP")
    page = reader.page
    page.context.add_cookies([{"name": "unirg_theme", "value": theme, "url": reader.url}])
    page.goto(reader.url)
    expect(page.get_by_role("button", name="Log in")).to_be_visible()
    found = {"login": reader.audit_accessibility()}
    reader.enter("ada")
    expect(row_of(reader, "Roe, Richard")).to_be_visible()
    arrive(room.database, room.clock, "Novak^Eva")
    expect(page.get_by_text("New STAT study")).to_be_visible()
    found["open studies"] = reader.audit_accessibility()
    page.get_by_role("button", name="Signed").click()
    page.get_by_role("button", name="Flagged").click()
    found["nothing found"] = reader.audit_accessibility()
    page.get_by_role("button", name="Flagged").click()
    expect(page.get_by_role("row").nth(2)).to_be_visible()
    found["signed studies"] = reader.audit_accessibility()
    assert found == {view: [] for view in found}
    assert page.evaluate(SMALL) == []


def test_at_twice_the_size_all_is_still_there(reader, room):
    seed(room.database, room.clock, 60)
    reader.page.set_viewport_size({"width": 640, "height": 360})  # 1280 x 720 at 200 %
    reader.log_in("ada")
    expect(grid(reader)).to_have_attribute("aria-rowcount", "61")
    assert reader.page.evaluate(OVER_THE_EDGE) <= 0
    for name in ("Delivered", "Clear filters", "Log out", "State"):
        button = reader.page.get_by_role("button", name=name)
        button.scroll_into_view_if_needed()
        expect(button).to_be_in_viewport(ratio=0.99)
    reader.page.get_by_role("row").nth(3).scroll_into_view_if_needed()
    expect(reader.page.get_by_role("row").nth(3)).to_be_in_viewport()


def test_the_theme_is_dark_until_the_reader_chooses_and_nothing_else_is_kept(reader, room):
    room.study(with_film=False, patient_name="Doe^Jane", patient_id="SECRET-1")
    page = reader.page

    def ground():
        red = page.evaluate("() => getComputedStyle(document.documentElement).backgroundColor")
        return "dark" if int(re.findall(r"\d+", red)[0]) < 64 else "light"

    reader.log_in("ada")
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        assert ground() == "dark"
    page.get_by_label("Theme").select_option("Theme: light")
    assert ground() == "light"
    page.reload()
    expect(row_of(reader, "Doe, Jane")).to_be_visible()
    assert ground() == "light"
    page.get_by_label("Theme").select_option("Theme: system")
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)
        assert ground() == scheme
    assert page.evaluate("() => [document.cookie, localStorage.length, sessionStorage.length]") == [
        "unirg_theme=system",
        0,
        0,
    ]
    assert "SECRET-1" not in reader.traces()
