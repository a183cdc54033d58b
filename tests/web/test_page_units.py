"""The page's own unit tests, so that `make test` runs all there are."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

WEB = Path(__file__).parents[2] / "app" / "web"


@pytest.mark.peer("node")
def test_the_pages_units():
    run = subprocess.run(["npm", "test"], cwd=WEB, capture_output=True, text=True, check=False, timeout=300)
    assert run.returncode == 0, run.stdout + run.stderr
