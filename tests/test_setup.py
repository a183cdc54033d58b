"""Set-up and its companions: what is redone, what is said, and what becomes of a test without its peer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import setup

ROOT = Path(__file__).resolve().parent.parent


def test_a_step_is_done_again_only_when_its_inputs_have_changed(tmp_path: Path) -> None:
    done: list[str] = []
    inputs = ["first"]
    step = setup.Step("a step", tmp_path / "stamps" / "a", lambda: inputs[0], lambda: done.append(inputs[0]))
    step.run("[1/1]")
    step.run("[1/1]")
    inputs[0] = "second"
    step.run("[1/1]")
    assert done == ["first", "second"]


def test_a_step_that_failed_is_not_taken_for_done(tmp_path: Path) -> None:
    def fail() -> None:
        raise setup.SetupError("no space")

    step = setup.Step("a step", tmp_path / "a", lambda: "key", fail)
    with pytest.raises(setup.SetupError, match="no space"):
        step.run("[1/1]")
    assert not step.stamp.exists()


def test_what_builds_leave_behind_is_no_change() -> None:
    package = setup.ROOT / "packages" / "torchvision-cpu"
    before = setup.digest([package])
    left = package / "build" / "left-by-a-test"
    left.parent.mkdir(exist_ok=True)
    left.write_text("x")
    try:
        assert setup.digest([package]) == before
    finally:
        left.unlink()


def test_an_unknown_scope_is_refused_with_the_choices() -> None:
    script = [sys.executable, str(ROOT / "scripts" / "setup.py")]
    done = subprocess.run(script, check=False, capture_output=True, text=True, env={**os.environ, "SCOPE": "most"})
    assert done.returncode == 1
    assert "SCOPE=full or SCOPE=service" in done.stderr


def test_make_prints_a_line_for_every_verb() -> None:
    manual = subprocess.run(["make"], check=True, capture_output=True, text=True, cwd=ROOT).stdout
    verbs = {line.split()[1] for line in manual.splitlines()}
    assert verbs >= {"setup", "demo", "test", "lint", "bench", "clean"}


@pytest.mark.parametrize(("required", "outcome"), [("", "1 skipped"), ("1", "1 error")])
def test_a_missing_peer_skips_and_is_counted_or_is_an_error(tmp_path: Path, required: str, outcome: str) -> None:
    test = tmp_path / "test_needs_data.py"
    test.write_text("import pytest\n\n@pytest.mark.peer('test-data')\ndef test_it(): pass\n")
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-c", "pyproject.toml", "-q", str(test)]
    environment = {**os.environ, "UNIRG_TEST_DATA": str(tmp_path / "absent"), "UNIRG_REQUIRE_PEERS": required}
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, env=environment)
    assert outcome in done.stdout
    assert ("test-data: 1 tests" in done.stdout) == (outcome == "1 skipped")
