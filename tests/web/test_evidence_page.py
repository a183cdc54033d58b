"""Evidence regions on the images: off until asked for, never before the draft, exactly over what they name."""

from __future__ import annotations

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from app.db.report_tables import SentenceRegion
from app.db.session import unit_of_work
from app.db.tables import Draft
from app.domain.reading import ReadingMode
from app.domain.study import Stage
from tests.web.light_box import RECORD, Pane, draws_by_webgl
from tests.web.room import film

pytestmark = pytest.mark.peer("chromium", "node")

ROWS, COLUMNS = 240, 320
MARK = slice(60, 150), slice(150, 210)
"""Rows and columns of the bright part of the film."""
EDGES = ("left_edge", "top_edge", "right_edge", "bottom_edge")
PLACE = dict(zip(EDGES, (150 / COLUMNS, 60 / ROWS, 210 / COLUMNS, 150 / ROWS), strict=True))
SMALL = dict(zip(EDGES, (0.125, 0.5, 0.25, 0.875), strict=True))
WORDS = "Model attribution, not a finding's outline; not for diagnosis."
SENTENCES = [
    {"section": "findings", "text": "Left pleural effusion.", "source": "image"},
    {"section": "findings", "text": "No pneumothorax.", "source": "image"},
    {"section": "findings", "text": "The heart is enlarged.", "source": "image"},
    {"section": "impression", "text": "Effusion on the left.", "source": "image"},
]
PLACES = {0: PLACE, 2: SMALL, 3: PLACE}
"""By index of the sentence; the first and the last lie one upon the other."""
BRIGHT = """(canvas, least) => {
  const { width, height } = canvas
  const { data } = canvas.getContext('2d').getImageData(0, 0, width, height)
  const bright = Array.from({ length: width * height }, (_, at) => at).filter(at => data[4 * at] >= least)
  const columns = bright.map(at => at % width).sort((one, other) => one - other)
  const [left, top] = [columns.at(0), Math.floor(bright.at(0) / width)]
  const [right, bottom] = [columns.at(-1) + 1, Math.floor(bright.at(-1) / width) + 1]
  return [left, top, right, bottom].map(edge => edge * canvas.clientWidth / width)
}"""
PIXELS = "canvas => canvas.toDataURL()"


def marked_film(study, **elements):
    """Dark, with one bright rectangle, and a slope at the edge by which the film is told from any other."""
    values = np.full((ROWS, COLUMNS), 600)
    values[:, :100] = np.linspace(0, 1400, 100)
    values[MARK] = 4000
    elements = {"Rows": ROWS, "Columns": COLUMNS, "PixelData": values.astype("<u2").tobytes(), **elements}
    return film(1, StudyInstanceUID=study.study_instance_uid, **elements)


def give_regions(room, study, draft, sop_instance_uid, places=PLACES):
    """As after drafting: the regions, and that they were looked for."""
    rows = [
        SentenceRegion(draft_id=draft.id, sentence_index=index, sop_instance_uid=sop_instance_uid, nats=1.0, **place)
        for index, place in places.items()
    ]
    with unit_of_work(room.database, room.clock) as uow:
        uow.session.get_one(Draft, draft.id).evidence = "occlusion-1"
        uow.session.add_all(rows)
        uow.audit("study.regions_added", study.id, regions=len(rows), method="occlusion-1")


@pytest.fixture
def study(room):
    return room.study(with_film=False, patient_name="Doe^Jane")


@pytest.fixture
def shown(reader, room, study):
    """Opens the study, with the film in it; its draft with regions stands on the page then. Returns its pane."""

    def opened(*, places=PLACES, looked_for=True, **elements):
        radiograph = marked_film(study, **elements)
        room.add_film(study, radiograph)
        draft = room.draft(study, *SENTENCES)
        if looked_for:
            give_regions(room, study, draft, radiograph.SOPInstanceUID, places)
        reader.page.add_init_script(RECORD)
        reader.log_in("ada")
        reader.open("Doe, Jane")
        reader.await_films(1)
        return Pane(reader.page)

    return opened


def toggle(reader):
    return reader.page.get_by_role("button", name="Evidence regions")


def edges(pane):
    return pane.stage.locator("[data-box]")


def label(pane, number):
    return pane.stage.get_by_role("button", name=f"Region of sentence {number},")


def card(reader, text):
    return reader.page.locator(".sentence").filter(has_text=text)


def way(reader, text):
    return card(reader, text).get_by_role("button", name="Region of sentence")


