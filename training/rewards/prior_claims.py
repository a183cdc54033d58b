"""Priors: none may be spoken of that was not given, and one that was given may not be copied out.

A comparison without a prior is invented ("unchanged from prior"); it costs whatever the reference says, since public
references do compare with films the model never saw. Copying is judged beyond what the reference shares with the
prior: a stable chest is rightly reported in the same words twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from model.comparison import compares
from training.rewards.batch import Sample, Scores, scores
from training.rewards.reading import is_empty, ngrams, words, written

_N = 3


@dataclass(frozen=True)
class PriorClaims:
    """0 … 1. Without a prior: 1 / (1 + comparison sentences). With a prior report: 1 - excess copying.

    Components: comparisons, a count (only without a prior); copied, 0 … 1 (only with a prior report). An empty
    prediction earns 0. Missing where a prior film came without its report: nothing can be said by rule.
    """

    name: str = "prior_claims"

    def __call__(self, batch: Sequence[Sample]) -> Scores:
        """0 … 1 per sample; see the class."""
        claims = [None if one.has_prior else comparisons(one.prediction) for one in batch]
        copied = [
            excess_copy(one.prediction, one.reference, one.prior_report) if one.has_prior and one.prior_report else None
            for one in batch
        ]
        return scores(
            [_value(one, c, share) for one, c, share in zip(batch, claims, copied, strict=True)],
            {"comparisons": claims, "copied": copied},
        )


def _value(one: Sample, claims: int | None, copied: float | None) -> float | None:
    if is_empty(one.prediction):
        return 0.0
    if claims is not None:
        return 1 / (1 + claims)
    return None if copied is None else 1 - copied


def comparisons(text: str) -> int:
    """Sentences that speak of an earlier state, under any heading."""
    return sum(compares(span.text) for span in written(text))


def similarity(text: str, other: str) -> float:
    """Share of the text's word 3-grams that also stand in the other text, 0 … 1; 0 where it has none."""
    grams = ngrams(words(text), _N)
    elsewhere = set(ngrams(words(other), _N))
    return sum(gram in elsewhere for gram in grams) / len(grams) if grams else 0.0


def excess_copy(prediction: str, reference: str, prior: str) -> float:
    """How much more of the prediction than of the reference was already in the prior, 0 … 1."""
    return max(0.0, similarity(prediction, prior) - similarity(reference, prior))
