"""The images of the review page: every tool by keyboard and by pointer, linked panes, and that a loss is said."""

from __future__ import annotations

import math

import numpy as np
import pytest
from playwright.sync_api import expect

from app.domain.priors import PriorDecision, PriorOutcome
from app.domain.study import Stage
from tests.web.light_box import RECORD, Pane, draws_by_webgl, lose_webgl
from tests.web.room import EDGE, film

pytestmark = pytest.mark.peer("chromium", "node")

FOUND = (PriorOutcome.FOUND, PriorDecision.CHOSEN, "newest chest radiograph of the same view")
GLASS = """glass => {
  const { data } = glass.getContext('2d').getImageData(0, 0, 240, 240)
  return Array.from(data.filter((_, at) => at % 4 === 0))
}"""
DRAW_NOTHING = """() => {
  CanvasRenderingContext2D.prototype.drawImage = function () { this.fillRect(0, 0, 9999, 9999) }
}"""
FETCHED = """count =>
  performance.getEntriesByType('resource').filter(one => one.name.endsWith('/display')).length >= count
"""
NOT_SHOWN = "An image of this study is not shown"
SPACING = 0.5
"""Millimetres between pixels of the measured film."""


@pytest.fixture
def chromium(each_path):
    return each_path


@pytest.fixture
def open_film(reader, room):
    """Opens a study with one film; returns its pane."""

    def opened(**elements):
        study = room.study(Stage.NOT_ELIGIBLE, with_film=False, patient_name="Doe^Jane")
        room.add_film(study, film(1, StudyInstanceUID=study.study_instance_uid, **elements))
        reader.page.add_init_script(RECORD)
        reader.log_in("ada")
        reader.open("Doe, Jane")
        reader.await_films(1)
        return Pane(reader.page)

    return opened


@pytest.fixture
def both(reader, room):
    """A study with a prior, both on the screen: current pane, prior pane."""
    study = room.study(patient_name="Doe^Jane")
    room.priors(study, *FOUND)
    room.draft(study, {"section": "findings", "text": "The lungs are clear.", "source": "image"})
    reader.page.add_init_script(RECORD)
    reader.log_in("ada")
    reader.open("Doe, Jane")
    reader.await_films(2)
    return Pane(reader.page, 0), Pane(reader.page, 1)


def test_presets_and_arrows_change_the_window_and_reset_brings_it_back(open_film):
    pane = open_film()
    home = pane.figures()
    assert home == (2048, 4096, 100)
    for key, center, width in [("2", 1720, 2662), ("3", 2867, 2458), ("4", 2540, 1843), ("5", 2253, 1434)]:
        pane.press(key)
        assert pane.figures()[:2] == (center, width)
    pane.press("6")
    assert 0 < pane.figures()[1] < home[1]  # the values that the film really has
    pane.press("1")
    assert pane.figures() == home

    plain = pane.greys().mean()
    pane.press("ArrowUp")
    assert pane.greys().mean() > plain
    pane.press("0", "ArrowDown")
    assert pane.greys().mean() < plain
    pane.press("0", "ArrowLeft", "ArrowLeft")
    assert pane.figures()[1] < home[1]
    pane.press("ArrowRight", "ArrowRight", "ArrowRight")
    assert pane.figures()[1] > home[1]
    pane.press("0")
    assert pane.figures() == home


def test_invert_rotate_and_flip_do_to_the_pixels_what_they_say(open_film):
    pane = open_film()
    pane.press("o")
    upright = pane.middle(EDGE, EDGE)
    for key, expected in [
        ("i", 255 - upright),
        ("r", np.rot90(upright, -1)),
        ("l", np.rot90(upright)),
        ("h", upright[:, ::-1]),
        ("v", upright[::-1]),
    ]:
        pane.press(key)
        assert np.abs(pane.middle(EDGE, EDGE) - expected).max() <= 1
        pane.press("0", "o")
    pane.press("r", "h")
    assert np.abs(pane.middle(EDGE, EDGE) - np.rot90(upright, -1)[:, ::-1]).max() <= 1


