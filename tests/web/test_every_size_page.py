"""The reader's pages in both themes and at 200 %: nothing is lost, covered by something else, or too small to hit."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from app.domain.priors import PriorDecision, PriorOutcome
from tests.builders.reading import PASSWORD
from tests.web.report_page import flagged_study

pytestmark = pytest.mark.peer("chromium", "node")

SIZES = {"100 %": (1280, 720), "200 %": (640, 360)}
SMALLEST = 24
LOOK = """smallest => {
  const inside = document.querySelector('dialog[open]') ?? document
  const faults = []
  const name = e => `${e.tagName} ${(e.getAttribute('aria-label') ?? e.textContent ?? '').trim().slice(0, 40)}`
  for (const e of inside.querySelectorAll('button, a[href], input, select, textarea, summary, [tabindex="0"]')) {
    if (e.disabled || !e.checkVisibility({ visibilityProperty: true })) continue
    e.scrollIntoView({ block: 'center', inline: 'center' })
    e.focus()
    const box = e.getBoundingClientRect()
    const { width, height } = (e.closest('label') ?? e).getBoundingClientRect()
    if (Math.min(width, height) < smallest) faults.push(`small ${name(e)} ${width}x${height}`)
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2]
    const hit = document.elementFromPoint(x, y)
    if (hit === null || !e.contains(hit)) faults.push(`hidden ${name(e)} at ${x},${y} by ${hit && name(hit)}`)
  }
  const wide = document.documentElement.scrollWidth - innerWidth
  if (wide > 0) faults.push(`${wide} px over the edge`)
  return faults
}"""


@pytest.fixture(params=["dark", "light"])
def theme(request):
    return request.param


@pytest.fixture
def look(reader, theme):
    """Judges the present view at every size; the faults are kept by view and size."""
    found: dict[str, list[str]] = {}
    reader.page.context.add_cookies([{"name": "unirg_theme", "value": theme, "url": reader.url}])

    def judge(view: str) -> None:
        for size, (width, height) in SIZES.items():
            reader.page.set_viewport_size({"width": width, "height": height})
            found[f"{view}, {size}"] = reader.page.evaluate(LOOK, SMALLEST) + reader.audit_accessibility()
        reader.page.set_viewport_size({"width": 1440, "height": 900})

    yield judge
    faults = [f"{view}: {fault}" for view, several in found.items() for fault in several]
    assert not faults, "\n".join(faults)


def test_nothing_is_lost_too_small_or_covered(reader, room, look, theme):
    study = flagged_study(room)
    room.priors(study, PriorOutcome.FOUND, PriorDecision.CHOSEN, "")
    page = reader.page
    page.goto(reader.url)
    look("login")
    reader.enter("ada")
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    look("worklist")
    reader.open("Doe, Jane")
    reader.await_films(2)
    look("study")
    reader.begin()
    look("report")
    page.set_viewport_size({"width": 640, "height": 360})
    reader.sentence("Cardiomegaly").scroll_into_view_if_needed()
    expect(page.get_by_role("heading", name="Doe, Jane")).to_be_in_viewport(ratio=1)
    expect(page.get_by_text("AI draft, unverified").first).to_be_in_viewport(ratio=1)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("button", name="Keys").click()
    look("keys")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Critical result…").click()
    look("critical result")
    page.keyboard.press("Escape")
    for card in page.locator("[data-index]").all():
        card.get_by_role("button", name="Accept").click()
    reader.await_saved()
    page.get_by_role("button", name="Sign…").click()
    look("sign")
    reader.sign(PASSWORD)
    expect(page.get_by_role("article", name="Signed report")).to_be_visible()
    look("signed")
