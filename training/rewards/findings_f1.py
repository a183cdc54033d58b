"""F1 over the conditions two reports state as present: the term that keeps a policy from writing every film normal.

Micro over positives within one report: 2 TP / (said + true), each condition once, sides left to `agreement`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from model.findings import Finding
from training.rewards.batch import Sample, Scores, scores
from training.rewards.reading import claims, is_empty, statements

Uncertain = Literal["half", "present", "ignore"]
Weights = dict[str, float]
_COLUMNS = ("precision", "recall", "hit", "said", "true")


@dataclass(frozen=True)
class FindingsF1:
    """F1 per report, 0 … 1.

    uncertain: what "possible pneumonia" counts as. "half" (default): half a statement on either side, so that hedging
    everything pays neither as a hit nor as a free guess; "present": a full one (CheXbert's F1 maps uncertain to
    positive); "ignore": the condition is left out of both reports where either is unsure (a policy can then escape
    by hedging: for evaluation only).
    No positives on either side: 1, the films agree in being normal. An empty prediction is 0. Missing where the
    reference is empty. Components hit, said, true are the counts, for a corpus-wide micro F1.
    """

    uncertain: Uncertain = "half"
    name: str = field(default="findings_f1")

    def __post_init__(self) -> None:
        if self.uncertain not in get_args(Uncertain):
            raise ValueError(f"findings_f1: uncertain must be one of {get_args(Uncertain)}, not {self.uncertain!r}")

    def __call__(self, batch: Sequence[Sample]) -> Scores:
        """0 … 1 per sample; see the class."""
        counted = [self._counts(one) for one in batch]
        return scores(
            [None if row is None else row["f1"] for row in counted],
            {name: [None if row is None else row.get(name) for row in counted] for name in _COLUMNS},
        )

    def _counts(self, one: Sample) -> Weights | None:
        if is_empty(one.reference):
            return None
        said, true = stated(claims(one.prediction)), stated(statements(one.reference))
        if self.uncertain == "ignore":
            unsure = {name for side in (said, true) for name, weight in side.items() if weight == _HALF}
            said, true = ({k: v for k, v in side.items() if k not in unsure} for side in (said, true))
        if self.uncertain == "present":
            said, true = dict.fromkeys(said, 1.0), dict.fromkeys(true, 1.0)
        return _f1(said, true, empty=is_empty(one.prediction))


_HALF = 0.5


def stated(findings: Iterable[Finding]) -> Weights:
    """Condition → 1 stated as present, 0.5 only as possible. A firm statement outweighs a hedged one."""
    weights: Weights = {}
    for found in findings:
        weight = {"present": 1.0, "uncertain": _HALF}.get(found.presence)
        if weight:
            weights[found.condition] = max(weight, weights.get(found.condition, 0.0))
    return weights


def _f1(said: Weights, true: Weights, empty: bool) -> Weights:
    hit = sum(min(weight, true.get(name, 0.0)) for name, weight in said.items())
    n_said, n_true = sum(said.values()), sum(true.values())
    row = {"hit": hit, "said": n_said, "true": n_true}
    if n_said:
        row["precision"] = hit / n_said
    if n_true:
        row["recall"] = hit / n_true
    agreed = 0.0 if empty else 1.0
    return row | {"f1": 2 * hit / (n_said + n_true) if n_said + n_true else agreed}
