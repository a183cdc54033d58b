"""Ranks of one stage: start them, average their gradients, what they have spent, and the checkpoint to go on from.

On a CPU two one-thread processes with averaged gradients beat one two-thread process: OpenMP threads spin while the
other is descheduled (measured 2.7-3.4 against 1.4 CPU-seconds for the same batch). On GPUs accelerate starts the ranks.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import torch
import torch.distributed as dist

RANK = int(os.environ.get("RANK", "0"))
WORLD = int(os.environ.get("WORLD_SIZE", "1"))

# Accelerate calls a rank's processor "cpu:0", transformers loads the optimiser's state to a device of that name, and
# torch.load knows a processor only as "cpu": without this no killed run of several CPU ranks continues.
torch.serialization.register_package(5, lambda _: None, lambda kept, place: kept if place.startswith("cpu:") else None)


def free_port() -> int:
    """A loopback port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def launch(module: str, arguments: Sequence[str], ranks: int) -> None:
    """Run `python -m module arguments` as `ranks` one-thread processes. Raises CalledProcessError if any fails."""
    shared = {
        "OMP_NUM_THREADS": "1",
        "WORLD_SIZE": str(ranks),
        "LOCAL_WORLD_SIZE": str(ranks),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(free_port()),
        "GLOO_SOCKET_IFNAME": "lo",
        "HF_HUB_OFFLINE": "1",
        "ACCELERATE_USE_CPU": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    command = [sys.executable, "-m", module, *arguments]
    children = [
        subprocess.Popen(command, env={**os.environ, **shared, "RANK": str(rank), "LOCAL_RANK": str(rank)})
        for rank in range(ranks)
    ]
    failed = [child.args for child in children if child.wait() != 0]
    if failed:
        raise subprocess.CalledProcessError(1, command)


def join() -> None:
    """Join the other ranks, if any."""
    torch.set_num_threads(1)
    if WORLD > 1:
        dist.init_process_group("gloo")


def average_gradients(parameters: Iterable[torch.nn.Parameter]) -> None:
    """Replace each gradient by its mean over the ranks."""
    if WORLD == 1:
        return
    with_gradient = [p for p in parameters if p.grad is not None]
    flat = torch.cat([p.grad.flatten() for p in with_gradient if p.grad is not None])
    dist.all_reduce(flat)
    flat /= WORLD
    start = 0
    for parameter in with_gradient:
        parameter.grad.copy_(flat[start : start + parameter.numel()].view_as(parameter))
        start += parameter.numel()


def cosine(step: int, steps: int, warmup: int, floor: float = 0.02) -> float:
    """Learning-rate factor: linear warm-up, then cosine down to `floor`."""
    if step < warmup:
        return (step + 1) / warmup
    done = (step - warmup) / max(1, steps - warmup)
    return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * done))


class OtherRanks(RuntimeError):
    """A run's checkpoints are not of this number of ranks; the message says what to do."""


class Clock:
    """What a stage has spent; `before`: up to the checkpoint from which a killed run goes on."""

    def __init__(self, before: Mapping[str, float]) -> None:
        self.before, self.began = before, (time.process_time(), time.time())

    def read(self) -> dict[str, float]:
        """CPU-seconds of all ranks and wall seconds, by the names that the progress file has."""
        spent = {
            "cpu_seconds": WORLD * (time.process_time() - self.began[0]),
            "wall_seconds": time.time() - self.began[1],
        }
        return {name: self.before.get(name, 0.0) + seconds for name, seconds in spent.items()}


def step_of(checkpoint: Path | None) -> int:
    """Of the trainer's checkpoint-N; 0 where there is none."""
    return int(checkpoint.name.removeprefix("checkpoint-")) if checkpoint else 0


def newest_checkpoint(folder: Path) -> Path | None:
    """The last checkpoint that was written whole, by every rank. Rank 0 removes what a kill left half written.

    One without the random state of some rank is renamed to incomplete-N. Raises OtherRanks where there is no other: it
    may be whole, of another number of ranks, and beginning anew would throw it away.
    """
    whole: list[tuple[int, Path]] = []
    lacking: list[tuple[int, Path]] = []
    for path in folder.glob("checkpoint-*"):
        step = step_of(path)
        try:  # the first rank writes the trainer's state last, the others may not be done then
            written = json.loads((path / "trainer_state.json").read_text())["global_step"] == step
        except (OSError, ValueError, KeyError):
            written = False
        if written and all(zipfile.is_zipfile(path / name) for name in _random_states()):
            whole.append((step, path))
        elif written:
            lacking.append((step, path))
        elif not RANK:
            shutil.rmtree(path)
    if lacking and not whole:
        raise OtherRanks(
            f"{max(lacking)[1]} lacks the random state of some of {WORLD} ranks, and there is no other checkpoint. If "
            f"another number of ranks wrote it, start that number again; to begin anew delete {folder}"
        )
    if not RANK:
        _put_aside(lacking)
    return max(whole)[1] if whole else None


def _put_aside(lacking: Iterable[tuple[int, Path]]) -> None:
    for step, path in lacking:
        aside = path.with_name(f"incomplete-{step}")
        shutil.rmtree(aside, ignore_errors=True)
        path.rename(aside)
        print(f"{path} lacks the random state of some of {WORLD} ranks: renamed to {aside.name}", flush=True)


def _random_states() -> list[str]:
    """What torch.save leaves for each of several ranks; cut off by a kill it is no zip file."""
    return [f"rng_state_{rank}.pth" for rank in range(WORLD)] if WORLD > 1 else []
