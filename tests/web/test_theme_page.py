"""The light theme in Chromium: what surrounds a film stays dark, because a bright screen hides what is in the film."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.peer("chromium", "node")

COLOURS = """element => {
  const { color, backgroundColor } = getComputedStyle(element)
  return [color, backgroundColor].map(said => Math.max(...said.match(/[0-9]+/g).slice(0, 3).map(Number)))
}"""
"""The brightest channel of text and ground, 0 to 255."""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_what_surrounds_a_film_is_dark_in_both_themes(reader, room, theme):
    room.study(with_film=False, patient_name="Roe^Richard")
    room.study(patient_name="Doe^Jane")
    page = reader.page
    page.context.add_cookies([{"name": "unirg_theme", "value": theme, "url": reader.url}])
    reader.log_in("ada")
    reader.open("Doe, Jane")
    reader.await_films(1)
    images = page.get_by_role("region", name="Images", exact=True)
    surroundings = [images.locator(".toolbar"), images.get_by_role("region", name="Earlier studies")]
    for part in surroundings:
        text, ground = part.evaluate(COLOURS)
        assert (text > 150, ground < 80) == (True, True), part
    text, ground = page.locator(".top-bar").evaluate(COLOURS)
    assert (text < ground) == (theme == "light")
    page.get_by_role("button", name="← Worklist").click()
    reader.open("Roe, Richard")
    missing = images.locator(".no-image").first
    expect(missing).to_be_visible()
    assert missing.evaluate(COLOURS)[0] > 150