class TestPlaces:
    """By WebGL and without."""

    @pytest.fixture
    def chromium(self, each_path):
        return each_path

    def box(self, pane, number=1):
        """Left, top, right, bottom in CSS pixels from the stage's corner."""
        edge = pane.stage.locator(f'[data-box="{number}"]')
        left, top, width, height = (float(edge.get_attribute(key)) for key in ("x", "y", "width", "height"))
        return np.array([left, top, left + width, top + height])

    def mark(self, pane):
        """The same of the bright part of the film on the canvas: up to halfway between its grey and that beside it."""
        return np.array(pane.canvas.evaluate(BRIGHT, 143))

    def expect_over_the_mark(self, pane, name):
        """Once it is drawn: the image may come a few frames after the box."""
        apart = np.array([np.inf])
        for _ in range(40):
            apart = np.abs(self.box(pane) - self.mark(pane))
            if apart.max() <= 1:
                return
            pane.page.wait_for_timeout(250)
        pytest.fail(f"{name}: {apart} px apart")

    @pytest.mark.parametrize(("density", "spacing"), [(1, {}), (2, {"ImagerPixelSpacing": [0.3, 0.2]})])
    def test_a_box_lies_on_what_it_names_however_the_image_is_looked_at(self, reader, shown, request, density, spacing):
        metrics = {"width": 1100, "height": 620, "deviceScaleFactor": density, "mobile": False}
        reader.page.context.new_cdp_session(reader.page).send("Emulation.setDeviceMetricsOverride", metrics)
        pane = shown(**spacing)
        assert draws_by_webgl(reader.page) == ("webgl" in request.node.callspec.id)
        plain = pane.canvas.evaluate(PIXELS)
        pane.press("b")
        expect(edges(pane)).to_have_count(3)
        assert pane.stage.locator("svg.regions").bounding_box() == pane.canvas.bounding_box()
        assert pane.canvas.evaluate(PIXELS) == plain, "nothing is drawn into the pixels"
        self.expect_over_the_mark(pane, "fit")
        for keys in (["+"], ["Shift+ArrowLeft", "Shift+ArrowDown"], ["r"], ["h"], ["-", "-"], ["v"], ["l"], ["0", "o"]):
            pane.press(*keys)
            self.expect_over_the_mark(pane, keys)
        seen = self.box(pane)
        pane.press("i")
        assert np.array_equal(self.box(pane), seen), "polarity moves nothing"

    def test_a_box_follows_drag_wheel_and_the_windows_size(self, reader, shown):
        pane = shown()
        pane.press("b")
        box = pane.stage.bounding_box()
        middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        reader.page.mouse.move(*middle)
        reader.page.mouse.wheel(0, -100)
        self.expect_over_the_mark(pane, "wheel")
        reader.page.keyboard.down("Shift")
        reader.page.mouse.down()
        reader.page.mouse.move(middle[0] - 60, middle[1] + 33)
        reader.page.mouse.up()
        reader.page.keyboard.up("Shift")
        self.expect_over_the_mark(pane, "drag")
        pane.press("0", "m")  # a drag that begins on a box is a drag of the image
        left, top, right, bottom = self.box(pane)
        reader.page.mouse.move(box["x"] + (left + right) / 2, box["y"] + (top + bottom) / 2)
        reader.page.mouse.down()
        reader.page.mouse.move(box["x"] + (left + right) / 2 - 30, box["y"] + (top + bottom) / 2)
        reader.page.mouse.up()
        assert self.box(pane)[0] == pytest.approx(left - 30, abs=1)
        self.expect_over_the_mark(pane, "drag on the box")
        reader.page.set_viewport_size({"width": 1300, "height": 780})
        self.expect_over_the_mark(pane, "smaller window")