def test_markers_follow_the_patient_and_a_mirrored_image_says_so(open_film):
    pane = open_film()

    def sides():
        return [pane.stage.locator(f".marker-{edge}").inner_text()[-1] for edge in ("left", "top", "right", "bottom")]

    assert sides() == ["R", "H", "L", "F"]
    pane.press("h")
    assert sides() == ["L", "H", "R", "F"]
    expect(pane.stage.get_by_text("Mirrored")).to_be_visible()
    pane.press("h", "r")
    assert sides() == ["F", "R", "H", "L"]
    expect(pane.stage.get_by_text("Turned 90°")).to_be_visible()


def test_zoom_and_movement_by_key_drag_and_wheel(reader, open_film):
    pane = open_film()
    pane.press("+", "+")
    assert pane.figures()[2] == 156
    pane.press("-")
    assert pane.figures()[2] == 125
    pane.press("=")
    assert pane.figures()[2] == 100

    home = pane.greys()
    pane.press("Shift+ArrowRight")
    moved = pane.greys()
    assert np.abs(moved[:, 40:] - home[:, :-40]).max() <= 1
    pane.press("0", "m", "ArrowDown")
    assert np.abs(pane.greys()[40:] - home[:-40]).max() <= 1
    pane.press("0", "z", "ArrowUp")
    assert pane.figures()[2] == 125
    pane.press("ArrowDown", "Escape", "ArrowUp")  # Escape: arrows change the window again
    assert pane.figures()[2] == 100
    assert pane.figures()[0] < 2048

    pane.press("0")
    box = pane.stage.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    reader.page.mouse.move(*middle)
    reader.page.mouse.wheel(0, -400)
    expect(pane.readout).to_contain_text("200 %")
    reader.page.mouse.down()
    reader.page.mouse.move(middle[0] + box["width"] * 0.2, middle[1] - box["height"] * 0.1)
    reader.page.mouse.up()
    assert pane.figures()[0] < 2048
    assert pane.figures()[1] > 4096


def test_the_glass_shows_the_image_larger_where_the_crosshair_is(open_film):
    pane = open_film()
    pane.press("o", "g", *["Shift+ArrowLeft"] * 3, "ArrowUp")
    glass = pane.stage.locator("canvas.glass")
    seen = np.array(glass.evaluate(GLASS)).reshape(240, 240)
    # 2.5 times: the glass's 240 px are 96 px of the image, around the crosshair
    image = pane.middle(EDGE, EDGE)
    height, width = pane.greys().shape
    row, column = height // 2 - 10 - (height - EDGE) // 2, width // 2 - 3 - (width - EDGE) // 2
    for down, across in [(0, 0), (-40, 30), (35, -45)]:
        there = seen[120 + round(down * 2.5), 120 + round(across * 2.5)]
        assert abs(int(there) - int(image[row + down, column + across])) <= 8
    pane.press("w")
    expect(glass).to_have_count(0)


@pytest.mark.parametrize(
    ("elements", "unit", "words"),
    [
        ({"PixelSpacing": [SPACING, SPACING]}, SPACING, "mm (calibrated)"),
        ({"ImagerPixelSpacing": [SPACING, SPACING]}, SPACING, "mm at the detector"),
        ({}, 1, "px, spacing unknown"),
    ],
    ids=["calibrated", "detector", "unknown"],
)
def test_a_length_is_measured_by_keyboard_and_says_what_it_is_measured_in(open_film, elements, unit, words):
    pane = open_film(**elements)
    pane.press("o", "t", "Enter", *["ArrowRight"] * 6, *["ArrowDown"] * 8, "Enter")
    length = 100 * unit  # 60 across and 80 down, one to one
    pane.expect_measured(f"length: {length:.1f} {words}" if unit != 1 else f"length: {length} {words}")
    expect(pane.stage.locator("svg .measurement text")).to_contain_text(words)
    pane.press("Shift+ArrowRight", "Enter")
    pane.press("Backspace", "Delete")  # the point that was put, then the measurement
    expect(pane.measured.get_by_role("listitem")).to_have_count(0)


