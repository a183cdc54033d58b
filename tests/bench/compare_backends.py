"""Do vLLM and transformers write the same drafts? Both gateways of the service on the held-out phantom studies.

usage: python -m tests.bench.compare_backends [--studies 500] [--json OUT]; exit code 1 where a text differs.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from app.domain.report import DraftInputs
from app.gateways.transformers_local import TransformersModel
from app.gateways.vllm import VllmModel
from app.ports import DraftModel
from model.manifest import load_checkpoint
from tests.peers.vllm import API_KEY, running_vllm
from training.config import RUNS, load_run
from training.evaluate.drafts import Case, phantom_cases

AT_ONCE = 4
DEADLINE_SECONDS = 300


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.compare_backends")
    parser.add_argument("--studies", type=int, default=500)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(argv)
    data = load_run(RUNS / "nano-first.toml").data
    half = options.studies // 2
    cases = phantom_cases(data.heldout_seed, options.studies - half, half, data.prior_report_rate)
    inputs = [inputs_of(case) for case in cases]
    checkpoint = load_checkpoint("unirg-cxr-nano")
    with tempfile.TemporaryDirectory() as folder, running_vllm(checkpoint, Path(folder), api_key=API_KEY) as server:
        remote = VllmModel(checkpoint, server.url, api_key=API_KEY, deadline_seconds=DEADLINE_SECONDS)
        served = texts(remote, inputs, AT_ONCE)
    local = texts(TransformersModel(checkpoint, threads=2, deadline_seconds=DEADLINE_SECONDS), inputs, 1)
    different = [number for number, (one, other) in enumerate(zip(served, local, strict=True)) if one != other]
    summary = {"weights": checkpoint.weights_digest(), "studies": len(cases), "identical": len(cases) - len(different)}
    sys.stdout.write(json.dumps({**summary, "different": different}, indent=2) + "\n")
    if options.json:
        options.json.write_text(json.dumps({**summary, "different": different}, indent=2))
    return 1 if different else 0


def inputs_of(case: Case) -> DraftInputs:
    """What the drafting stage would hand over."""
    indication = case.study.indication or ""
    if case.prior is None:
        return DraftInputs(png(case.films[-1]), indication)
    prior_date = f"{case.prior.study_date:%Y%m%d}"
    return DraftInputs(png(case.films[-1]), indication, png(case.films[0]), prior_date, case.prior.report or "")


def png(film: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(film).save(file, "PNG")
    return file.getvalue()


def texts(model: DraftModel, inputs: Sequence[DraftInputs], at_once: int) -> list[str]:
    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(lambda one: model.draft(one).text, inputs))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
