"""Prompts, targets and films of a prepared manifest, for networks that exist (manifest_sft.py, manifest_rl.py, verl/).

A study is shown with its prior film wherever it has one, with the template of what its report holds; what is drawn at
random depends on the run's seed and the study's place, so that a resumed run, and each process of a sharded one, sees
the same. Without a draw the prompt is the one that evaluation asks (evaluate/manifest_studies.py), but for studies with
findings alone, of which its split `reports` asks the whole report.
"""

from __future__ import annotations

import json
import math
import multiprocessing
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from blake3 import blake3
from datasets import Dataset
from numpy.typing import NDArray
from PIL import Image

from model.prompting import build_prompt
from model.report_text import compose
from training.config import BadRunConfig, Manifest, RlStage
from training.datasets.manifest import read_table
from training.datasets.priors import prompt_prior
from training.evaluate.manifest_studies import film_of
from training.monitoring import conditions
from training.rewards.reading import any_compares, written
from training.rl_data import Question, prompts_per_step, steps_of

_COLUMNS = (
    *("study_id", "dataset", "split", "image", "findings", "impression", "indication", "comparison", "sections"),
    *("prior_study_id", "prior_image", "prior_report", "prior_date", "labels"),
)
_READ = ("dataset", "study_id", "labels", "findings", "impression")  # what `abnormal` is made of
_NO_FINDING = frozenset({"No Finding", "Support Devices"})  # labels of films that show no disease
_MANY = 5000  # reports, from which on reading them is shared out over the machine's cores


@dataclass(frozen=True)
class Shown:
    """How often a study is shown otherwise than whole, shares from 0 to 1.

    prior_dropout: of the studies with a prior whose reference does not compare.
    """

    findings_share: float = 0.0
    prior_dropout: float = 0.0


def training_rows(manifest: Manifest, split: str = "train") -> pa.Table:
    """Reported studies of one split, with `place`, their number. Raises BadManifest; BadRunConfig for no study."""
    rows = read_table(Path(manifest.path), _COLUMNS)
    kept = pc.and_(pc.equal(rows["split"], split), pc.not_equal(rows["sections"], "none"))
    if manifest.datasets:
        kept = pc.and_(kept, pc.is_in(rows["dataset"], pa.array(manifest.datasets)))
    rows = rows.filter(kept)
    if not rows.num_rows:
        wanted = ", ".join(manifest.datasets) or "any dataset"
        raise BadRunConfig(f"{manifest.path} has no reported studies of {wanted} in split {split}; prepare it again")
    return rows.append_column("place", pa.array(range(rows.num_rows), pa.int64()))


def _local(reference: str, root: str) -> str:
    return reference if reference.startswith("phantom:") else str(Path(root) / reference)


def question(row: Mapping[str, Any], manifest: Manifest, shown: Shown, seed: int) -> Question:
    """One row of `training_rows` as a prompt with its reference; images are paths, the prior's first.

    A study with an impression alone is asked for the report, and the reference holds that section only.
    """
    rng = np.random.default_rng([seed, row["place"]])
    draws = rng.random(3)
    alone = row["sections"] == "findings" or (row["sections"] == "both" and bool(draws[2] < shown.findings_share))
    reference = compose(row["findings"] or "", "" if alone else row["impression"] or "")
    prior = prompt_prior(row)
    if prior and draws[0] >= manifest.prior_report_rate:
        prior = replace(prior, report=None)
    # A reference that compares keeps its prior: judged by it without one, an invented comparison would be rewarded.
    dropped = prior is not None and draws[1] < shown.prior_dropout and not any_compares(written(reference))
    prior = None if dropped else prior
    asked: Literal["report", "findings"] = "findings" if alone else "report"
    prompt = build_prompt(
        row["indication"],
        comparison=None if dropped else row["comparison"],
        prior=prior,
        sections="findings" if alone else "findings_and_impression",
    )
    films = ([row["prior_image"]] if prior else []) + [row["image"]]
    return Question(
        text=prompt.text,
        images=tuple(_local(film, manifest.image_root) for film in films),
        reference=reference,
        has_prior=prior is not None,
        prior_report=(prior.report or "") if prior else "",
        asked=asked,
        dataset=row["dataset"],
        study=row["study_id"],
    )


