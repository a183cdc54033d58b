"""A browser that dies does not keep its study: the next reader gets it in time, with the text that was saved."""

from __future__ import annotations

import os
import signal

import pytest
from playwright.sync_api import expect

from app.db.report_tables import WithdrawnReport
from app.db.tables import Report
from app.domain.study import Stage
from tests.peers import presence
from tests.web.conftest import FLAGS, SLOW
from tests.web.reader import Reader
from tests.web.report_page import own, rows, text_of

pytestmark = pytest.mark.peer("chromium", "node")
FREE_WITHIN = 75.0
"""Seconds after the death: the lease of 60 s, and what it takes to be seen."""


@pytest.fixture
def mortal(playwright, room):
    """Max, a radiologist, in a browser process that a test can kill."""
    room.person("max")
    browser = playwright.chromium.launch(executable_path=presence.program("chromium"), args=FLAGS)
    about = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")
    (pid,) = [process["id"] for process in about["processInfo"] if process["type"] == "browser"]
    context = browser.new_context()
    context.set_default_timeout(SLOW)
    yield Reader(context.new_page(), room.url), pid
    browser.close()


def write(reader, words):
    field = own(reader)
    expect(field).to_be_focused()
    reader.page.keyboard.type(words)
    reader.await_saved()


def row_that_max_holds(room, maxs, reader):
    """The study's row in Ada's list, while Max has words of his own in its report."""
    room.study(Stage.NOT_ELIGIBLE, patient_name="Doe^Jane")
    maxs.log_in("max")
    maxs.open("Doe, Jane")
    maxs.page.get_by_role("button", name="Report by hand").click()
    write(maxs, "Words of Max.")
    reader.log_in("ada")
    row = reader.page.get_by_role("row").filter(has_text="Doe, Jane")
    expect(row).to_contain_text("Dr Max")
    return row


def test_a_killed_browser_frees_its_study_and_the_next_reader_goes_on_with_its_text(reader, room, mortal):
    """The one test that waits for a lease to end as clocks do; tests/api/test_lock_trials.py sets the clock."""
    maxs, pid = mortal
    row = row_that_max_holds(room, maxs, reader)

    os.kill(pid, signal.SIGKILL)
    expect(row).not_to_contain_text("Dr Max", timeout=1000 * FREE_WITHIN)
    reader.open("Doe, Jane")
    reader.page.get_by_role("button", name="Go on with this report").click()
    expect(own(reader)).to_be_focused()
    assert text_of(own(reader)) == "Words of Max."
    reader.page.keyboard.press("Control+End")
    write(reader, " Words of Ada.")
    assert [report.findings for report in rows(room, Report)] == ["Words of Max. Words of Ada."]
    assert [(kept.author_name, kept.findings) for kept in rows(room, WithdrawnReport)] == [("Dr Max", "Words of Max.")]


def test_a_closed_page_gives_its_study_back_at_once(reader, room, mortal):
    maxs, _ = mortal
    row = row_that_max_holds(room, maxs, reader)
    maxs.page.close(run_before_unload=True)
    expect(row).not_to_contain_text("Dr Max", timeout=10_000)
