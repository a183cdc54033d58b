"""A fine-tuning that is killed continues and ends with the same weights, on two processes as `make train-nano` has."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from training.config import RUNS

pytest.importorskip("trl", reason="TRL is not installed; make setup")

ROOT = Path(__file__).parent.parent.parent
NANO = ROOT / "model" / "checkpoints" / "unirg-cxr-nano"
DATA = {"singles": 24, "pairs": 12, "validation": 4}
STAGE = """
[[sft]]
name = "short"
steps = 6
stop = 6
batch = 4
learning_rate = 1e-3
vision_learning_rate = 1e-4
vision_wait = 0.0
warmup = 1
pair_share = 0.5
list_share = 0.2
findings_share = 0.0
changes_share = 0.1
save_every = 2
"""
LAUNCH = "import sys; from training import ranks; ranks.launch('training.sft', sys.argv[1:], 2)"


@pytest.fixture(scope="module")
def run_file(tmp_path_factory) -> Path:
    lines = (RUNS / "nano-first.toml").read_text().split("[[sft]]")[0].splitlines()
    kept = [f"{key} = {DATA[key]}" if (key := line.split(" ")[0]) in DATA else line for line in lines]
    path = tmp_path_factory.mktemp("sft") / "small.toml"
    path.write_text("\n".join(kept) + STAGE)
    return path


def started(run_file: Path, out: Path) -> subprocess.Popen[bytes]:
    folders = [run_file.parent / "work", NANO, out]
    command = [sys.executable, "-c", LAUNCH, str(run_file), "short", *map(str, folders)]
    with (run_file.parent / f"{out.name}.log").open("ab") as log:
        return subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)


def finish(run_file: Path, out: Path) -> dict[str, object]:
    status = started(run_file, out).wait()
    assert status == 0, (run_file.parent / f"{out.name}.log").read_text()[-3000:]
    return dict(json.loads((out / "result.json").read_text()))


def test_a_killed_stage_ends_with_the_same_weights(run_file: Path):
    once, killed = run_file.parent / "once", run_file.parent / "killed"
    assert finish(run_file, once)["resumed_at"] is None
    process = started(run_file, killed)
    while not (killed / "trainer" / "checkpoint-2" / "trainer_state.json").exists():
        assert process.poll() is None, "ended before it could be killed"
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)  # the ranks with it
    process.wait()
    assert not (killed / "result.json").exists()
    assert str(finish(run_file, killed)["resumed_at"]).startswith("checkpoint-")
    assert (killed / "model.safetensors").read_bytes() == (once / "model.safetensors").read_bytes()
