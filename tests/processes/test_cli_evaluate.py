"""`unirg evaluate`: everything after the verb goes to the training side, or one line says what is not installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

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


def test_without_the_training_extra_one_line_says_what_to_do():
    bare = (
        "import sys; sys.path.append(sys.argv[1]); from app.commands import evaluating; evaluating.run_evaluation([])"
    )
    refused = subprocess.run(
        [sys.executable, "-I", "-S", "-c", bare, str(ROOT)], capture_output=True, text=True, check=False, timeout=60
    )
    assert "ConfigError: unirg evaluate needs the training extra" in refused.stderr
    assert "datasets, matplotlib, torch, transformers cannot be imported here: run `make setup`" in refused.stderr
