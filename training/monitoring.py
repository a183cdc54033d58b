"""What is watched while a policy is trained on rewards: is it getting better, or is it collapsing?

`watch` reads one step's rollouts; `Progress` keeps every step in a JSON-lines file that survives a kill, and from which
the stop rules and the run report are computed. TensorBoard gets the same figures through the trainer.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from model.findings import Finding
from training.rewards.batch import Sample, Scores
from training.rewards.prior_claims import comparisons, similarity
from training.rewards.reading import claims, statements, words

Figures = dict[str, float]
_FILE = "progress.jsonl"


def _mean(values: Iterable[float]) -> float:
    kept = [value for value in values if not math.isnan(value)]
    return sum(kept) / len(kept) if kept else math.nan


def conditions(text: str) -> set[str]:
    """Conditions that findings and impression state as present."""
    return _present(statements(text))


def claimed(text: str) -> set[str]:
    """Conditions that a prediction states as present, under any heading."""
    return _present(claims(text))


def _present(findings: Iterable[Finding]) -> set[str]:
    return {str(found.condition) for found in findings if found.presence == "present"}


def duplicate_share(texts: Sequence[str]) -> float:
    """Share of texts that stand more than once among them, 0 … 1."""
    counts = Counter(texts)
    return sum(counts[text] > 1 for text in texts) / len(texts) if texts else 0.0


def length_ratio(batch: Sequence[Sample]) -> float:
    """All generated words over all reference words, whatever heading they stand under."""
    return sum(len(words(one.prediction)) for one in batch) / max(1, sum(len(words(one.reference)) for one in batch))


def condition_recall(batch: Sequence[Sample]) -> Figures:
    """Share of the references' present conditions that the rollouts state too, by condition and "all"."""
    wanted: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for one in batch:
        true = conditions(one.reference)
        wanted.update(true)
        found.update(true & claimed(one.prediction))
    recall = {name: found[name] / count for name, count in sorted(wanted.items())}
    return recall | {"all": found.total() / wanted.total() if wanted else math.nan}


def watch(batch: Sequence[Sample], rollouts: int) -> Figures:
    """Figures of one step; the batch is whole groups of `rollouts` completions per prompt, in order.

    Shares of duplicates are among the first completions of different prompts, references likewise, each from 0 to 1.
    """
    firsts = batch[::rollouts]
    alone = [one for one in batch if not one.has_prior]
    told = [one for one in batch if one.prior_report]
    figures = {
        "length_ratio": length_ratio(batch),
        "no_finding_share": _mean(float(not claimed(one.prediction)) for one in batch),
        "no_finding_share_reference": _mean(float(not conditions(one.reference)) for one in firsts),
        "duplicate_share": duplicate_share([one.prediction for one in firsts]),
        "duplicate_share_reference": duplicate_share([one.reference for one in firsts]),
        "prior_similarity": _mean(similarity(one.prediction, one.prior_report or "") for one in told),
        "prior_similarity_reference": _mean(similarity(one.reference, one.prior_report or "") for one in told),
        "comparison_without_prior": _mean(float(comparisons(one.prediction) > 0) for one in alone),
    }
    return figures | {f"recall/{name}": value for name, value in condition_recall(batch).items()}


def reward_figures(scored: Scores) -> Figures:
    """Mean of every component where it is present, and the share that is missing."""
    means = {f"reward/{name}": _mean(column.tolist()) for name, column in scored.components.items()}
    return means | {"reward/composite": _mean(scored.values.tolist()), "reward/missing": float(np.mean(scored.missing))}


class Progress:
    """The figures of every step of one run, in OUT/progress.jsonl; a resumed run drops the steps it repeats."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / _FILE
        folder.mkdir(parents=True, exist_ok=True)

    def resume(self, step: int) -> None:
        """Keep the figures up to and including `step`."""
        kept = [row for row in self.rows() if row["step"] <= step]
        part = self.path.with_suffix(".part")
        part.write_text("".join(json.dumps(row) + "\n" for row in kept))
        part.replace(self.path)

    def add(self, step: int, figures: Mapping[str, Any]) -> None:
        """Append one step; figures that are not numbers, or not finite, are left out."""
        kept = {k: float(v) for k, v in figures.items() if isinstance(v, int | float) and math.isfinite(v)}
        with self.path.open("a") as file:
            file.write(json.dumps({"step": step, **kept}) + "\n")

    def rows(self) -> list[dict[str, float]]:
        """All steps in order; a last line cut off by a kill is not one."""
        if not self.path.exists():
            return []
        return [json.loads(line) for line in self.path.read_text().splitlines(keepends=True) if line.endswith("\n")]


def column(rows: Sequence[Mapping[str, float]], name: str) -> tuple[list[float], list[float]]:
    """Steps and values of one figure, where it is present."""
    return [row["step"] for row in rows if name in row], [row[name] for row in rows if name in row]
