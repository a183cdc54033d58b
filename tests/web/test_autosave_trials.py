"""kill -9 of the browser while somebody types: the service lacks no word that is older than five seconds.

AUTOSAVE_KILLS=100 makes the long run.
"""

from __future__ import annotations

import os
import random
import signal
import statistics
import sys
import time
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, expect

from app.db.tables import Report
from app.domain.study import Stage
from tests.peers import presence
from tests.web.conftest import FLAGS, SLOW
from tests.web.reader import Reader
from tests.web.report_page import own

pytestmark = [pytest.mark.peer("chromium", "node"), pytest.mark.timeout(3600)]
KILLS = int(os.environ.get("AUTOSAVE_KILLS", "10"))
AT_ONCE = 5
"""Browsers that live at the same time; more would starve each other and the service of a small machine's cores."""
SEED = 20261201
LIVES = (4.0, 12.0)  # seconds of typing: a death at any moment of the second and third round of saving
MOST_LOST = 5.0
WORD = "{:03x}"
"""Its number, so that what is missing is seen."""


@dataclass
class Typist:
    """Somebody in a browser process of his own, and when he typed which word."""

    browser: Browser
    pid: int
    study_id: str = ""
    reader: Reader | None = None
    typed: list[float] = field(default_factory=list)
    ends_at: float = 0.0
    killed_at: float = 0.0

    def sit_down(self, room, cookies, number):
        name, due_first = f"Trial {number}", room.clock.now() - timedelta(hours=number)
        study = room.study(Stage.NOT_ELIGIBLE, with_film=False, patient_name=name, received_at=due_first)
        self.study_id = study.id
        context = self.browser.new_context()
        context.set_default_timeout(SLOW)
        context.add_cookies(cookies)
        self.reader = Reader(context.new_page(), room.url)
        self.reader.page.goto(room.url)
        self.reader.open(name)
        self.reader.page.get_by_role("button", name="Report by hand").click()
        expect(own(self.reader)).to_be_focused()

    def type_a_word(self):
        self.typed.append(time.monotonic())
        self.reader.page.keyboard.type(WORD.format(len(self.typed)))

    def die(self):
        self.killed_at = time.monotonic()
        os.kill(self.pid, signal.SIGKILL)

    def lost(self, saved):
        """Seconds from the first word that the service does not have whole to the death; 0.0 where it has all."""
        everything = "".join(WORD.format(number + 1) for number in range(len(self.typed)))
        assert everything.startswith(saved), "the service has what was never typed"
        whole = len(saved) // len(WORD.format(0))
        return self.killed_at - self.typed[whole] if whole < len(self.typed) else 0.0


@pytest.fixture
def cookies(room):
    """Of a reader who has logged in: each browser is this reader's."""
    room.person("ada")
    with room.colleague("ada") as ada:
        return [{"name": name, "value": value, "url": room.url} for name, value in ada.cookies.items()]


def open_browser(playwright):
    browser = playwright.chromium.launch(executable_path=presence.program("chromium"), args=FLAGS)
    about = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")
    (pid,) = [process["id"] for process in about["processInfo"] if process["type"] == "browser"]
    return Typist(browser, pid)


def type_and_die(typists, choose):
    """All type in turns, word by word, each until his moment has come."""
    for typist in typists:
        typist.ends_at = time.monotonic() + choose.uniform(*LIVES)
    living = list(typists)
    while living:
        for typist in tuple(living):
            if time.monotonic() < typist.ends_at:
                typist.type_a_word()
            else:
                typist.die()
                living.remove(typist)


def saved_text(room, typist):
    with room.database.reading() as session:
        return session.scalars(sa.select(Report.findings).where(Report.study_id == typist.study_id)).one()


def test_a_killed_browser_loses_at_most_the_last_five_seconds_of_typing(playwright, room, cookies, capsys):
    choose, losses = random.Random(SEED), []
    for first in range(0, KILLS, AT_ONCE):
        kills = range(first, min(first + AT_ONCE, KILLS))
        typists = [open_browser(playwright) for _ in kills]
        try:
            for number, typist in zip(kills, typists, strict=True):
                typist.sit_down(room, cookies, number)
            type_and_die(typists, choose)
        finally:
            for typist in typists:
                typist.browser.close()
        losses += [typist.lost(saved_text(room, typist)) for typist in typists]
    words = f"{max(losses):.2f} s lost at most, {statistics.median(losses):.2f} s in the median"
    with capsys.disabled():
        sys.stdout.write(f"\n{KILLS} browsers killed: {words}\n")
    assert max(losses) <= MOST_LOST