def test_an_angle_is_measured_by_keyboard(open_film):
    pane = open_film()
    level = ["Enter", *["ArrowRight"] * 8, "Enter"]
    slope = [*["ArrowDown"] * 4, "Enter", *["ArrowLeft"] * 8, *["ArrowDown"] * 3, "Enter"]
    pane.press("o", "y", *level, *slope)
    pane.expect_measured(f"angle: {math.degrees(math.atan2(3, 8)):.1f}°")


def test_a_length_is_drawn_in_one_stroke_and_stays_on_the_image(reader, open_film):
    pane = open_film(PixelSpacing=[SPACING, SPACING])
    pane.press("o", "t")
    box = pane.stage.bounding_box()
    middle = box["x"] + box["width"] // 2, box["y"] + box["height"] // 2
    reader.page.mouse.move(*middle)
    reader.page.mouse.down()
    reader.page.mouse.move(middle[0] + 60, middle[1] + 80)
    reader.page.mouse.up()
    pane.expect_measured("length: 50.0 mm (calibrated)")
    pane.press("+", "r")
    pane.expect_measured("length: 50.0 mm (calibrated)")
    line = pane.stage.locator("svg .measurement line").last
    across, down = (abs(float(line.get_attribute(f"{axis}2")) - float(line.get_attribute(f"{axis}1"))) for axis in "xy")
    assert (across, down) == (pytest.approx(100), pytest.approx(75))


def test_no_key_of_an_image_does_anything_while_somebody_types(reader, both):
    current, _ = both
    reader.begin()
    before = current.figures()
    words = "hilor 0123456 wmzgtysq+-="
    typed = reader.page.get_by_label("Add to findings in your own words")
    typed.press_sequentially(words)
    expect(typed).to_have_text(words)
    assert current.figures() == before
    expect(current.stage.locator(".lies")).to_have_count(0)


def test_every_image_tool_is_a_button_with_its_key(reader, open_film):
    pane = open_film()
    bar = reader.page.get_by_role("toolbar")
    home = pane.figures()
    for name, key in [("Zoom in", "+"), ("Rotate to the right", "r"), ("Flip across", "h"), ("Invert", "i")]:
        button = bar.get_by_role("button", name=name)
        assert button.get_attribute("aria-keyshortcuts") == key
        button.click()
    expect(pane.readout).to_contain_text("125 %")
    expect(pane.stage.locator(".lies")).to_have_text("Mirrored · Turned 270° · Inverted")
    bar.get_by_role("button", name="Reset").click()
    assert pane.figures() == home
    # from the toolbar the keys work on the image too, and arrows go from button to button
    reader.page.keyboard.press("2")
    pane.settle()
    assert pane.figures() != home
    reader.page.keyboard.press("ArrowLeft")
    expect(bar.get_by_role("button", name="One image pixel")).to_be_focused()
    reader.page.get_by_label("Window preset").select_option("1")
    assert pane.figures() == home


def test_both_images_move_and_are_windowed_together_by_choice(reader, both):
    current, prior = both
    current.press("+")
    assert (current.figures()[2], prior.figures()[2]) == (125, 100)
    current.press("s")
    assert prior.figures()[2] == 125
    current.press("PageDown")
    expect(prior.stage).to_be_focused()
    prior.press("+", "Shift+ArrowRight", "2")
    assert current.figures()[2] == 156
    assert current.figures()[:2] == (2048, 4096)
    prior.press("q")
    assert current.figures()[:2] == prior.figures()[:2] == (1720, 2662)
    bar = reader.page.get_by_role("toolbar", name="Image tools, for the prior image")
    expect(bar.get_by_role("button", name="Link zoom")).to_have_attribute("aria-pressed", "true")
    prior.press("s", "q", "0")
    assert current.figures() == (1720, 2662, 156)