def test_regions_are_off_until_asked_for_by_key_or_button_and_say_what_they_are(reader, shown):
    pane = shown()
    expect(card(reader, "No pneumothorax.")).to_be_visible()
    button = toggle(reader)
    expect(button).to_have_attribute("aria-pressed", "false")
    expect(button).to_have_attribute("aria-keyshortcuts", "b")
    expect(edges(pane)).to_have_count(0)
    expect(reader.page.get_by_text("no region", exact=True)).to_have_count(0)
    expect(reader.page.get_by_text(WORDS)).to_have_count(0)

    pane.press("b")
    expect(edges(pane)).to_have_count(3)
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(pane.stage.get_by_role("status").filter(has_text=WORDS)).to_be_visible()
    expect(card(reader, "No pneumothorax.")).to_contain_text("no region")
    expect(reader.page.get_by_text("no region", exact=True)).to_have_count(1)
    pane.press("b")
    expect(edges(pane)).to_have_count(0)
    expect(reader.page.get_by_text(WORDS)).to_have_count(0)
    button.click()
    expect(edges(pane)).to_have_count(3)
    button.click()

    reader.begin()
    expect(edges(pane)).to_have_count(0)
    reader.page.keyboard.press("b")  # on a sentence
    expect(edges(pane)).to_have_count(3)
    reader.page.keyboard.press("b")
    expect(edges(pane)).to_have_count(0)
    own = reader.page.get_by_label("Add to findings in your own words")
    own.press_sequentially("bnBN")
    expect(own).to_have_text("bnBN")
    expect(edges(pane)).to_have_count(0)
    reader.page.get_by_role("button", name="Keys").click()
    expect(reader.page.get_by_role("dialog")).to_contain_text("evidence regions")


def test_every_sentence_leads_to_its_box_and_every_box_to_its_sentence(reader, shown):
    pane = shown()
    pane.press("b")
    with_region = {number + 1: SENTENCES[number]["text"] for number in PLACES}
    for number, text in with_region.items():  # as the draft is read
        way(reader, text).press("Enter")
        expect(label(pane, number)).to_be_focused()
        expect(label(pane, number)).to_have_attribute("aria-label", re.compile(re.escape(f"“{text}”")))
        reader.page.keyboard.press("Enter")
        expect(way(reader, text)).to_be_focused()
    for number, text in with_region.items():
        label(pane, number).click()
        expect(way(reader, text)).to_be_focused()

    reader.begin()
    for number, text in with_region.items():  # as it is decided on
        reader.sentence(text).get_by_role("button", name="Edit").focus()
        reader.page.keyboard.press("g")
        expect(label(pane, number)).to_be_focused()
        reader.page.keyboard.press(" ")
        expect(way(reader, text)).to_be_focused()
    assert way(reader, "No pneumothorax.").count() == 0


def test_the_sentence_with_the_focus_or_under_the_pointer_stands_out_on_the_image(reader, shown):
    pane = shown()
    pane.press("b")
    reader.begin()
    pointed = pane.stage.locator(".region-pointed [data-box]")
    for number, text in ((1, "Left pleural"), (3, "The heart"), (4, "Effusion on")):
        reader.sentence(text).get_by_role("button", name="Accept").focus()
        expect(pointed).to_have_count(1)
        expect(pointed).to_have_attribute("data-box", str(number))
    reader.sentence("The heart").hover()
    expect(pointed).to_have_attribute("data-box", "3")
    label(pane, 1).hover()
    expect(pointed).to_have_attribute("data-box", "1")
    expect(card(reader, "Left pleural").locator("[data-pointed=true]")).to_have_count(1)
    reader.page.mouse.move(5, 5)
    expect(pointed).to_have_attribute("data-box", "4")  # where the focus is
    reader.sentence("No pneumothorax").get_by_role("button", name="Accept").focus()
    expect(pointed).to_have_count(0)


def test_the_focus_stays_when_the_box_or_the_way_to_it_goes(reader, shown):
    pane = shown()
    pane.press("b")
    label(pane, 3).focus()
    reader.page.keyboard.press("b")
    expect(pane.stage).to_be_focused()
    reader.page.keyboard.press("b")
    way(reader, "The heart").focus()
    reader.page.keyboard.press("b")
    expect(reader.page.get_by_role("region", name="Report", exact=True)).to_be_focused()
    reader.begin()
    reader.page.keyboard.press("b")
    way(reader, "The heart").focus()
    reader.page.keyboard.press("b")
    expect(reader.sentence("The heart").get_by_role("button", name="Accept")).to_be_focused()


def test_where_the_model_gave_none_the_page_says_why_and_what_comes_later_appears(reader, room, study, shown):
    pane = shown(looked_for=False)
    pane.press("b")
    said = pane.stage.get_by_role("status").filter(has_text=WORDS)
    expect(said).to_contain_text("a model behind vLLM gives none")
    expect(reader.page.get_by_text("no region", exact=True)).to_have_count(4)
    reader.begin()
    with room.colleague("ada") as same_reader:
        seen = same_reader.get(f"/studies/{study.study_instance_uid}").json()
    with room.database.reading() as session:
        draft = session.get_one(Draft, seen["current_draft"]["id"])
    give_regions(room, study, draft, seen["images"][0]["sop_instance_uid"])
    expect(edges(pane)).to_have_count(3)
    expect(said).not_to_contain_text("No regions")
    expect(way(reader, "The heart")).to_be_visible()


