"""C-ECHO, each on an association of its own: our receiver against pynetdicom with all its contexts, and DCMTK.

``python -m tests.bench.bench_echo [--echoes 40] [--rounds 5] [--json OUT]``

The client is a plain socket without sleeps; it proposes what a modality proposes. Receivers take turns.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.bench.receivers import Receiver, Running, receivers
from tests.intake.modality import echo_ok

GOAL = 5.0
OURS, STOCK = "ours", "pynetdicom, all contexts"
PYNETDICOM = Receiver(STOCK, lambda _, port: [sys.executable, "-m", "tests.bench.stock_pynetdicom", str(port)], {})


def block(server: Running, echoes: int) -> tuple[list[float], float]:
    """Milliseconds of each associate + echo + release, and the receiver's CPU milliseconds for one."""
    cpu, times = server.cpu_ms(), []
    for _ in range(echoes):
        started = time.perf_counter()
        if not echo_ok(server.port):
            raise RuntimeError("a C-ECHO was refused")
        times.append((time.perf_counter() - started) * 1000)
    return times, (server.cpu_ms() - cpu) / echoes


def measure(folder: Path, echoes: int, rounds: int) -> dict[str, dict[str, float]]:
    compared = [receivers()[OURS], PYNETDICOM, receivers()["storescp tuned"]]
    with ExitStack() as stack:
        running = {
            one.name: stack.enter_context(Running(one, folder / str(number))) for number, one in enumerate(compared)
        }
        for server in running.values():
            block(server, 5)
        blocks = [(name, *block(server, echoes)) for _ in range(rounds) for name, server in running.items()]
    return {name: _summary([entry for entry in blocks if entry[0] == name]) for name in running}


def _summary(blocks: list[tuple[str, list[float], float]]) -> dict[str, float]:
    every = sorted(value for _, times, _ in blocks for value in times)
    middle = [statistics.median(times) for _, times, _ in blocks]
    return {
        "ms_median": round(statistics.median(middle), 2),
        "ms_fastest_block": round(min(middle), 2),
        "ms_slowest_block": round(max(middle), 2),
        "ms_p95": round(every[int(len(every) * 0.95)], 2),
        "cpu_ms": round(statistics.median(cpu for _, _, cpu in blocks), 2),
    }


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bench_echo", description=__doc__)
    parser.add_argument("--echoes", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), options.echoes, options.rounds)
    times_faster = round(figures[STOCK]["ms_median"] / figures[OURS]["ms_median"], 1)
    result = {"receivers": figures, "times_faster_than_pynetdicom": times_faster, "goal_met": times_faster >= GOAL}
    sys.stdout.write(json.dumps(result, indent=2) + "\n")
    if options.json:
        options.json.write_text(json.dumps(result, indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