def test_the_prior_says_large_when_it_was_taken(reader, both):
    header = reader.page.get_by_role("region", name="Prior", exact=True).locator("header")
    expect(header).to_contain_text("PA · 15 Nov 2024 · 15 months earlier")
    size = "element => parseFloat(getComputedStyle(element).fontSize)"
    assert header.locator(".caption-interval").evaluate(size) >= 18


def test_a_lost_picture_is_said_blocks_signing_and_comes_back(reader, both):
    current, _ = both
    page = reader.page
    reader.begin()
    reader.sentence("lungs").get_by_role("button", name="Accept").click()
    sign = page.get_by_role("button", name="Sign…")
    expect(sign).to_be_enabled()

    if draws_by_webgl(page):
        lose_webgl(page)
    else:
        current.canvas.dispatch_event("contextlost")
    alert = page.get_by_role("alert").filter(has_text="This image cannot be shown").first
    expect(alert).to_contain_text("The browser lost its drawing surface.")
    expect(sign).to_be_disabled()
    expect(page.get_by_role("list", name="Before signing")).to_contain_text(NOT_SHOWN)

    while (again := page.get_by_role("button", name="Try again")).count():
        again.first.click()
    reader.await_films(2)
    assert min(reader.greys()) >= 50
    expect(sign).to_be_enabled()


def test_a_blank_canvas_is_found_out_and_blocks_signing(reader, both):
    """The browser draws nothing and says nothing, as a driver with a fault does."""
    current, _ = both
    reader.begin()
    reader.sentence("lungs").get_by_role("button", name="Accept").click()
    sign = reader.page.get_by_role("button", name="Sign…")
    expect(sign).to_be_enabled()
    reader.page.evaluate(DRAW_NOTHING)
    current.press("2")
    expect(reader.page.get_by_text("What the browser has drawn is not the image.").first).to_be_visible()
    expect(sign).to_be_disabled()


def test_an_image_that_is_not_drawn_by_cornerstone_at_all_is_an_error(reader, room):
    """The part of the page that draws cannot be fetched: the report stays usable, the image is missing in words."""
    study = room.study(Stage.NOT_ELIGIBLE, patient_name="Doe^Jane")
    assert study.study_instance_uid
    reader.page.route("**/assets/cornerstone_viewer-*.js", lambda route: route.abort())
    reader.log_in("ada")
    reader.open("Doe, Jane")
    expect(reader.page.get_by_role("alert")).to_contain_text("This image cannot be shown")
    reader.page.get_by_role("button", name="Report by hand").click()
    expect(reader.page.get_by_role("list", name="Before signing")).to_contain_text(NOT_SHOWN)


def test_the_next_two_studies_are_in_memory_before_they_are_opened(reader, room):
    patients = ["One, Anna", "Two, Anna", "Three, Anna", "Four, Anna"]
    for patient in patients:
        room.study(Stage.NOT_ELIGIBLE, patient_name=patient.replace(", ", "^"))
    reader.log_in("ada")
    expect(reader.page.get_by_text("Four, Anna")).to_be_visible()
    first, second, third, last = sorted(patients, key=reader.page.locator("main").inner_text().index)

    def fetched():
        return [asked for asked in reader.requests if asked.endswith("/display")]

    reader.open(first)
    reader.await_films(1)
    reader.page.wait_for_function(FETCHED, arg=3)
    for patient in (second, third):
        frames = fetched()
        reader.page.get_by_role("button", name="Worklist").click()
        reader.open(patient)
        reader.await_films(1)
        assert fetched()[: len(frames)] == frames
    reader.page.wait_for_function(FETCHED, arg=4)
    assert len(fetched()) == len(set(fetched())) == 4  # each once, `last` too
    assert last not in reader.traces()
