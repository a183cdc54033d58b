"""Repetition beyond what the reference does: an impression rightly repeats the findings, a loop does not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from training.rewards.batch import Sample, Scores, scores
from training.rewards.reading import is_empty, ngrams, words, written

_N = 3


@dataclass(frozen=True)
class Repetition:
    """0 … 1: the smaller of two shares, each relative to the reference's own and at most 1.

    Shares: different word 3-grams / all 3-grams (CXRMate-2's ARN), different sentences / all sentences; they are the
    components distinct_3grams and distinct_sentences (absolute). An empty prediction is 0; never missing.
    """

    name: str = "repetition"

    def __call__(self, batch: Sequence[Sample]) -> Scores:
        """0 … 1 per sample; see the class."""
        grams = [distinct_3grams(one.prediction) for one in batch]
        lines = [distinct_sentences(one.prediction) for one in batch]
        return scores(
            [_value(one, g, s) for one, g, s in zip(batch, grams, lines, strict=True)],
            {"distinct_3grams": grams, "distinct_sentences": lines},
        )


def _value(one: Sample, grams: float, lines: float) -> float:
    if is_empty(one.prediction):
        return 0.0
    return min(1.0, grams / distinct_3grams(one.reference), lines / distinct_sentences(one.reference))


def distinct_3grams(text: str) -> float:
    """Share of non-repeated word 3-grams, 1 where there is none."""
    return _distinct(ngrams(words(text), _N))


def distinct_sentences(text: str) -> float:
    """Share of non-repeated sentences of all sections, case and full stops aside; 1 where there is none."""
    return _distinct([span.text.lower().strip(" .") for span in written(text)])


def _distinct(items: Sequence[object]) -> float:
    return len(set(items)) / len(items) if items else 1.0
