"""`unirg evaluate`: everything after the verb goes to the training side, or one line says what is not installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.commands import evaluating
from app.errors import ConfigError

ROOT = Path(__file__).parent.parent.parent


def unirg(*arguments, cwd=ROOT):
    command = [sys.executable, "-m", "app.cli", "evaluate", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=300)


def test_options_and_help_are_those_of_the_training_side():
    pytest.importorskip("matplotlib", reason="the training extra is not installed")
    shown = unirg("run", "--help")
    assert shown.returncode == 0
    assert "--trained-sites" in shown.stdout


def test_the_child_s_refusal_is_passed_on(tmp_path):
    pytest.importorskip("matplotlib", reason="the training extra is not installed")
    refused = unirg("compare", "nowhere.json", "nowhere.json", cwd=tmp_path)
    assert refused.returncode == 1
    assert "nowhere.json" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_without_the_training_extra_one_line_says_what_to_do(monkeypatch):
    monkeypatch.setattr(evaluating, "NEEDED", ("training", "a_package_that_is_not_there"))
    with pytest.raises(ConfigError, match=r"a_package_that_is_not_there cannot be imported here.*make setup"):
        evaluating.run_evaluation(["run"])
