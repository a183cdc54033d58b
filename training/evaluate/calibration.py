"""Is a sentence's confidence worth anything? Token probability against whether the sentence's findings are right.

Confidence is exp(mean log probability of the sentence's tokens), the figure the service shows beside a draft sentence.
A sentence is right if every finding it states is: a present one is present in the reference (on that side, where it
names one), an absent one is not, a stated change is the reference's change. Sentences without a finding, and those that
only suspect one, are not judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.findings import Finding, changes, present, read_findings, sides
from model.report_text import mean_logprobs, sentences
from training.evaluate.cases import Draft
from training.evaluate.resampling import DRAWS, Numbers, finite

BINS = 10


@dataclass(frozen=True, slots=True)
class Judged:
    """One sentence: its confidence (0 to 1), whether its findings are right, and the study it is of."""

    confidence: float
    right: bool
    study: str


def judge(draft: Draft, reference: str, study: str) -> list[Judged]:
    """The sentences of one draft that can be judged."""
    spans = [span for span in sentences(draft.text) if span.section != "other"]
    logs = mean_logprobs(draft.text, draft.tokens, spans)
    judged = []
    for span, log in zip(spans, logs, strict=True):
        found = [one for one in read_findings(span.text) if one.presence != "uncertain"]
        if found and log is not None:
            judged.append(Judged(float(np.exp(log)), all(_right(one, reference) for one in found), study))
    return judged


def _right(found: Finding, reference: str) -> bool:
    true = {side for condition, side in present(reference) if condition == found.condition}
    there = [bool(true) and (side is None or None in true or side in true) for side in sides(found)]
    if found.change and (found.condition, found.change) not in {(one[0], one[-1]) for one in changes(reference)}:
        return False
    return all(there) if found.presence == "present" else not any(there)


def auroc(confidence: Numbers, right: np.ndarray) -> float | None:
    """Chance that a right sentence is more confident than a wrong one, ties counted half; None without both kinds."""
    positives = int(right.sum())
    negatives = len(right) - positives
    if not positives or not negatives:
        return None
    _, place, many = np.unique(confidence, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(many) - (many - 1) / 2)[place]  # mean rank of ties, from 1
    return float((ranks[right].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def reliability(confidence: Numbers, right: np.ndarray) -> list[dict[str, float | int]]:
    """Bins of equal width that hold sentences: n, mean confidence, share right."""
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return [
        {
            "n": int((place == k).sum()),
            "confidence": float(confidence[place == k].mean()),
            "right": float(right[place == k].mean()),
        }
        for k in range(BINS)
        if (place == k).any()
    ]


def expected_error(confidence: Numbers, right: np.ndarray) -> float:
    """Expected calibration error over BINS bins of equal width: mean |confidence - share right|, by sentences."""
    bins = reliability(confidence, right)
    return sum(row["n"] * abs(row["confidence"] - row["right"]) for row in bins) / len(confidence)


def calibration_section(judged: Sequence[Judged], *, seed: int, draws: int = DRAWS) -> dict[str, object]:
    """For results.json: n sentences and studies, share right, ECE and AUROC with intervals over studies, the bins."""
    if not judged:
        return {"n": 0, "studies": 0}
    confidence = np.array([one.confidence for one in judged])
    right = np.array([one.right for one in judged])
    names, study = np.unique([one.study for one in judged], return_inverse=True)
    samples = _resampled(study, len(names), seed, draws)
    errors = np.array([expected_error(confidence[rows], right[rows]) for rows in samples])
    areas = np.array([auroc(confidence[rows], right[rows]) for rows in samples], dtype=np.float64)
    area = auroc(confidence, right)
    return {
        "n": len(judged),
        "studies": len(names),
        "right": float(right.mean()),
        "ece": {"value": expected_error(confidence, right), **_ends(errors)},
        "auroc": {"value": area, **(_ends(areas) if area is not None else {"low": None, "high": None})},
        "bins": reliability(confidence, right),
    }


def _resampled(study: np.ndarray, count: int, seed: int, draws: int) -> list[np.ndarray]:
    """Sentence rows of `draws` samples of studies."""
    rng = np.random.default_rng(seed)
    rows = [np.flatnonzero(study == k) for k in range(count)]
    return [np.concatenate([rows[k] for k in rng.integers(count, size=count)]) for _ in range(min(draws, 500))]


def _ends(values: Numbers) -> dict[str, float | None]:
    usable = values[np.isfinite(values)]
    low, high = np.quantile(usable, [0.025, 0.975]) if usable.size else (np.nan, np.nan)
    return {"low": finite(low), "high": finite(high)}
