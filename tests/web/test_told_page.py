"""What a reader tells others from the review page: critical results, and feedback on a draft."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from app.db.report_tables import CriticalFinding, CriticalResult, DraftRemark
from tests.web.report_page import CARDIOMEGALY, HEART, LUNGS, begin, flagged_study, rows

pytestmark = pytest.mark.peer("chromium", "node")


@pytest.fixture
def study(room):
    return flagged_study(room)


def test_what_is_wrong_with_a_sentence_is_told_with_one_key(reader, room, study):
    page, keys = reader.page, reader.page.keyboard
    reader.log_in("ada")
    reader.open("Doe, Jane")
    begin(reader)
    keys.press("j")
    keys.press("w")
    dialog = page.get_by_role("dialog", name="What is wrong with this sentence?")
    expect(dialog).to_contain_text(HEART)
    keys.press("3")
    dialog.get_by_label("Note, if you like").fill("No earlier image.")
    dialog.get_by_role("button", name="Send feedback").click()
    expect(reader.sentence(HEART)).to_contain_text("Feedback sent: says what is not there")
    (remark,) = rows(room, DraftRemark)
    assert (remark.kind, remark.sentence_index, remark.note) == ("hallucinated", 1, "No earlier image.")
    page.get_by_text("About this draft").click()
    page.get_by_role("button", name="Feedback on the draft as a whole…").click()
    page.get_by_role("dialog").get_by_role("button", name="Send feedback").click()
    expect(page.get_by_text("Feedback sent.")).to_be_visible()
    assert {(row.kind, row.sentence_index) for row in rows(room, DraftRemark)} == {
        ("hallucinated", 1),
        ("missed", None),
    }


@pytest.mark.usefixtures("study")
class TestCriticalResult:
    @pytest.fixture
    def dialog(self, reader):
        reader.log_in("ada")
        reader.open("Doe, Jane")
        begin(reader)
        reader.page.keyboard.press("c")
        return reader.page.get_by_role("dialog", name="Critical result")

    @pytest.fixture
    def told(self, dialog):
        """An open one, before anybody was told."""
        dialog.get_by_label("Finding").fill("Tension pneumothorax")
        dialog.get_by_role("button", name="Open it").click()
        expect(dialog.get_by_label("Told to")).to_be_focused()
        return dialog

    def fill(self, dialog):
        dialog.get_by_label("Told to").fill("Dr Ward")
        dialog.get_by_role("button", name="Now", exact=True).click()
        dialog.get_by_label("How").select_option("telephone")
        dialog.get_by_label("Yes").check()

    def test_what_was_found_and_when_is_needed_to_open_it(self, room, dialog):
        for label, empty, said in (("Finding", " ", "what was found"), ("Found at", "", "when it was found")):
            dialog.get_by_label("Finding").fill("Free air")
            before = dialog.get_by_label(label).input_value()
            dialog.get_by_label(label).fill(empty)
            dialog.get_by_role("button", name="Open it").click()
            expect(dialog.get_by_role("alert")).to_have_text(f"Not opened. Missing: {said}.")
            expect(dialog.get_by_label(label)).to_be_focused()
            dialog.get_by_label(label).fill(before)
        assert rows(room, CriticalFinding) == []

    def test_none_of_its_six_facts_may_be_missing(self, reader, room, told):
        dialog = told
        self.fill(dialog)
        record = dialog.get_by_role("button", name="Record")
        for label, empty, said in (
            ("Finding", "", "what was found"),
            ("Found at", "", "when it was found"),
            ("Told to", " ", "who was told"),
            ("Told at", "", "when he was told"),
        ):
            field = dialog.get_by_label(label)
            before = field.input_value()
            field.fill(empty)
            record.click()
            expect(dialog.get_by_role("alert")).to_have_text(f"Not recorded. Missing: {said}.")
            expect(field).to_be_focused()
            field.fill(before)
        dialog.get_by_label("How").select_option("")
        record.click()
        expect(dialog.get_by_role("alert")).to_have_text("Not recorded. Missing: how.")
        assert rows(room, CriticalResult) == []
        dialog.get_by_label("How").select_option("in person")
        record.click()
        expect(dialog).to_be_hidden()
        recorded = reader.page.get_by_role("region", name="Critical results")
        for fact in ("Tension pneumothorax", "Dr Ward", "in person", "read back", "recorded by Dr Ada"):
            expect(recorded).to_contain_text(fact)
        (kept,) = rows(room, CriticalResult)
        assert (kept.finding, kept.told_to, kept.method, kept.read_back) == (
            "Tension pneumothorax",
            "Dr Ward",
            "in person",
            True,
        )

    def test_whether_it_was_read_back_is_never_guessed(self, room, told):
        dialog = told
        dialog.get_by_label("Told to").fill("Dr Ward")
        dialog.get_by_role("button", name="Now", exact=True).click()
        dialog.get_by_label("How").select_option("telephone")
        dialog.get_by_role("button", name="Record").click()
        expect(dialog.get_by_role("alert")).to_have_text("Not recorded. Missing: whether it was read back.")
        assert rows(room, CriticalResult) == []

    def test_an_open_one_holds_the_signature_back_and_is_not_lost_by_leaving(self, reader, told):
        page, dialog = reader.page, told
        dialog.get_by_role("button", name="Not told yet: keep it open").click()
        for text in (LUNGS, HEART, CARDIOMEGALY):
            reader.sentence(text).get_by_role("button", name="Accept").click()
        waits = page.get_by_role("alert").filter(has_text="told to nobody yet")
        expect(waits).to_contain_text("Tension pneumothorax")
        expect(waits.get_by_role("timer")).to_have_text(re.compile(r"^Known for \d+ min, \d+ min left$"))
        sign = page.get_by_role("button", name="Sign…")
        expect(sign).to_be_disabled()
        reader.await_saved()
        page.get_by_role("button", name="← Worklist").click()
        reader.open("Doe, Jane")
        page.get_by_role("button", name="Go on with this report").click()
        expect(waits).to_contain_text("Tension pneumothorax")
        expect(sign).to_be_disabled()
        waits.get_by_role("button", name="Record who was told…").click()
        self.fill(dialog)
        dialog.get_by_role("button", name="Record").click()
        expect(waits).to_be_hidden()
        expect(sign).to_be_enabled()
