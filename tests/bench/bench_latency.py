"""Time from the last image to `ready`, beyond the quiet period and the model's own time, on the embedded stack.

usage: python -m tests.bench.bench_latency [--studies 30] [--json OUT]

Each study has one prior that was received before. Quiet period and model time are subtracted: the first is the
configured wait, the second is what the worker measured around the model's call.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.bench.spread import p95
from tests.builders.phantoms import patient_films
from tests.e2e.stack import Stack
from tests.peers import dcmtk

QUIET = 1.0


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bench_latency")
    parser.add_argument("--studies", type=int, default=30)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        results = measure(Path(folder), options.studies)
    summary = summarise(results)
    sys.stdout.write(json.dumps(summary, indent=2) + "\n")
    if options.json:
        options.json.write_text(json.dumps({**summary, "studies": results}, indent=2))


def measure(folder: Path, studies: int) -> list[dict[str, float]]:
    stack = Stack(folder, f"sqlite:///{folder}/record.db", quiet_seconds=QUIET)
    stack.start()
    try:
        with stack.client() as reader:
            return [one_study(stack, reader, folder, number) for number in range(studies)]
    finally:
        stack.stop()


def one_study(stack: Stack, reader: Any, folder: Path, number: int) -> dict[str, float]:
    """Seconds of one study's road; its prior is drafted before, so that nothing else runs."""
    prior, current = patient_films(folder, f"LATENCY-{number}", seed=number, edge=2048)
    for film in (prior, current):
        dcmtk.send(stack.dicom_port, film.path)
        study = reader.wait_for(film.study_instance_uid, "ready")
    assert study["priors"]["outcome"] == "found"
    [timeline] = json.loads(stack.unirg("trace", current.study_instance_uid, "--json").stdout)
    moments = {moment["action"]: moment for moment in timeline["moments"]}
    total = seconds_between(moments["instance.stored"], moments["study.draft_written"])
    model = float(moments["study.draft_written"]["detail"]["model_seconds"])
    return {"total": total, "quiet": QUIET, "model": model, "service": total - QUIET - model}


def seconds_between(first: dict[str, Any], last: dict[str, Any]) -> float:
    return (datetime.fromisoformat(last["at"]) - datetime.fromisoformat(first["at"])).total_seconds()


def summarise(results: list[dict[str, float]]) -> dict[str, Any]:
    service = [result["service"] for result in results]
    return {
        "n": len(results),
        "service_seconds_median": round(statistics.median(service), 3),
        "service_seconds_p95": round(p95(service), 3),
        "model_seconds_median": round(statistics.median(result["model"] for result in results), 3),
    }


if __name__ == "__main__":
    main(sys.argv[1:])
