"""A worklist of 10,000 studies in Chromium: how long the page takes to load, filter, sort, scroll and show what is new.

usage: python -m tests.bench.bench_worklist [--studies 10000] [--rounds 20] [--json OUT]

Filter, sort, scroll: milliseconds from the reader's act to the frame that shows its effect (typing: with the page's
own pause). New: seconds from the commit of a STAT study to the frame that has its row.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from playwright.sync_api import Page, expect, sync_playwright

from app.db.session import Database, unit_of_work
from app.db.tables import Draft, Study
from app.domain.identifiers import derived_uid, new_id
from app.domain.study import Stage
from app.gateways.pixel_child import ChildPixelReader
from app.ports import Clock
from tests.bench.spread import p95
from tests.builders.reading import draft_sentences
from tests.peers import presence
from tests.web.conftest import FLAGS
from tests.web.reader import Reader
from tests.web.room import open_room

PRIORITIES = ("STAT", "ASAP", "ROUTINE", "ROUTINE", "ROUTINE", "LOW")
FAMILIES = ("Doe", "Müller", "O'Neill", "山田", "van der Berg", "NGUYEN", "Ärzte", "de la Cruz")
WAITING = (Stage.READY, Stage.READY, Stage.IN_REVIEW, Stage.DRAFT_UNAVAILABLE, Stage.NOT_ELIGIBLE, Stage.DRAFTING)
SHOWN = """() => [document.querySelector('[role=grid]').ariaRowCount,
  ...[...document.querySelectorAll('.lines [role=row]')].slice(0, 4).map(row => row.textContent)].join()"""
ACT = f"""async ([kind, selector, value]) => {{
  const shown = {SHOWN}, before = shown(), element = document.querySelector(selector), start = performance.now()
  if (kind === 'click') element.click()
  else {{
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(element, value)
    element.dispatchEvent(new Event('input', {{ bubbles: true }}))
  }}
  do await new Promise(requestAnimationFrame); while (shown() === before && performance.now() - start < 10000)
  return performance.now() - start
}}"""
SCROLL = """async part => {
  const grid = document.querySelector('[role=grid]'), start = performance.now()
  grid.scrollTop = part * (grid.scrollHeight - grid.clientHeight)
  const { top, height } = grid.getBoundingClientRect()
  const middle = () => document.elementFromPoint(innerWidth / 2, top + height / 2)
  do await new Promise(requestAnimationFrame); while (!middle().closest('[aria-rowindex]'))
  return performance.now() - start
}"""


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bench_worklist")
    parser.add_argument("--studies", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(argv)
    pixels = ChildPixelReader()
    try:
        with tempfile.TemporaryDirectory() as folder:
            summary = measure(Path(folder), pixels, options.studies, options.rounds)
    finally:
        pixels.close()
    sys.stdout.write(json.dumps(summary, indent=2) + "\n")
    if options.json:
        options.json.write_text(json.dumps(summary, indent=2))


def measure(folder: Path, pixels: ChildPixelReader, studies: int, rounds: int) -> dict[str, Any]:
    with open_room(folder, pixels) as room, sync_playwright() as playwright:
        seed(room.database, room.clock, studies)
        room.person("ada")
        browser = playwright.chromium.launch(executable_path=presence.program("chromium"), args=FLAGS)
        reader = Reader(browser.new_page(viewport={"width": 1920, "height": 1080}), room.url)
        reader.page.set_default_timeout(120_000)
        start = time.monotonic()
        reader.log_in("ada")
        reader.page.locator(".lines [role=row]").first.wait_for()
        first = time.monotonic() - start
        expect(reader.page.get_by_role("grid")).to_have_attribute("aria-rowcount", str(studies + 1), timeout=120_000)
        whole = time.monotonic() - start
        figures = {
            "filter_ms": spread([took for _ in range(rounds) for took in filtered(reader.page)]),
            "search_ms": spread([took for _ in range(rounds) for took in searched(reader.page)]),
            "sort_ms": spread([took for _ in range(rounds) for took in resorted(reader.page)]),
            "scroll_ms": spread([reader.page.evaluate(SCROLL, part) for part in parts(rounds)]),
            "new_stat_seconds": spread([arrived(reader.page, room.database, room.clock) for _ in range(rounds)]),
        }
        browser.close()
        assert reader.faults == [], reader.faults
    return {"studies": studies, "first_rows_seconds": round(first, 2), "all_rows_seconds": round(whole, 2), **figures}


def seed(database: Database, clock: Clock, count: int, stages: Sequence[Stage] = WAITING) -> None:
    """So many studies of the last three days in `stages`; those that are ready have a draft, every third flagged."""
    chance, now = random.Random(count), clock.now()
    studies, drafts = [], []
    for number in range(count):
        stage = chance.choice(stages)
        study = {
            "id": new_id(),
            "study_instance_uid": derived_uid("study", new_id()),
            "stage": stage,
            "priority": chance.choice(PRIORITIES),
            "patient_id": f"N-{number:05}",
            "patient_name": f"{chance.choice(FAMILIES)}^{chance.choice('ABCDEFGH')}",
            "birth_date": f"19{chance.randrange(30, 99)}0{chance.randrange(1, 9)}17",
            "sex": chance.choice("FM"),
            "accession_number": f"A{chance.randrange(10**6):06}",
            "study_date": now.strftime("%Y%m%d"),
            "description": "XR CHEST PA AND LATERAL",
            "received_at": now - timedelta(seconds=chance.randrange(2 * 86_400)),
            "last_image_at": now,
            "quiet_until": now,
            "stage_since": now,
            "current_draft_id": new_id() if stage is Stage.READY else None,
        }
        studies.append(study)
        if study["current_draft_id"]:
            drafts.append(draft_of(study, flagged=number % 3 == 0, now=now))
    with unit_of_work(database, clock) as uow:
        uow.session.execute(sa.insert(Study), studies)
        if drafts:
            uow.session.execute(sa.insert(Draft), drafts)


def draft_of(study: dict[str, Any], *, flagged: bool, now: Any) -> dict[str, Any]:
    flag = {"code": "comparison", "reason": "compares"}
    rows = [("findings", "The heart is enlarged.", "image", [flag] if flagged else [])]
    return {
        "id": study["current_draft_id"],
        "study_id": study["id"],
        "revision": 1,
        "version": 1,
        "stale": False,
        "input_hash": study["id"],
        "model": "m",
        "weights_digest": "0",
        "prompt_version": "1",
        "image_digests": [],
        "text": "The heart is enlarged.",
        "finish_reason": "stop",
        "sentences": draft_sentences(rows),
        "created_at": now,
    }


def arrive(database: Database, clock: Clock, patient_name: str, **values: object) -> Study:
    """A study as its first image leaves it, announced as the receiver does."""
    now = clock.now()
    columns = {
        "id": new_id(),
        "study_instance_uid": derived_uid("study", new_id()),
        "stage": Stage.RECEIVING,
        "priority": "STAT",
        "patient_id": "NEW",
        "patient_name": patient_name,
        "received_at": now,
        "last_image_at": now,
        "quiet_until": now,
        "stage_since": now,
    }
    study = Study(**{**columns, **values})
    with unit_of_work(database, clock) as uow:
        uow.session.add(study)
        uow.audit("study.received", study.id, state=str(study.stage), revision=1)
    return study


def filtered(page: Page) -> list[float]:
    """Two presses: a chip on, and off again."""
    chip = ".chips[aria-label=Priority] .chip:nth-child(2)"
    return [page.evaluate(ACT, ["click", chip, None]) for _ in range(2)]


def searched(page: Page) -> list[float]:
    return [page.evaluate(ACT, ["type", ".filters input", words]) for words in ("müller", "müller, b", "n-0012", "")]


def resorted(page: Page) -> list[float]:
    """Each of the four orders, and the default again."""
    ways = ("received", "patient", "patient", "state", "due")
    return [page.evaluate(ACT, ["click", f".heading .cell-{way} .by", None]) for way in ways]


def arrived(page: Page, database: Database, clock: Clock) -> float:
    arrive(database, clock, f"New^{new_id()[:8]}")
    committed = time.time()
    rows = page.evaluate("() => document.querySelector('[role=grid]').ariaRowCount")
    page.evaluate("() => { document.querySelector('[role=grid]').scrollTop = 0 }")
    page.wait_for_function("rows => document.querySelector('[role=grid]').ariaRowCount !== rows", arg=rows)
    return float(page.evaluate("() => Date.now() / 1000")) - committed


def parts(rounds: int) -> list[float]:
    chance = random.Random(rounds)
    return [chance.random() for _ in range(5 * rounds)]


def spread(values: Sequence[float]) -> dict[str, float]:
    return {"n": len(values), "median": round(statistics.median(values), 2), "p95": round(p95(values), 2)}


if __name__ == "__main__":
    main(sys.argv[1:])