@dataclass(frozen=True)
class AsPrompts:
    """Batch of manifest columns -> batch of GRPOTrainer's columns; the transform of a `datasets.Dataset`."""

    manifest: Manifest
    shown: Shown
    seed: int

    def __call__(self, batch: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
        """Called whenever rows are read: nothing is prepared ahead."""
        rows = [dict(zip(batch, values, strict=True)) for values in zip(*batch.values(), strict=True)]
        made = [question(row, self.manifest, self.shown, self.seed).row() for row in rows]
        return {name: [one[name] for one in made] for name in made[0]}


def prompts(
    rows: pa.Table, manifest: Manifest, shown: Shown, seed: int, order: NDArray[np.int64] | None = None
) -> Dataset:
    """The studies as prompts, made when they are read; in `order` (places), where given."""
    dataset = Dataset(rows.combine_chunks())
    dataset = dataset if order is None else dataset.select(order)
    return dataset.with_transform(AsPrompts(manifest, shown, seed))


@lru_cache(maxsize=64)
def film(reference: str, size: int) -> Image.Image:
    """RGB, size x size px: a file (DICOM, PNG, JPEG) or a phantom. Raises NotAnImage, UndecodablePixels, OSError."""
    return film_of(reference)(size).convert("RGB")


def abnormal(rows: pa.Table, keep: Path) -> NDArray[np.bool_]:
    """Which studies show something: by their labels, else by their report.

    Read once and kept beside `keep`, under a name that tells what was read: other studies or reports, other file.
    """
    path = keep.with_name(f"{keep.stem}-{_digest(rows)}.npy")
    known = _kept(path)
    if known is not None and len(known) == rows.num_rows:
        return known
    labels = [_by_labels(one) for one in rows["labels"].to_pylist()]
    texts = [
        compose(findings or "", impression or "") if label is None else ""
        for label, findings, impression in zip(
            labels, rows["findings"].to_pylist(), rows["impression"].to_pylist(), strict=True
        )
    ]
    read = _read(texts)
    shown = np.array([found if label is None else label for label, found in zip(labels, read, strict=True)], bool)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    with part.open("wb") as file:
        np.save(file, shown)
    part.replace(path)
    return shown


def _digest(rows: pa.Table) -> str:
    digest = blake3()
    for batch in rows.select(_READ).combine_chunks().to_batches(10_000):
        digest.update(json.dumps(batch.to_pylist()).encode())
    return digest.hexdigest()[:16]


def _kept(path: Path) -> NDArray[np.bool_] | None:
    """None where there is none, or a damaged one."""
    try:
        known: NDArray[np.bool_] = np.load(path)
    except (OSError, ValueError, EOFError):
        return None
    return known if known.dtype == np.bool_ else None


def _by_labels(labels: Mapping[str, int | None] | None) -> bool | None:
    if not labels or all(value is None for value in labels.values()):
        return None
    return any(value == 1 for name, value in labels.items() if name not in _NO_FINDING)


def _states_something(text: str) -> bool:
    return bool(text and conditions(text))


def _read(texts: Sequence[str]) -> list[bool]:
    if sum(map(bool, texts)) < _MANY:
        return [_states_something(text) for text in texts]
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as processes:
        return list(processes.map(_states_something, texts, chunksize=500))


def stratified(stage: RlStage, shows: NDArray[np.bool_], seed: int) -> NDArray[np.int64]:
    """Places of the stage's prompts in training order, `abnormal_share` of them of films that show something.

    No study comes again before all of its kind have come; an epoch is as many prompts as there are studies.
    """
    rng = np.random.default_rng([seed, 78])
    count = steps_of(stage, len(shows)) * prompts_per_step(stage)
    chosen = rng.random(count) < stage.abnormal_share
    piles = np.flatnonzero(shows), np.flatnonzero(~shows)
    order = np.empty(count, np.int64)
    for wanted, pile, other in ((chosen, *piles), (~chosen, *piles[::-1])):
        order[wanted] = _dealt(pile if len(pile) else other, int(wanted.sum()), rng)
    return order


def _dealt(pile: NDArray[np.int64], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    passes = [rng.permutation(pile) for _ in range(math.ceil(count / len(pile)))]
    return np.concatenate(passes)[:count] if passes else pile[:0]
