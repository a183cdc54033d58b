"""Does the checkpoint read its films? Drafts of held-out phantom studies, scored from their text.

usage: python -m training.evaluate.phantoms --checkpoint DIR [--run RUN.toml] [--json FILE] [--limit N]

Unpatched transformers generation, the checkpoint's own processor, weights loaded to fp32. Half of the studies come
with a prior. `swapped` gives every prompt the films of another study: what is left is what the text alone, or luck,
explains. `dicom_route` renders films at 1280 px as DX objects, reads them back through model/imaging.py and compares
findings.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForImageTextToText, AutoProcessor

from model import findings as read
from model.imaging import to_model_image
from training.config import RUNS, Run, load_run
from training.evaluate.drafts import Case, phantom_cases, swapped, write_drafts
from training.evaluate.scores import summary
from training.phantom.dicom import StudyIdentity, dx_dataset

_DICOM_STUDIES = 40
_ALONE = 20


def load(checkpoint: Path) -> tuple[Any, Any]:
    """Model (fp32, evaluation mode) and processor."""
    model = AutoModelForImageTextToText.from_pretrained(checkpoint, dtype=torch.float32).eval()
    return model, AutoProcessor.from_pretrained(checkpoint)


def through_dicom(case: Case, size: int) -> Case:
    """The same case, its films written as DX at 1280 px and read by the service's imaging."""
    who = StudyIdentity("P", "P^P", date(1960, 1, 1), case.study.patient.sex, datetime(2020, 1, 1), "A")  # noqa: DTZ001
    scenes = [scene for scene in (case.study.prior, case.study.current) if scene]
    films = tuple(np.asarray(to_model_image(dx_dataset(scene, who), size)) for scene in scenes)
    return replace(case, films=films)


def _agreement(
    model: Any, processor: Any, cases: Sequence[Case], drafts: Sequence[str], size: int
) -> dict[str, object]:
    step = max(1, len(cases) // _DICOM_STUDIES)
    rows = range(0, len(cases), step)
    again = write_drafts(model, processor, [through_dicom(cases[i], size) for i in rows])
    same = [read.present(text) == read.present(drafts[i]) for text, i in zip(again, rows, strict=True)]
    scored = summary(again, [cases[i] for i in rows])
    return {"studies": len(same), "same_findings": sum(same), "findings_micro_f1": scored["findings_micro_f1"]}


def _one_by_one(model: Any, processor: Any, cases: Sequence[Case], drafts: Sequence[str]) -> dict[str, int]:
    """Batches are padded on the left; a study drafted alone must give the same text."""
    rows = range(0, len(cases), max(1, len(cases) // _ALONE))
    alone = write_drafts(model, processor, [cases[i] for i in rows], batch=1)
    return {"studies": len(alone), "same_text": sum(text == drafts[i] for text, i in zip(alone, rows, strict=True))}


def evaluate(checkpoint: Path, run: Run, limit: int | None = None) -> dict[str, Any]:
    """All figures of the card; also returns the drafts under "drafts"."""
    data, start = run.phantoms, time.time()
    singles, pairs = (data.heldout_singles, data.heldout_pairs) if limit is None else (limit // 2, limit - limit // 2)
    model, processor = load(checkpoint)
    cases = phantom_cases(data.heldout_seed, singles, pairs, data.prior_report_rate, data.sites)
    drafts = write_drafts(model, processor, cases)
    others = swapped(cases)
    lone = [i for i, case in enumerate(cases) if case.study.prior is None]
    paired = [i for i, case in enumerate(cases) if case.study.prior is not None]
    told = [i for i in paired if "Prior report:" in cases[i].prompt.text]

    def part(rows: Sequence[int]) -> dict[str, object]:
        return summary([drafts[i] for i in rows], [cases[i] for i in rows])

    return {
        "heldout_seed": data.heldout_seed,
        "all": summary(drafts, cases),
        "swapped": summary(write_drafts(model, processor, others), others),
        "without_prior": part(lone),
        "with_prior": part(paired),
        "with_prior_and_report": part(told),
        "with_prior_film_only": part([i for i in paired if i not in set(told)]),
        "dicom_route": _agreement(model, processor, cases, drafts, run.sizes.image_size),
        "drafted_alone": _one_by_one(model, processor, cases, drafts),
        "wall_seconds": round(time.time() - start),
        "drafts": drafts,
    }


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.evaluate.phantoms", description="Score a checkpoint.")
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--run", type=Path, default=RUNS / "nano-first.toml")
    parser.add_argument("--json", type=Path, default=None, help="write figures and drafts here")
    parser.add_argument("--limit", type=int, default=None, help="fewer studies, for a quick look")
    return parser.parse_args(argv)


def main(argv: list[str]) -> None:
    """Command line; see the module's docstring."""
    options = _arguments(argv)
    result = evaluate(options.checkpoint, load_run(options.run), options.limit)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1))
    print(json.dumps({key: value for key, value in result.items() if key != "drafts"}, indent=1))


if __name__ == "__main__":
    main(sys.argv[1:])
