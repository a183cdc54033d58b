"""A reader's own words on the review page in Chromium: templates, macros, fields, undo, and nothing but plain text."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from app.db.report_tables import SavedText
from tests.web.report_page import expect_text, flagged_study, own, rows

pytestmark = pytest.mark.peer("chromium", "node")


@pytest.fixture
def study(room):
    return flagged_study(room)


@pytest.mark.usefixtures("study")
class TestTemplates:
    def begin_by_hand(self, reader):
        reader.log_in("ada")
        reader.open("Doe, Jane")
        reader.page.get_by_role("button", name="Report by hand, without the draft").click()
        expect(own(reader)).to_be_focused()

    def keep_macro(self, room, shortcut, text):
        with room.colleague("ada") as mine:
            body = {"scope": "personal", "kind": "macro", "shortcut": shortcut, "title": "Nodule", "text": text}
            mine.post("/report-texts", json=body).raise_for_status()

    def test_a_shortcut_shows_what_it_stands_for_and_tab_writes_it_and_goes_to_its_fields(self, reader, room):
        self.keep_macro(room, "nod", "Nodule of [size] mm in the [lobe].")
        self.begin_by_hand(reader)
        page, keys = reader.page, reader.page.keyboard
        keys.type("Old scar. NOD")
        expect(page.get_by_text("puts in macro “Nodule”")).to_be_visible()
        keys.press("Tab")
        expect_text(own(reader), "Old scar. Nodule of [size] mm in the [lobe].")
        expect(page.get_by_role("list", name="Before signing")).to_contain_text("Not filled in yet: [size], [lobe]")
        keys.type("8")
        keys.press("Tab")
        keys.type("left upper lobe")
        expect_text(own(reader), "Old scar. Nodule of 8 mm in the left upper lobe.")

    def test_what_was_put_in_is_taken_back_in_one_step(self, reader, room):
        self.keep_macro(room, "nod", "Nodule of some size.")
        self.begin_by_hand(reader)
        keys = reader.page.keyboard
        keys.type("Old scar. nod")
        expect(reader.page.get_by_text("puts in macro “Nodule”")).to_be_visible()
        keys.press("Tab")
        keys.type(" More.")
        expect_text(own(reader), "Old scar. Nodule of some size. More.")
        keys.press("Control+z")
        expect_text(own(reader), "Old scar. Nodule of some size.")
        keys.press("Control+z")
        expect_text(own(reader), "Old scar. nod")
        keys.press("Control+y")
        expect_text(own(reader), "Old scar. Nodule of some size.")

    def test_the_normal_chest_fills_both_sections_and_one_undo_empties_both(self, reader, room):
        self.begin_by_hand(reader)
        page, keys = reader.page, reader.page.keyboard
        keys.press("Control+/")
        keys.type("template")
        keys.press("Control+A")
        keys.type("normal chest")
        options = page.get_by_role("listbox", name="Found").get_by_role("option")
        expect(options.first).to_contain_text("Normal chest")
        options.filter(has_text="template").click()
        (normal,) = [text for text in rows(room, SavedText) if text.kind == "template"]
        expect_text(own(reader), normal.findings)
        expect_text(own(reader, "impression"), normal.impression)
        expect(own(reader)).to_be_focused()
        keys.press("Control+z")
        expect_text(own(reader), "")
        expect_text(own(reader, "impression"), "")

    def test_pasted_markup_is_plain_text(self, reader):
        self.begin_by_hand(reader)
        own(reader).evaluate(
            """field => {
              const data = new DataTransfer()
              data.setData('text/html', '<b onclick="alert(1)">Bold</b><img src=x onerror="alert(1)">')
              data.setData('text/plain', 'Plain <b>words</b>.\\u000b\\nSecond line.')
              field.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }))
            }"""
        )
        expect_text(own(reader), "Plain <b>words</b>. \nSecond line.")
        assert own(reader).locator("b, img").count() == 0

    def test_a_reader_keeps_his_own_and_copies_the_sites(self, reader, room):
        self.begin_by_hand(reader)
        page = reader.page
        page.get_by_role("button", name="Templates…").click()
        page.get_by_role("button", name="Manage…").click()
        dialog = page.get_by_role("dialog", name="My templates and macros")
        assert dialog.get_by_role("button", name="Change").count() == 0
        dialog.get_by_role("button", name="New…").click()
        dialog.get_by_role("textbox", name="Shortcut").fill("e")
        dialog.get_by_role("button", name="Save").click()
        expect(dialog.get_by_role("alert")).to_contain_text("2 to 32")
        dialog.get_by_role("textbox", name="Shortcut").fill("eff")
        dialog.get_by_label("Title").fill("Effusion")
        dialog.get_by_label("Text; a place").fill("Small [side] effusion.")
        dialog.get_by_role("button", name="Save").click()
        dialog.get_by_role("button", name="Change Effusion").click()
        (mine,) = [text for text in rows(room, SavedText) if text.owner_id is not None]
        assert mine.text == "Small [side] effusion."

        with room.colleague("ada") as other_window:
            kept = next(text for text in other_window.get("/report-texts").json()["items"] if text["id"] == mine.id)
            body = {key: kept[key] for key in ("scope", "kind", "shortcut", "title")} | {"text": "Changed elsewhere."}
            tag = {"If-Match": f'"{kept["etag"]}"'}
            other_window.put(f"/report-texts/{mine.id}", json=body, headers=tag).raise_for_status()
        dialog.get_by_label("Title").fill("Mine over it")
        dialog.get_by_role("button", name="Save").click()
        expect(dialog.get_by_role("alert")).to_contain_text("Nothing was overwritten")
        dialog.get_by_role("button", name="Cancel").click()
        dialog.get_by_role("button", name="Change Effusion").click()
        dialog.get_by_role("button", name="Delete…").click()
        page.get_by_role("button", name="Delete for good").click()
        expect(dialog.get_by_role("button", name="Change Effusion")).to_be_hidden()
        dialog.get_by_role("button", name="Copy to mine Normal chest").first.click()
        dialog.get_by_role("button", name="Save").click()
        expect(dialog.get_by_role("button", name="Change Normal chest")).to_be_visible()
