"""BLEU-2 per report, the number ReXrank prints.

ReXrank's script (rajpurkarlab/CXR-Report-Metric, run_eval.py) uses fast_bleu with weights (1/2, 1/2) and its default
smoothing, which is NLTK's method 1: a bigram precision of zero becomes 0.1 / count; a unigram precision of zero gives
0. Written out here, since fast_bleu (last release 2021) no longer builds and the whole formula is ten lines.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from training.rewards.batch import Sample, Scores, scores
from training.rewards.reading import ngrams

_EPSILON = 0.1


def tokens(report: str) -> list[str]:
    """Lower case, "." made a token of its own, split on single spaces, empty pieces dropped (`prep_reports`)."""
    return [piece for piece in report.lower().replace(".", " .").split(" ") if piece]


def bleu2(prediction: str, reference: str) -> float:
    """0 … 1. Headings count as words, as they do at ReXrank: pass the text that is to be compared."""
    said, true = tokens(prediction), tokens(reference)
    unigrams, bigrams = (_matches(said, true, n) for n in (1, 2))
    if not unigrams:
        return 0.0
    precision_1 = unigrams / len(said)
    precision_2 = (bigrams or _EPSILON) / max(1, len(said) - 1)
    brevity = 1.0 if len(said) > len(true) else math.exp(1 - len(true) / len(said))
    return brevity * math.sqrt(precision_1 * precision_2)


def _matches(said: list[str], true: list[str], n: int) -> int:
    """Clipped count of common n-grams."""
    return (Counter(ngrams(said, n)) & Counter(ngrams(true, n))).total()


@dataclass(frozen=True)
class Bleu2:
    """BLEU-2 of each report; missing where the reference is empty. Blind to negation: never a reward alone."""

    name: str = "bleu2"

    def __call__(self, batch: Sequence[Sample]) -> Scores:
        """0 … 1 per sample."""
        return scores(
            [bleu2(one.prediction, one.reference) if one.reference.strip() else None for one in batch],
        )
