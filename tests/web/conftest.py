"""Chromium, and a reading room for each test."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect, sync_playwright

from app.gateways.pixel_child import ChildPixelReader
from app.main import WEB_DIST
from tests.peers import presence
from tests.web.reader import Reader
from tests.web.room import open_room

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SLOW = 30_000
"""Milliseconds that a step may take on a busy machine."""


@pytest.fixture(scope="session")
def chromium():
    presence.require("chromium")
    expect.set_options(timeout=SLOW)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=presence.program("chromium"), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def pixels():
    reader = ChildPixelReader()
    yield reader
    reader.close()


@pytest.fixture
def room(tmp_path, pixels):
    assert (WEB_DIST / "index.html").is_file(), "the review page is not built; run `make setup`"
    with open_room(tmp_path, pixels) as running:
        yield running


@pytest.fixture
def reader(chromium, room):
    """Ada, a radiologist, before logging in; the page may raise no error and break no policy in any test."""
    room.person("ada")
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(SLOW)
    somebody = Reader(context.new_page(), room.url)
    yield somebody
    context.close()
    assert somebody.faults == []