def test_a_draft_whose_sentences_hang_on_no_part_of_the_film_says_so(reader, shown):
    pane = shown(places={})
    pane.press("b")
    expect(pane.stage.get_by_text("they were looked for (occlusion-1)")).to_be_visible()
    expect(reader.page.get_by_text("no region", exact=True)).to_have_count(4)


def test_a_region_on_another_image_is_brought_onto_the_screen(reader, room, study, shown):
    room.add_film(study, marked_film(study, ViewPosition="LL"))
    pane = shown()
    choice = reader.page.get_by_role("combobox", name="Current image")
    pane.press("b")
    elsewhere = pane.stage.get_by_text("those of the draft are on another image")
    for at in range(2):
        choice.select_option(index=at)
        expect(pane.stage.get_by_role("status").filter(has_text=WORDS)).to_be_visible()
        if elsewhere.count():
            break
    expect(elsewhere).to_be_visible()
    expect(edges(pane)).to_have_count(0)
    way(reader, "The heart").click()
    expect(label(pane, 3)).to_be_focused()
    expect(edges(pane)).to_have_count(3)


class TestLookFirst:
    @pytest.fixture
    def mode(self):
        return ReadingMode.LOOK_FIRST

    def test_no_region_is_offered_drawn_or_answered_before_the_draft_is_shown(self, reader, room, study, shown):
        answers = []
        reader.page.on("response", lambda answer: answers.append(answer) if "/drafts/" in answer.url else None)
        pane = shown()
        expect(reader.page.get_by_role("button", name="I have looked")).to_be_enabled()
        expect(toggle(reader)).to_have_count(0)
        pane.press("b")
        reader.page.get_by_role("region", name="Report", exact=True).focus()
        reader.page.keyboard.press("b")
        expect(reader.page.locator("svg.regions")).to_have_count(0)
        expect(reader.page.get_by_text(WORDS)).to_have_count(0)
        assert answers == []
        with room.colleague("ada") as same_reader:
            answer = same_reader.get(f"/drafts/{room.row(study).current_draft_id}")
        assert answer.status_code == 403
        assert answer.json()["type"] == "urn:unirg:problem:draft-withheld"
        assert "region" not in answer.text

        reader.page.get_by_role("button", name="I have looked").click()
        expect(toggle(reader)).to_have_attribute("aria-pressed", "false")
        expect(edges(pane)).to_have_count(0)
        pane.press("b")
        expect(edges(pane)).to_have_count(3)


class TestSecondReader:
    @pytest.fixture
    def mode(self):
        return ReadingMode.SECOND_READER

    def test_regions_come_with_the_draft_after_the_readers_own_text(self, reader, shown):
        pane = shown()
        reader.page.get_by_role("button", name="Write my own report first").click()
        reader.page.get_by_label("Your findings").fill("Effusion.")
        expect(toggle(reader)).to_have_count(0)
        pane.press("b")
        expect(reader.page.locator("svg.regions")).to_have_count(0)
        reader.await_saved()
        reader.page.get_by_role("button", name="Compare with the draft").click()
        expect(toggle(reader)).to_have_attribute("aria-pressed", "false")
        toggle(reader).click()
        expect(edges(pane)).to_have_count(3)


def test_without_a_draft_nothing_is_offered(reader, room):
    room.study(Stage.NOT_ELIGIBLE, patient_name="Roe^Richard")
    reader.log_in("ada")
    reader.open("Roe, Richard")
    reader.await_films(1)
    expect(toggle(reader)).to_have_count(0)


def test_boxes_meet_wcag_as_far_as_axe_sees_and_are_large_enough_to_press(reader, shown):
    pane = shown()
    found = {}
    for theme in ("dark", "light"):
        reader.page.get_by_label("Theme").select_option(theme)
        if theme == "dark":
            pane.press("b")
        found[f"{theme}, draft"] = reader.audit_accessibility()
        way(reader, "The heart").click()
        found[f"{theme}, box"] = reader.audit_accessibility()
    reader.begin()
    for theme in ("light", "dark"):
        reader.page.get_by_label("Theme").select_option(theme)
        found[f"{theme}, editor"] = reader.audit_accessibility()
    assert found == {view: [] for view in found}
    for button in [*[label(pane, number) for number in (1, 3, 4)], way(reader, "The heart"), toggle(reader)]:
        size = button.bounding_box()
        assert min(size["width"], size["height"]) >= 24
