"""Somebody at the review page: a Chromium tab, and what went wrong in it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Page, Request, expect

from tests.builders.reading import PASSWORD

AXE = Path(__file__).parents[2] / "app/web/node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
WATCH = "addEventListener('securitypolicyviolation', e => console.error('CSP', e.violatedDirective, e.blockedURI))"
KEPT = """() => JSON.stringify(
  [location.href, document.title, history.state, {...localStorage}, {...sessionStorage}, document.cookie]
)"""
OVER_THE_EDGE = "() => document.documentElement.scrollWidth - innerWidth"
GREYS = """canvas => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
  return new Set(data.filter((_, at) => at % 4 === 0)).size
}"""


@dataclass
class Reader:
    """One tab. `faults`: script errors, CSP violations; `requests`: every address the page asked for."""

    page: Page
    url: str
    faults: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.add_init_script(WATCH)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("console", lambda message: self._note(message.type, message.text))
        self.page.on("dialog", lambda dialog: self._note("error", f"dialog {dialog.message}"))
        self.page.on("request", self._asked)

    def _note(self, kind: str, text: str) -> None:
        # the browser's own line about an answer of 4xx is no fault of the page
        if kind == "error" and not text.startswith("Failed to load resource"):
            self.faults.append(text)

    def _asked(self, request: Request) -> None:
        self.requests.append(request.url)

    def log_in(self, username: str, password: str = PASSWORD) -> None:
        self.page.goto(self.url)
        self.enter(username, password)

    def enter(self, username: str, password: str = PASSWORD) -> None:
        self.page.get_by_label("User name").fill(username)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Log in").click()
        expect(self.page.get_by_role("heading", name="Worklist")).to_be_visible()

    def open(self, patient: str) -> None:
        self.page.get_by_role("button", name=patient).click()
        expect(self.page.get_by_role("region", name="Patient and study")).to_contain_text(patient)

    def begin(self) -> None:
        self.page.get_by_role("button", name="Start from this draft").click()
        expect(self.page.get_by_text("Preliminary, not signed")).to_be_visible()

    def sentence(self, text: str):
        return self.page.locator("[data-index]").filter(has_text=text)

    def await_saved(self) -> None:
        expect(self.page.locator(".save")).to_have_text(re.compile(r"^Saved \d"))

    def sign(self, password: str = PASSWORD) -> None:
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_label("Your password, to sign").fill(password)
        dialog.get_by_role("button", name="Sign and send").click()

    def greys(self) -> list[int]:
        """Number of distinct grey levels on each image that is shown."""
        return [film.evaluate(GREYS) for film in self.page.locator("canvas.film").all()]

    def await_films(self, count: int) -> None:
        expect(self.page.locator("canvas.film")).to_have_count(count)
        self.page.wait_for_function(f"() => [...document.querySelectorAll('canvas.film')].every(c => ({GREYS})(c) > 1)")

    def audit_accessibility(self) -> list[str]:
        """Violations of WCAG 2.2 AA that axe sees, as "rule: element"."""
        self.page.evaluate(f"{AXE.read_text()};0")
        options = json.dumps({"runOnly": RULES})
        found = self.page.evaluate(f"axe.run(document, {options})")
        assert found["passes"], "axe looked at nothing"
        return [f"{rule['id']}: {node['html'][:160]}" for rule in found["violations"] for node in rule["nodes"]]

    def traces(self) -> str:
        """All that the browser keeps or shows of where the page was: address, title, history, storage, requests."""
        kept = self.page.evaluate(KEPT)
        return kept + " ".join(urlsplit(asked).path for asked in self.requests)
