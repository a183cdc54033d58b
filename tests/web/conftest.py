"""Chromium, and a reading room for each test."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect, sync_playwright

from app.domain.reading import ReadingMode
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
PATHS = {
    "webgl": ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"],
    "cpu": ["--disable-gpu", "--disable-software-rasterizer"],
}
"""How images get on the screen: by WebGL (in software here), and where a browser has none."""
SLOW = 30_000
"""Milliseconds that a step may take on a busy machine."""


@pytest.fixture(scope="session")
def playwright():
    expect.set_options(timeout=SLOW)
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def chromium(playwright):
    presence.require("chromium")
    browser = playwright.chromium.launch(executable_path=presence.program("chromium"), args=FLAGS)
    yield browser
    browser.close()


@pytest.fixture(scope="session", params=PATHS)
def each_path(playwright, request):
    """Chromium, once for each way of drawing."""
    presence.require("chromium")
    flags = [flag for flag in FLAGS if flag != "--disable-gpu"] + PATHS[request.param]
    browser = playwright.chromium.launch(executable_path=presence.program("chromium"), args=flags)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def pixels():
    reader = ChildPixelReader()
    yield reader
    reader.close()


@pytest.fixture
def mode():
    """What comes first in the room; a test that wants another mode has a fixture of this name."""
    return ReadingMode.DRAFT_FIRST


@pytest.fixture
def room(tmp_path, pixels, mode):
    assert (WEB_DIST / "index.html").is_file(), "the review page is not built; run `make setup`"
    with open_room(tmp_path, pixels, mode) as running:
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
