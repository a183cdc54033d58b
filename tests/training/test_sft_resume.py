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
from training.monitoring import Progress

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
    before = {int(row["step"]): row for row in Progress(killed).rows()}
    told = finish(run_file, killed)
    resumed = int(str(told["resumed_at"]).removeprefix("checkpoint-"))
    for name in ("cpu_seconds", "wall_seconds"):
        assert float(str(told[name])) > before[resumed][name] > 0, "what was spent before the kill counts"
    assert [row["step"] for row in Progress(killed).rows()] == [2, 4, 6]
    assert (killed / "model.safetensors").read_bytes() == (once / "model.safetensors").read_bytes()


def of_ranks(world: int, code: str, *arguments: Path) -> subprocess.CompletedProcess[str]:
    """Python code as the first of so many ranks."""
    environment = {**os.environ, "WORLD_SIZE": str(world), "RANK": "0"}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


NEWEST = "import pathlib, sys; from training import ranks; print(ranks.newest_checkpoint(pathlib.Path(sys.argv[1])))"


@pytest.mark.parametrize("lost", ["", "trainer_state.json", "rng_state_1.pth", "cut rng_state_1.pth"])
def test_a_checkpoint_is_whole_when_every_rank_has_written(tmp_path: Path, lost: str):
    import torch

    for step in (2, 4):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        (folder / "trainer_state.json").write_text(json.dumps({"global_step": step}))
        for rank in (0, 1):
            torch.save({"cpu": torch.random.get_rng_state()}, folder / f"rng_state_{rank}.pth")
    last = tmp_path / "checkpoint-4"
    if lost.startswith("cut "):
        whole = (last / "rng_state_1.pth").read_bytes()
        (last / "rng_state_1.pth").write_bytes(whole[: len(whole) // 2])
    elif lost:
        (last / lost).unlink()
    done = of_ranks(2, NEWEST, tmp_path)
    assert done.stdout.split()[-1:] == [str(tmp_path / ("checkpoint-2" if lost else "checkpoint-4"))], done.stderr
    assert last.exists() == (not lost)
    assert (tmp_path / "incomplete-4").exists() == ("rng" in lost)


@pytest.mark.parametrize(("wrote", "starts"), [(["rng_state.pth"], 2), (["rng_state_0.pth", "rng_state_1.pth"], 3)])
def test_another_number_of_ranks_begins_nothing_anew(tmp_path: Path, wrote: list[str], starts: int):
    import torch

    folder = tmp_path / "checkpoint-2"
    folder.mkdir()
    (folder / "trainer_state.json").write_text('{"global_step": 2}')
    for name in wrote:
        torch.save({"cpu": torch.random.get_rng_state()}, folder / name)
    refused = of_ranks(starts, NEWEST, tmp_path)
    assert f"some of {starts} ranks, and there is no other checkpoint" in refused.stderr
    assert of_ranks(len(wrote), NEWEST, tmp_path).stdout.split() == [str(folder)], "what they wrote is still there"


def test_ranks_that_cannot_share_a_batch_are_refused(run_file: Path):
    code = (
        "import sys; from pathlib import Path; from training import sft; from training.config import load_run; "
        "sft._settings(load_run(Path(sys.argv[1])).sft[0], 1, Path(sys.argv[1]).parent / 'never')"
    )
    done = of_ranks(3, code, run_file)
    assert "short: batch 4 cannot be shared by 3 ranks" in done.stderr
