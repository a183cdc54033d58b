"""How long a radiologist waits for the review page's images, in Chromium over the real API.

usage: python -m tests.bench.bench_viewer [--path cpu|webgl] [--studies 5] [--steps 60] [--json OUT]

A film of 2500 x 2048 px, 12 bit. first_image: from the click on the study, in a page that has drawn nothing yet, until
the image is on the screen. prefetched_open: the same for a study that was fetched while the one before was read.
window_step: from the key to the end of the drawing. source: the frame as the page takes it (/display), and as DICOMweb
gives it (metadata and frame, /dicom-web/displayed), over HTTP alone.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Page, expect, sync_playwright

from app.db.tables import Instance, Study
from app.domain.study import Stage
from app.gateways.pixel_child import ChildPixelReader
from tests.bench.spread import figures
from tests.builders.radiographs import radiograph
from tests.peers import presence
from tests.web.conftest import FLAGS, PATHS
from tests.web.reader import Reader
from tests.web.room import Room, open_room

ROWS, COLUMNS = 2500, 2048
OPEN = """name => new Promise(done => {
  const probe = new OffscreenCanvas(16, 16).getContext('2d', { willReadFrequently: true })
  const isShown = canvas => {
    probe.drawImage(canvas, 0, 0, 16, 16)
    return new Set(probe.getImageData(0, 0, 16, 16).data.filter((_, at) => at % 4 === 0)).size > 16
  }
  const started = performance.now()
  const look = () => {
    const canvas = document.querySelector('canvas.film')
    if (canvas && canvas.width > 0 && isShown(canvas)) done(performance.now() - started)
    else requestAnimationFrame(look)
  }
  Array.from(document.querySelectorAll('.worklist button')).find(button => button.textContent.includes(name)).click()
  look()
})"""
STEPS = """async count => {
  const stage = document.querySelector('.stage')
  const took = []
  for (let at = 0; at < count; at += 1) {
    const started = performance.now()
    const drawn = new Promise(done => {
      document.addEventListener('CORNERSTONE_IMAGE_RENDERED', done, { capture: true, once: true })
    })
    const key = at % 20 < 10 ? 'ArrowUp' : 'ArrowDown'
    stage.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }))
    await drawn
    took.push(performance.now() - started)
    await new Promise(done => setTimeout(done, 20))
  }
  return took
}"""
FETCHED = (
    "count => performance.getEntriesByType('resource').filter(one => one.name.endsWith('/display')).length >= count"
)


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bench_viewer")
    parser.add_argument("--path", choices=PATHS, default="cpu")
    parser.add_argument("--studies", type=int, default=5)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        results = measure(Path(folder), options.path, options.studies, options.steps)
    sys.stdout.write(json.dumps(results, indent=2) + "\n")
    if options.json:
        options.json.write_text(json.dumps(results, indent=2))


def measure(folder: Path, path: str, studies: int, steps: int) -> dict[str, Any]:
    pixels = ChildPixelReader()
    with open_room(folder, pixels) as room, sync_playwright() as playwright:
        room.person("ada")
        made = [add_study(room, number) for number in range(studies + 1)]
        flags = [flag for flag in FLAGS if flag != "--disable-gpu"] + PATHS[path]
        browser = playwright.chromium.launch(executable_path=presence.program("chromium"), args=flags)
        try:
            return {
                "path": path,
                "first_image_ms": figures([first_image(browser, room, number) for number in range(studies)]),
                **in_one_page(browser, room, studies, steps),
                "source_ms": sources(browser, room, made[0]),
            }
        finally:
            browser.close()
            pixels.close()


def add_study(room: Room, number: int) -> Study:
    study = room.study(Stage.NOT_ELIGIBLE, with_film=False, patient_name=f"Bench^{number:02d}")
    rows, columns = np.mgrid[0:ROWS, 0:COLUMNS]
    soft = 2048 + 900 * np.sin(rows / (200 + number)) + 900 * np.cos(columns / (300 + number))
    noisy = soft + np.random.default_rng(number).normal(0, 20, soft.shape)
    elements = {"Rows": ROWS, "Columns": COLUMNS, "PixelData": noisy.clip(0, 4095).astype("<u2").tobytes()}
    room.add_film(study, radiograph(StudyInstanceUID=study.study_instance_uid, **elements))
    return study


def page_of(browser: Browser, room: Room) -> Page:
    page = browser.new_context(viewport={"width": 1920, "height": 1080}).new_page()
    Reader(page, room.url).log_in("ada")
    expect(page.get_by_text("Bench, 00")).to_be_visible()
    return page


def first_image(browser: Browser, room: Room, number: int) -> float:
    page = page_of(browser, room)
    took = page.evaluate(OPEN, f"Bench, {number:02d}")
    page.context.close()
    return float(took)


def in_one_page(browser: Browser, room: Room, studies: int, steps: int) -> dict[str, Any]:
    """Study after study, each fetched while the one before was on the screen."""
    page = page_of(browser, room)
    names = [f"Bench, {number:02d}" for number in range(studies + 1)]
    order = sorted(names, key=page.locator("main").inner_text().index)
    page.evaluate(OPEN, order[0])
    took = page.evaluate(STEPS, steps)
    opened = []
    for at in range(1, studies + 1):
        page.wait_for_function(FETCHED, arg=min(at + 2, studies + 1))
        page.wait_for_timeout(500)
        page.get_by_role("button", name="Worklist").click()
        expect(page.get_by_text(order[at])).to_be_visible()
        opened.append(float(page.evaluate(OPEN, order[at])))
    page.context.close()
    return {"window_step_ms": figures(took), "prefetched_open_ms": figures(opened)}


def sources(browser: Browser, room: Room, study: Study) -> dict[str, Any]:
    page = page_of(browser, room)
    with room.database.reading() as session:
        row = session.query(Instance).filter_by(study_id=study.id).one()
    named = f"studies/{study.study_instance_uid}/series/{row.series_instance_uid}/instances/{row.sop_instance_uid}"
    address = f"{room.url}dicom-web/displayed/{named}"
    own = f"{room.url}api/v1/instances/{row.sop_instance_uid}/display"
    octets = {"Accept": 'multipart/related; type="application/octet-stream"; transfer-syntax=*'}

    def get(url: str, headers: dict[str, str] | None = None) -> None:
        answer = page.request.get(url, headers=headers or {})
        assert answer.ok, answer.text()

    def by_dicomweb() -> None:
        get(f"{address}/metadata")
        get(f"{address}/frames/1", octets)

    timed = {"display": figures(repeated(lambda: get(own))), "dicomweb": figures(repeated(by_dicomweb))}
    page.context.close()
    return timed


def repeated(work: Callable[[], None], times: int = 10) -> list[float]:
    took = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        took.append((time.perf_counter() - started) * 1000)
    return took


if __name__ == "__main__":
    main(sys.argv[1:])
