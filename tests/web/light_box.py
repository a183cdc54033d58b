"""The images of the review page as a test meets them: what is on the canvas, and what draws there."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from playwright.sync_api import Locator, Page, expect

RECORD = """
const real = HTMLCanvasElement.prototype.getContext
window.surfaces = []
HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
  const context = real.call(this, kind, ...rest)
  if (context && kind === 'webgl2') window.surfaces.push(context)
  return context
}
"""
"""Keeps the browser's WebGL contexts where a test finds them."""
FRAMES = (
    "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(done))))"
)
GREYS = """canvas => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
  return { size: [canvas.height, canvas.width], greys: Array.from(data.filter((_, at) => at % 4 === 0)) }
}"""


@dataclass(frozen=True)
class Pane:
    """One image on the page: its canvas, its stage, the figures beside it."""

    page: Page
    number: int = 0

    @property
    def canvas(self) -> Locator:
        return self.page.locator("canvas.film").nth(self.number)

    @property
    def stage(self) -> Locator:
        return self.page.locator(".stage").nth(self.number)

    @property
    def readout(self) -> Locator:
        return self.stage.get_by_label("Window centre and width, zoom")

    @property
    def measured(self) -> Locator:
        return self.stage.get_by_role("list", name="Measurements")

    def press(self, *keys: str) -> None:
        """Keys on the image, and the drawing that follows."""
        if not self.stage.evaluate("stage => stage === document.activeElement"):
            self.stage.focus()
        for key in keys:
            self.page.keyboard.press(key)
        self.settle()

    def settle(self) -> None:
        """Waits until what was asked for is drawn."""
        self.page.evaluate(FRAMES)

    def greys(self) -> np.ndarray:
        """Grey levels of the whole canvas, rows x columns."""
        read = self.canvas.evaluate(GREYS)
        return np.array(read["greys"], dtype=int).reshape(read["size"])

    def middle(self, rows: int, columns: int) -> np.ndarray:
        """Grey levels of the rows x columns in the middle, where an image lies one to one."""
        greys = self.greys()
        top, left = -(-(greys.shape[0] - rows) // 2), -(-(greys.shape[1] - columns) // 2)
        return greys[top : top + rows, left : left + columns]

    def figures(self) -> tuple[int, int, int]:
        """Window centre and width, zoom in percent, as the page says them."""
        match = re.fullmatch(r"C (-?\d+) +W (\d+) +(\d+) %", self.readout.inner_text())
        assert match, self.readout.inner_text()
        return int(match[1]), int(match[2]), int(match[3])

    def expect_measured(self, words: str) -> None:
        expect(self.measured).to_contain_text(words)


def draws_by_webgl(page: Page) -> bool:
    """Whether a WebGL context is alive (the page's own probe gives its one back at once)."""
    return bool(page.evaluate("() => window.surfaces.some(context => !context.isContextLost())"))


def lose_webgl(page: Page) -> None:
    """The graphics driver goes away."""
    page.evaluate("() => window.surfaces.forEach(context => context.getExtension('WEBGL_lose_context')?.loseContext())")
