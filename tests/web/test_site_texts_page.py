"""The administration page's sections as places of the browser, and the site's texts among them."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from app.access import Role
from app.db.report_tables import SavedText
from tests.web.administered import MARKUP, audited, row, said, section
from tests.web.report_page import rows

pytestmark = pytest.mark.peer("chromium", "node")

ROOT = "user:root"


@pytest.fixture
def page(reader, room):
    room.person("root", Role.ADMIN)
    reader.log_in("root")
    reader.page.get_by_role("button", name="Administration", exact=True).click()
    expect(reader.page.get_by_role("heading", name="Administration", level=1)).to_be_visible()
    return reader.page


def test_the_sites_texts_are_written_changed_and_removed_for_every_reader(page, room):
    shown = section(page, "Site texts")
    with room.colleague("root") as root:
        own = {"scope": "personal", "kind": "macro", "shortcut": "mine", "title": "Mine", "text": "My own."}
        root.post("/report-texts", json=own).raise_for_status()
    before = shown.get_by_role("row").count()
    page.get_by_role("button", name="New site text…").click()
    dialog = page.get_by_role("dialog", name="New text of the site")
    dialog.get_by_role("textbox", name="Shortcut").fill("pneu")
    dialog.get_by_label("Title").fill("Pneumothorax")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_have_text("There is no text in it yet.")
    dialog.get_by_label(re.compile("^Text")).fill(f"Pneumothorax of [size] mm. {MARKUP}")
    dialog.get_by_role("button", name="Save").click()
    said(page, "changed for every reader")
    expect(shown.get_by_role("row")).to_have_count(before + 1)
    expect(row(page, "pneu")).to_contain_text(MARKUP)
    expect(row(page, "mine")).to_have_count(0)
    with room.colleague("ada") as ada:
        texts = {text["shortcut"]: text["scope"] for text in ada.get("/report-texts").json()["items"]}
    assert texts["pneu"] == "site"
    page.get_by_role("button", name="Change… Pneumothorax").click()
    dialog = page.get_by_role("dialog", name="Change a text of the site")
    dialog.get_by_label(re.compile("^Text")).fill("No pneumothorax.")
    dialog.get_by_role("button", name="Save").click()
    expect(row(page, "pneu")).to_contain_text("No pneumothorax.")
    page.get_by_role("button", name="Change… Pneumothorax").click()
    dialog.get_by_role("textbox", name="Title").fill("Pneumothorax, small")
    dialog.get_by_role("button", name="Delete…").click()
    asked = page.get_by_role("dialog", name="Delete “Pneumothorax”")
    expect(asked).to_contain_text("No reader of the site is offered it any more.")
    page.keyboard.press("Escape")
    expect(asked).to_be_hidden()
    expect(dialog.get_by_role("button", name="Delete…")).to_be_focused()
    expect(dialog.get_by_role("textbox", name="Title")).to_have_value("Pneumothorax, small")
    assert "pneu" in {text.shortcut for text in rows(room, SavedText)}
    dialog.get_by_role("button", name="Delete…").click()
    asked.get_by_role("button", name="Delete for good").click()
    expect(row(page, "pneu")).to_have_count(0)
    expect(page.get_by_role("heading", name="Site texts")).to_be_focused()
    assert "pneu" not in {text.shortcut for text in rows(room, SavedText)}
    assert ROOT in {actor for actor, _ in audited(room, "report_text.removed")}


def test_sections_are_in_the_browsers_history_and_in_no_address(page):
    before = page.url
    for name in ("Peers", "Site texts"):
        section(page, name)
    page.get_by_role("navigation", name="Administration").get_by_role("button", name="Site texts").click()  # no step
    for step, name in ((page.go_back, "Peers"), (page.go_back, "People"), (page.go_forward, "Peers")):
        step()
        expect(page.get_by_role("heading", name=name, level=2, exact=True)).to_be_visible()
    page.go_back()
    page.go_back()
    expect(page.get_by_role("heading", name="Worklist")).to_be_visible()
    page.go_forward()
    page.go_forward()
    expect(page.get_by_role("heading", name="Peers", level=2, exact=True)).to_be_visible()
    page.get_by_role("navigation", name="Pages").get_by_role("button", name="Administration").click()
    expect(page.get_by_role("heading", name="People", level=2, exact=True)).to_be_visible()
    assert page.url == before
