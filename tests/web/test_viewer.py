"""What stands on the screen is the image: measured on the canvas, against pydicom."""

from __future__ import annotations

import numpy as np
import pytest
from playwright.sync_api import expect
from pydicom.pixels import apply_voi_lut

from app.domain.study import Stage
from tests.web.room import EDGE, film

pytestmark = pytest.mark.peer("chromium", "node")

BLOCK = 32
"""Edge of a square of one value, in pixels: wide enough to be measured between its edges at any zoom."""
BLOCKS = EDGE // BLOCK
CENTRES = """(canvas, blocks) => {
  const context = canvas.getContext('2d')
  const side = Math.min(canvas.width, canvas.height)
  const [left, top] = [(canvas.width - side) / 2, (canvas.height - side) / 2]
  const at = block => (block + 0.5) * side / blocks
  const grey = (row, column) => context.getImageData(left + at(column), top + at(row), 1, 1).data[0]
  return Array.from({ length: blocks }, (_, row) => Array.from({ length: blocks }, (_, column) => grey(row, column)))
}"""


@pytest.fixture
def shown(reader, room):
    """Opens a study with this film; returns the canvas and what pydicom makes of the squares."""

    def open_film(**elements):
        study = room.study(Stage.NOT_ELIGIBLE, with_film=False, patient_name="Doe^Jane")
        values = np.linspace(0, 4095, BLOCKS * BLOCKS).round().reshape(BLOCKS, BLOCKS)
        pixels = np.kron(values, np.ones((BLOCK, BLOCK))).astype("<u2").tobytes()
        dataset = film(1, StudyInstanceUID=study.study_instance_uid)
        for keyword, value in {"PixelData": pixels, **elements}.items():
            setattr(dataset, keyword, value)
        room.add_film(study, dataset)
        reader.log_in("ada")
        reader.open("Doe, Jane")
        reader.await_films(1)
        windowed = apply_voi_lut(values.astype(np.uint16), dataset).astype(float)
        greys = (windowed / windowed.max() * 255) if windowed.max() else windowed
        if dataset.PhotometricInterpretation == "MONOCHROME1":
            greys = 255 - greys
        return reader.page.locator("canvas.film"), greys

    return open_film


@pytest.mark.parametrize(
    "elements",
    [
        {"WindowCenter": "2048", "WindowWidth": "4096"},
        {"WindowCenter": "1000", "WindowWidth": "800"},
        {"WindowCenter": "2048", "WindowWidth": "4096", "PhotometricInterpretation": "MONOCHROME1"},
    ],
    ids=["wide", "narrow", "monochrome1"],
)
def test_the_default_window_shows_what_the_file_asks_for(shown, elements):
    canvas, expected = shown(**elements)
    difference = np.abs(np.array(canvas.evaluate(CENTRES, BLOCKS)) - expected)
    assert difference.max() <= 2  # grey levels of 255


def test_keys_change_window_polarity_and_place_and_reset_brings_all_back(reader, shown):
    canvas, _ = shown()

    def squares():
        # two frames: the change is drawn in the first that follows it
        reader.page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        return np.array(canvas.evaluate(CENTRES, BLOCKS))

    canvas.focus()
    home = squares()
    reader.page.keyboard.press("i")
    assert np.abs(squares() - (255 - home)).max() <= 1
    reader.page.keyboard.press("i")
    reader.page.keyboard.press("ArrowUp")
    assert squares().mean() > home.mean()
    reader.page.keyboard.press("ArrowLeft")
    assert (squares() == 255).sum() > (home == 255).sum()
    reader.page.keyboard.press("+")
    reader.page.keyboard.press("Shift+ArrowRight")
    assert (squares() != home).any()
    reader.page.keyboard.press("0")
    assert (squares() == home).all()


def test_a_drag_changes_the_window_and_the_wheel_zooms(reader, shown):
    canvas, _ = shown()
    readout = reader.page.get_by_label("Window centre and width, zoom")
    before = readout.inner_text()
    canvas.hover()
    reader.page.mouse.down()
    box = canvas.bounding_box()
    reader.page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.4)
    reader.page.mouse.up()
    expect(readout).not_to_have_text(before)
    expect(readout).to_contain_text("100 %")
    reader.page.mouse.wheel(0, -400)
    expect(readout).to_contain_text("200 %")
    expect(reader.page.locator(".marker-right")).to_have_text("Patient side at the right edge: L")
