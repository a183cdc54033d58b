"""How long a radiologist waits while writing and signing, in Chromium over the real API.

usage: python -m tests.bench.bench_report [--macros 50] [--signatures 20] [--json OUT]

macro: from the Tab key behind a macro's shortcut until its text is in the field and the next frame is drawn. signature:
from the Enter key behind the password, which is checked at its full cost, until the signed report is on the screen.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import expect, sync_playwright

from app.access import Role
from app.accounts.handlers import Accounts
from app.accounts.passwords import Passwords
from app.domain.study import Stage
from app.gateways.pixel_child import ChildPixelReader
from tests.bench.spread import figures
from tests.builders.reading import PASSWORD
from tests.peers import presence
from tests.web.conftest import FLAGS
from tests.web.reader import Reader
from tests.web.report_page import own
from tests.web.room import Room, open_room

AFTER_ENTER = """() => { window.took = new Promise(done => {
  addEventListener('keydown', ({ key }) => {
    if (key !== 'Enter') return
    const started = performance.now()
    const look = () => {
      if (document.querySelector('[aria-label="Signed report"]')) done(performance.now() - started)
      else requestAnimationFrame(look)
    }
    look()
  }, { capture: true, once: true })
}) }"""
AFTER_TAB = """field => { window.took = new Promise(done => {
  addEventListener('keydown', ({ key }) => {
    if (key !== 'Tab') return
    const started = performance.now()
    new MutationObserver((_, observer) => {
      observer.disconnect()
      requestAnimationFrame(() => setTimeout(() => done(performance.now() - started)))
    }).observe(field, { childList: true, characterData: true, subtree: true })
  }, { capture: true, once: true })
}) }"""


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bench_report")
    parser.add_argument("--macros", type=int, default=50)
    parser.add_argument("--signatures", type=int, default=20)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        results = measure(Path(folder), options.macros, options.signatures)
    sys.stdout.write(json.dumps(results, indent=2) + "\n")
    if options.json:
        options.json.write_text(json.dumps(results, indent=2))


def measure(folder: Path, macros: int, signatures: int) -> dict[str, Any]:
    pixels, passwords = ChildPixelReader(), Passwords()
    with open_room(folder, pixels, passwords=passwords) as room, sync_playwright() as playwright:
        Accounts(room.database, room.clock, passwords).set_user("ada", "Dr Ada", [Role.RADIOLOGIST], PASSWORD)
        for number in range(signatures + 1):
            room.study(Stage.NOT_ELIGIBLE, patient_name=f"Bench^{number:02d}")
        keep_macros(room, macros)
        browser = playwright.chromium.launch(executable_path=presence.program("chromium"), args=FLAGS)
        try:
            page = browser.new_context(viewport={"width": 1920, "height": 1080}).new_page()
            reader = Reader(page, room.url)
            reader.log_in("ada")
            return {
                "macro_ms": figures(expansions(reader, macros)),
                "signature_ms": figures([signature(reader, number + 1) for number in range(signatures)]),
            }
        finally:
            browser.close()
            pixels.close()


def keep_macros(room: Room, count: int) -> None:
    with room.colleague("ada") as mine:
        for number in range(count):
            text = f"Nodule number {number} of [size] mm in the [lobe], followed up by CT in [months] months. " * 3
            macro = {"scope": "personal", "kind": "macro", "shortcut": f"nod{number:03d}", "title": f"Nodule {number}"}
            mine.post("/report-texts", json={**macro, "text": text}).raise_for_status()


def begin(reader: Reader, number: int) -> None:
    reader.open(f"Bench, {number:02d}")
    reader.page.get_by_role("button", name="Report by hand").click()
    expect(own(reader)).to_be_focused()


def expansions(reader: Reader, count: int) -> list[float]:
    """Each macro once, behind all that came before it in one report."""
    begin(reader, 0)
    took = []
    for number in range(count):
        own(reader).press("Control+End")
        reader.page.keyboard.type(f" nod{number:03d}")
        expect(reader.page.get_by_text(f"puts in macro “Nodule {number}”")).to_be_visible()
        own(reader).evaluate(AFTER_TAB)
        reader.page.keyboard.press("Tab")
        took.append(float(reader.page.evaluate("window.took")))
    return took


def signature(reader: Reader, number: int) -> float:
    page, keys = reader.page, reader.page.keyboard
    page.get_by_role("button", name="Worklist").click()
    begin(reader, number)
    keys.type("The lungs are clear.")
    expect(page.get_by_role("button", name="Sign…")).to_be_enabled()
    keys.press("Control+Enter")
    expect(page.get_by_role("dialog").get_by_label("Your password, to sign")).to_be_focused()
    keys.type(PASSWORD)
    page.evaluate(AFTER_ENTER)
    keys.press("Enter")
    return float(page.evaluate("window.took"))


if __name__ == "__main__":
    main(sys.argv[1:])
