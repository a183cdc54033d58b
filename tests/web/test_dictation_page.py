"""Dictation on the review page in Chromium: off unless the site allows it, and then words come in where the cursor is.

Headless Chromium has no speech engine, so one stands in for the browser's own at the Web Speech API's door; the page,
its permission and its editor are the real ones.
"""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from tests.web.report_page import flagged_study, own, text_of
from tests.web.room import open_room

pytestmark = pytest.mark.peer("chromium", "node")
ENGINE = """
class SpeechRecognition extends EventTarget {
  get processLocally() { return true }
  set processLocally(value) { if (!value) throw new Error('would leave this computer') }
  start() { window.engine = this; this.dispatchEvent(new Event('start')) }
  abort() { window.engine = null; this.dispatchEvent(new Event('end')) }
}
window.SpeechRecognition = SpeechRecognition
window.hear = text => {
  const result = Object.assign([{ transcript: text }], { isFinal: true })
  window.engine.dispatchEvent(Object.assign(new Event('result'), { resultIndex: 0, results: [result] }))
}
"""


@pytest.fixture(params=[False, True])
def allowed(request):
    return request.param


@pytest.fixture
def room(tmp_path, pixels, allowed):
    with open_room(tmp_path, pixels, dictation=allowed) as running:
        yield running


def begin_by_hand(reader, room):
    flagged_study(room)
    reader.page.add_init_script(ENGINE)
    reader.log_in("ada")
    reader.open("Doe, Jane")
    reader.page.get_by_role("button", name="Report by hand, without the draft").click()
    expect(own(reader)).to_be_focused()


def test_ten_thousand_words_come_in_in_order_where_the_cursor_is(reader, room, allowed):
    begin_by_hand(reader, room)
    button = reader.page.get_by_role("button", name="Dictate")
    if not allowed:
        expect(button).to_have_count(0)
        return
    reader.page.keyboard.type("Before after")
    for _ in "after":
        reader.page.keyboard.press("ArrowLeft")
    button.click()
    expect(reader.page.get_by_text("Microphone on")).to_be_visible()
    words = [f"word{number}" for number in range(10_000)]
    said = [" ".join(words[start : start + 10]) for start in range(0, len(words), 10)]
    reader.page.evaluate(f"for (const text of {json.dumps(said)}) hear(text)")
    assert text_of(own(reader)).split(" ") == ["Before", *words, "after"]
    expect(own(reader)).to_be_focused()
    reader.page.get_by_role("button", name="Stop dictating").click()
    assert reader.page.evaluate("window.engine") is None
    assert reader.audit_accessibility() == []
