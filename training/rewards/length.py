"""Two-sided length term: precision-type rewards shrink reports, matched-count judges and LLM judges inflate them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from training.rewards.batch import Sample, Scores, scores
from training.rewards.reading import is_empty, words


@dataclass(frozen=True)
class Length:
    """min(1, plateau · min(r, 1 / r)) with r = (words of prediction + slack) / (words of reference + slack); 0 … 1.

    Symmetric in the logarithm, flat while the lengths are within a factor of `plateau`, then falling as 1 / r (the
    remedy LC-GREEN uses on one side), never flat again: there is always a way back. slack: words, so that "Normal
    chest." against "No acute abnormality." is no question of length. Headings are not counted, what stands under them
    is, under any of them. An empty prediction is 0; missing where the reference is empty. Component ratio, without
    the slack.
    """

    plateau: float = 1.25
    slack: int = 5
    name: str = "length"

    def __post_init__(self) -> None:
        if self.plateau < 1:
            raise ValueError(f"length: plateau is a factor of at least 1, not {self.plateau}")
        if self.slack < 0:
            raise ValueError(f"length: slack is a number of words, 0 or more, not {self.slack}")

    def __call__(self, batch: Sequence[Sample]) -> Scores:
        """0 … 1 per sample; see the class."""
        counts = [(len(words(one.prediction)), len(words(one.reference))) for one in batch]
        ratios = [said / wanted if wanted else None for said, wanted in counts]
        values = [self._value(one, *pair) for one, pair in zip(batch, counts, strict=True)]
        return scores(values, {"ratio": ratios})

    def _value(self, one: Sample, said: int, wanted: int) -> float | None:
        if is_empty(one.reference) or is_empty(one.prediction):
            return None if is_empty(one.reference) else 0.0
        ratio = (said + self.slack) / (wanted + self.slack)
        return min(1.0, self.plateau * min(ratio, 1 / ratio))
