"""Write the README's pictures from the running product: `make screenshots` (needs Debian's chromium).

Starts `unirg demo` as a newcomer would, sends it five more phantom patients, and reads the demo's own study in headless
Chromium up to the signature. Pictures are of phantoms; nothing of a patient can be in them.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

from app.config import load

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "screenshots"
ADDRESS = re.compile(r"Review page: (\S+)\s+login: (\S+)\s+password: (\S+)")
UNIRG = [sys.executable, "-m", "app.cli"]
MORE_PATIENTS = 5
SLOW = 120_000  # ms


@dataclass(frozen=True)
class Demo:
    """Where the demo's page is and who may log in."""

    url: str
    login: str
    password: str


@contextmanager
def demo(folder: Path) -> Iterator[Demo]:
    """`unirg demo`, until its address is printed; ended afterwards."""
    command = [*UNIRG, "demo", "--folder", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            told = ""
            for line in process.stdout or ():
                told += line
                if found := ADDRESS.search(told.replace("\n", " ")):
                    yield Demo(*found.groups())
                    break
            else:
                sys.exit(f"The demo ended before its page was up:\n{told}")
        finally:
            process.send_signal(signal.SIGINT)


def send_more(folder: Path) -> None:
    """Other phantom patients, so that the worklist is one."""
    port = load(folder / "unirg.toml").dicom.port
    for seed in range(1, MORE_PATIENTS + 1):
        films = folder / f"films-{seed}"
        drawn = ["-m", "training.phantom", "--out", str(films), "--seed", str(seed), "--patient-id", f"DEMO-{seed}"]
        subprocess.run([sys.executable, *drawn], cwd=ROOT, check=True, capture_output=True)
        sent = [*UNIRG, "send", str(films), "--to", f"127.0.0.1:{port}", "--aet", "DEMO-XR"]
        subprocess.run(sent, cwd=ROOT, check=True, capture_output=True)


def keep(page: Page, name: str) -> None:
    """The page as it is now, as WebP: a tenth of a PNG, and the films' grey stays smooth."""
    path = FOLDER / f"{name}.webp"
    Image.open(BytesIO(page.screenshot())).convert("RGB").save(path, quality=85, method=6)
    print(f"{name}: {path.stat().st_size // 1024} kB", flush=True)


def read_and_sign(page: Page, shown: Demo) -> None:
    """From the login to the signed report, with a picture of each view on the way."""
    page.goto(shown.url)
    page.get_by_label("User name").fill(shown.login)
    page.get_by_label("Password").fill(shown.password)
    page.get_by_role("button", name="Log in").click()
    rows = page.get_by_role("row").filter(has_text="Draft ready")
    # each patient's prior is a study of its own
    expect(rows).to_have_count(2 * (MORE_PATIENTS + 1))
    keep(page, "worklist")
    started = time.monotonic()
    rows.nth(1).get_by_role("button").click()  # the demo's own patient: the current film, drafted beside the prior
    expect(page.locator("canvas.film")).to_have_count(2)
    page.get_by_role("button", name="Start from this draft").click()
    cards = page.locator("[data-index]")
    cards.nth(0).get_by_role("button", name="Accept").click()
    cards.nth(1).get_by_role("button", name="Accept").click()
    page.wait_for_timeout(1000)  # films drawn, text saved
    keep(page, "reading")
    for card in cards.all()[2:]:
        card.get_by_role("button", name="Accept").click()
    page.get_by_role("button", name="Sign…").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Your password, to sign").fill(shown.password)
    keep(page, "signing")
    dialog.get_by_role("button", name="Sign and send").click()
    expect(page.get_by_role("article", name="Signed report")).to_be_visible()
    print(f"opened to signed: {time.monotonic() - started:.1f} s", flush=True)


def main() -> None:
    """Everything, into docs/screenshots."""
    chromium = shutil.which("chromium") or sys.exit("chromium not found: run `make peers`, or install it")
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "demo"
        with demo(folder) as shown, sync_playwright() as running:
            send_more(folder)
            browser = running.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.set_default_timeout(SLOW)
            expect.set_options(timeout=SLOW)
            read_and_sign(page, shown)
            browser.close()


if __name__ == "__main__":
    main()
