"""The report side of the review page in Chromium: reading modes, sentences, own words, and what is signed."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from app.db.tables import Report
from app.domain.reading import ReadingMode
from app.domain.study import Stage
from tests.builders.reading import PASSWORD
from tests.web.report_page import CARDIOMEGALY, CLEAN, HEART, LUNGS, begin, flagged_study, own, rows
from tests.web.room import film

pytestmark = pytest.mark.peer("chromium", "node")
BANNER = "AI draft, unverified — research system, not for diagnosis"


@pytest.fixture
def study(room):
    return flagged_study(room)


@pytest.fixture
def clean(room):
    """A study whose draft has no flag."""
    made = room.study(patient_name="Doe^Jane")
    room.draft(made, *CLEAN)
    return made


def focus_first_sentence(reader):
    reader.sentence("lungs").get_by_role("button", name="Accept").focus()


def tab_to(control):
    """Tab until the control has the focus."""
    for _ in range(60):
        if control.evaluate("control => control === document.activeElement"):
            return
        control.page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {control}")


class TestLookFirst:
    @pytest.fixture
    def mode(self):
        return ReadingMode.LOOK_FIRST

    def test_the_draft_comes_after_every_image_was_shown_and_the_reader_has_said_so(self, reader, room, study):
        room.add_film(study, film(3, StudyInstanceUID=study.study_instance_uid))
        page = reader.page
        reader.log_in("ada")
        reader.open("Doe, Jane")
        waiting = page.get_by_role("region", name="The draft is not shown yet")
        expect(waiting).to_contain_text("Look at every image first: 1 of 2 not seen yet.")
        expect(waiting.get_by_role("listitem")).to_have_text(
            ["✓ Seen: image 1 of 2, PA, 1 Mar 2026", "○ Not seen yet: image 2 of 2, PA, 1 Mar 2026"]
        )
        looked = page.get_by_role("button", name="I have looked: show the draft")
        expect(looked).to_be_disabled()
        assert LUNGS not in page.content()
        expect(page.get_by_text(BANNER)).to_be_hidden()

        page.get_by_role("combobox", name="Current image").select_option(index=1)
        expect(waiting).to_contain_text("Say that you have looked")
        expect(looked).to_be_enabled()
        assert LUNGS not in page.content()
        page.keyboard.press("Control+Enter")
        expect(page.get_by_text(LUNGS)).to_be_visible()
        expect(page.get_by_text(BANNER)).to_be_visible()
        expect(page.get_by_role("region", name="Report", exact=True)).to_be_focused()
        begin(reader)
        expect(page.get_by_text("Look first: the draft comes after the images")).to_be_visible()
        assert not [asked for asked in reader.requests if study.study_instance_uid in asked and "views?" in asked]
        assert page.get_by_role("alert").count() == 0

    def test_a_colleagues_report_is_withheld_in_words_until_one_has_looked(self, reader, room, study):
        room.person("max")
        with room.colleague("max") as max_:
            uid = study.study_instance_uid
            (image,) = max_.get(f"/studies/{uid}").json()["images"]
            for seen in ({"sop_instance_uid": image["sop_instance_uid"]}, {"looked": True}):
                max_.post(f"/studies/{uid}/views", json=seen).raise_for_status()
            draft = max_.get(f"/studies/{uid}").json()["current_draft"]["id"]
            max_.post("/reports", json={"study_instance_uid": uid, "draft_id": draft}).raise_for_status()
            max_.delete(f"/studies/{uid}/claim").raise_for_status()
        reader.log_in("ada")
        reader.open("Doe, Jane")
        reader.page.get_by_role("button", name="I have looked: show the draft").click()
        reader.page.get_by_role("button", name="Go on with this report").click()
        expect(reader.sentence("lungs")).to_be_visible()

    @pytest.mark.usefixtures("study")
    def test_looking_meets_wcag_as_far_as_axe_sees(self, reader):
        reader.log_in("ada")
        reader.open("Doe, Jane")
        expect(reader.page.get_by_role("button", name="I have looked: show the draft")).to_be_enabled()
        assert reader.audit_accessibility() == []


class TestSecondReader:
    @pytest.fixture
    def mode(self):
        return ReadingMode.SECOND_READER

    def test_ones_own_text_comes_first_and_stands_beside_the_draft_then(self, reader, room, study):
        page = reader.page
        reader.log_in("ada")
        reader.open("Doe, Jane")
        expect(page.get_by_role("region", name="The draft is not shown yet")).to_contain_text("of your own")
        page.get_by_role("button", name="Write my own report first").click()
        expect(own(reader)).to_be_focused()
        assert LUNGS not in page.content()
        page.keyboard.type("Large heart.")
        compare = page.get_by_role("button", name="Compare with the draft")
        expect(compare).to_be_visible()
        assert LUNGS not in page.content()
        compare.click()

        expect(page.get_by_text(BANNER)).to_be_visible()
        expect(page.get_by_role("textbox", name="findings, whole text")).to_have_text("Large heart.")
        changes = page.get_by_role("region", name="Changes against the draft")
        expect(changes.locator(".prose ins").first).to_contain_text("Large")
        expect(changes.locator(".prose del").first).to_contain_text("The lungs are clear.")
        reader.sentence("lungs").get_by_role("button", name="Accept").click()
        for text in (HEART, CARDIOMEGALY):
            reader.sentence(text).get_by_role("button", name="Reject").click()
        reader.await_saved()
        page.get_by_role("button", name="Sign…").click()
        reader.sign()
        expect(page.get_by_role("article", name="Signed report")).to_contain_text("Large heart. The lungs are clear.")
        assert room.row(study).stage is Stage.SIGNED


def test_all_are_accepted_at_once_only_without_flags_and_with_every_image_seen(reader, room, clean):
    room.add_film(clean, film(3, StudyInstanceUID=clean.study_instance_uid))
    page = reader.page
    reader.log_in("ada")
    reader.open("Doe, Jane")
    begin(reader)
    every = page.get_by_role("button", name="Accept all")
    expect(every).to_be_disabled()
    expect(page.get_by_text("not before every image was on the screen")).to_be_visible()
    page.get_by_role("combobox", name="Current image").select_option(index=1)
    expect(every).to_be_enabled()
    every.click()
    expect(page.locator("[data-decision=accepted]")).to_have_count(2)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("[data-decision=accepted]")).to_have_count(1)


def test_a_flagged_draft_is_decided_sentence_by_sentence(reader, study):
    reader.log_in("ada")
    reader.open("Doe, Jane")
    begin(reader)
    reader.await_films(1)
    expect(reader.page.get_by_role("button", name="Accept all")).to_be_disabled()
    expect(reader.page.get_by_text("not where a sentence is flagged; decide on each")).to_be_visible()


def test_the_changes_against_the_draft_follow_every_act(reader, study):
    page, keys = reader.page, reader.page.keyboard
    reader.log_in("ada")
    reader.open("Doe, Jane")
    begin(reader)
    keys.press("d")
    changes = page.get_by_role("region", name="Changes against the draft")
    expect(changes.locator(".prose del").first).to_have_text(f"[removed: {LUNGS} {HEART}]")
    keys.press("a")
    keys.press("e")
    keys.press("Control+A")
    keys.type("The heart is not larger than before.")
    expect(changes.locator(".prose ins")).to_have_text(["[added: not ]"])
    keys.press("Control+Enter")
    keys.press("d")
    expect(changes).to_be_hidden()


def test_the_preview_is_what_the_service_signs(reader, room, study):
    page = reader.page
    reader.log_in("ada")
    reader.open("Doe, Jane")
    begin(reader)
    reader.sentence(LUNGS).get_by_role("button", name="Accept").click()
    reader.sentence(HEART).get_by_role("button", name="Reject").click()
    reader.sentence(CARDIOMEGALY).get_by_role("button", name="Accept").click()
    own(reader).fill("Two lines:\nthe second.")
    expect(page.get_by_role("button", name="Sign…")).to_be_enabled()  # the film is on the screen
    page.keyboard.press("Control+Enter")
    preview = page.get_by_role("group", name="What is sent")
    expect(preview).to_contain_text("Status: Final")
    expect(preview).to_contain_text("to be signed by Dr Ada")
    shown = [preview.locator(".prose").nth(at).text_content() for at in range(2)]
    reader.sign()
    expect(page.get_by_role("article", name="Signed report")).to_be_visible()
    (kept,) = rows(room, Report)
    assert shown == [kept.findings, kept.impression]
    assert (kept.findings, kept.status) == (f"{LUNGS}\nTwo lines:\nthe second.", "final")


def test_read_edit_and_sign_by_keyboard_alone(reader, room, study):
    page, keys = reader.page, reader.page.keyboard
    page.goto(reader.url)
    expect(page.get_by_label("User name")).to_be_visible()
    tab_to(page.get_by_label("User name"))
    keys.type("ada")
    tab_to(page.get_by_label("Password"))
    keys.type(PASSWORD)
    keys.press("Enter")
    expect(page.get_by_role("button", name="Doe, Jane")).to_be_visible()
    tab_to(page.get_by_role("button", name="Doe, Jane"))
    keys.press("Enter")
    expect(page.get_by_role("button", name="Start from this draft")).to_be_visible()
    keys.press("Control+Enter")
    expect(page.get_by_role("button", name=f"Accept “{LUNGS}”")).to_be_focused()
    keys.press("x")
    keys.press("u")
    expect(page.get_by_role("button", name=f"Accept “{LUNGS}”")).to_be_focused()
    keys.press("a")
    keys.press("f")
    keys.press("e")
    keys.press("Control+A")
    keys.type("Axe: the heart is large, dtcuwr.")  # letters that are commands elsewhere
    keys.press("Control+Enter")
    keys.press("j")
    keys.press("x")
    keys.press("Shift+Tab")
    expect(own(reader)).to_be_focused()
    keys.type("No effusion. axrujkfdtc")
    keys.press("Control+Enter")
    dialog = page.get_by_role("dialog", name="Sign this report")
    expect(dialog).to_contain_text(f"{LUNGS} Axe: the heart is large, dtcuwr.")
    expect(dialog).to_contain_text("No effusion. axrujkfdtc")
    expect(dialog.get_by_label("Your password, to sign")).to_be_focused()
    keys.type(PASSWORD)
    keys.press("Enter")
    expect(page.get_by_role("article", name="Signed report")).to_contain_text("Signed by Dr Ada")
    assert room.row(study).stage is Stage.SIGNED


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_every_part_meets_wcag_as_far_as_axe_sees(reader, study, theme):
    page, keys = reader.page, reader.page.keyboard
    page.emulate_media(color_scheme=theme)
    reader.log_in("ada")
    reader.open("Doe, Jane")
    begin(reader)
    found = {}
    keys.press("d")
    found["changes"] = reader.audit_accessibility()
    for key, name in (("t", "Templates and macros"), ("w", "What is wrong"), ("c", "Critical result")):
        keys.press(key)
        expect(page.get_by_role("dialog", name=re.compile(name))).to_be_visible()
        found[name] = reader.audit_accessibility()
        keys.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
        focus_first_sentence(reader)
    page.get_by_role("button", name="Templates…").click()
    page.get_by_role("button", name="Manage…").click()
    found["manage"] = reader.audit_accessibility()
    page.get_by_role("button", name="New…").click()
    found["new text"] = reader.audit_accessibility()
    assert found == {part: [] for part in found}
