"""Keys of the review page: a reader may change them, and what is typed as text is never taken for one."""

from __future__ import annotations

import random

import pytest
from playwright.sync_api import expect

from tests.web.report_page import FLAGGED, HEART, LUNGS, begin, expect_text, flagged_study, own

pytestmark = pytest.mark.peer("chromium", "node")

ACCEPT, REJECT = "accept the sentence", "reject the sentence"
SIGNS = "abcdefghijklmnopqrstuvwxyz0123456789/+-=,;:?!"


@pytest.fixture
def study(room):
    return flagged_study(room)


def change_keys(reader):
    reader.page.get_by_role("button", name="Keys", exact=True).click()
    reader.page.get_by_role("dialog", name="Keys").get_by_role("button", name="Change keys…").click()
    return reader.page.get_by_role("dialog", name="Change keys")


def key_of(dialog, act):
    """The button that shows the key of an act."""
    return dialog.get_by_role("listitem").filter(has_text=act).locator("button.key").first


def put(reader, dialog, act, key):
    key_of(dialog, act).focus()
    reader.page.keyboard.press("Enter")
    expect(key_of(dialog, act)).to_have_text("press it")
    reader.page.keyboard.press(key)


def close(dialog):
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_have_count(0)


@pytest.mark.usefixtures("study")
class TestChangingKeys:
    def test_another_key_does_the_act_at_every_workstation_and_the_old_one_nothing(self, reader, room):
        reader.log_in("ada")
        dialog = change_keys(reader)
        put(reader, dialog, ACCEPT, "q")
        expect(key_of(dialog, ACCEPT)).to_have_text("Q")
        put(reader, dialog, "invert", "F2")
        expect(key_of(dialog, "invert")).to_have_text("F2")
        assert reader.audit_accessibility() == []
        close(dialog)
        reader.page.reload()
        reader.open("Doe, Jane")
        begin(reader)
        page, keys = reader.page, reader.page.keyboard
        lungs = reader.sentence(LUNGS)
        keys.press("a")
        expect(lungs).to_have_attribute("data-decision", "pending")
        expect(lungs.get_by_role("button", name="Accept")).to_have_attribute("title", "Accept (Q)")
        keys.press("q")
        expect(lungs).to_have_attribute("data-decision", "accepted")
        invert = page.get_by_role("button", name="Invert")
        expect(invert).to_have_attribute("aria-keyshortcuts", "F2")
        page.locator(".stage").first.focus()
        keys.press("i")
        expect(invert).to_have_attribute("aria-pressed", "false")
        keys.press("F2")
        expect(invert).to_have_attribute("aria-pressed", "true")
        page.get_by_role("button", name="Keys", exact=True).click()
        said = page.get_by_role("dialog", name="Keys").locator("dl > div").filter(has_text=ACCEPT)
        expect(said.locator("kbd")).to_have_text("Q")
        with room.colleague("ada") as elsewhere:
            assert elsewhere.get("/auth/me").json()["keys"] == {"report.accept": "q", "image.invert": "F2"}

    def test_a_key_that_is_taken_or_no_key_is_refused_in_words(self, reader):
        reader.log_in("ada")
        dialog = change_keys(reader)
        put(reader, dialog, ACCEPT, "j")
        expect(dialog.get_by_role("alert")).to_have_text("J is taken: next sentence. Give that another key first.")
        put(reader, dialog, ACCEPT, "n")
        expect(dialog.get_by_role("alert")).to_contain_text("N is taken: next study of the list")
        put(reader, dialog, ACCEPT, "ArrowUp")
        expect(dialog.get_by_role("alert")).to_contain_text("Up cannot be used")
        reader.page.keyboard.press("Control+q")
        expect(dialog.get_by_role("alert")).to_contain_text("Q cannot be used")
        reader.page.keyboard.press("Escape")
        expect(key_of(dialog, ACCEPT)).to_have_text("A")
        reader.page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)

    def test_an_act_may_have_no_key_and_all_go_back_at_once(self, reader):
        reader.log_in("ada")
        dialog = change_keys(reader)
        dialog.get_by_role("button", name=f"No key: {REJECT}").click()
        expect(key_of(dialog, REJECT)).to_have_text("none")
        put(reader, dialog, ACCEPT, "x")
        expect(key_of(dialog, ACCEPT)).to_have_text("X")
        dialog.get_by_role("button", name=f"Back to X: {REJECT}").click()
        expect(dialog.get_by_role("alert")).to_contain_text(f"X is taken: {ACCEPT}")
        dialog.get_by_role("button", name="All as they were").click()
        expect(key_of(dialog, REJECT)).to_have_text("X")
        expect(key_of(dialog, ACCEPT)).to_have_text("A")

    def test_what_the_service_did_not_keep_is_not_changed(self, reader):
        reader.log_in("ada")
        dialog = change_keys(reader)
        reader.page.context.set_offline(True)
        put(reader, dialog, ACCEPT, "q")
        expect(dialog.get_by_role("alert")).to_contain_text("Not kept.")
        expect(key_of(dialog, ACCEPT)).to_have_text("A")
        reader.page.context.set_offline(False)
        put(reader, dialog, ACCEPT, "q")
        expect(key_of(dialog, ACCEPT)).to_have_text("Q")


def sentences(count, seed):
    """Made-up ones that hold every sign which is a key somewhere."""
    rng = random.Random(seed)
    return [" ".join("".join(rng.choices(SIGNS, k=rng.randint(1, 5))) for _ in range(3)) for _ in range(count)]


@pytest.mark.usefixtures("study")
def test_a_thousand_typed_sentences_are_text_and_no_key(reader):
    reader.log_in("ada")
    reader.open("Doe, Jane")
    begin(reader)
    page, keys = reader.page, reader.page.keyboard
    reader.sentence(HEART).get_by_role("button", name="Edit").click()
    edited = " ".join(sentences(350, 1))
    keys.press("Control+a")
    keys.type(edited)
    expect(page.get_by_label("Wording of the sentence")).to_have_value(edited)
    keys.press("Control+Enter")
    for section, seed in (("findings", 2), ("impression", 3)):
        typed = " ".join(sentences(325, seed))
        own(reader, section).focus()
        keys.type(typed)
        expect_text(own(reader, section), typed)
    page.get_by_role("button", name="Critical result").click()
    finding = page.get_by_role("dialog").get_by_role("textbox").first
    finding.focus()
    typed = " ".join(sentences(20, 4))
    keys.press("Control+a")
    keys.type(typed)
    expect(finding).to_have_value(typed)
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    decisions = [reader.sentence(one["text"]).get_attribute("data-decision") for one in FLAGGED]
    assert decisions == ["pending", "edited", "pending"]
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    expect(page.get_by_role("button", name="Invert")).to_have_attribute("aria-pressed", "false")
