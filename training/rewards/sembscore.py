"""SembScore: cosine of the CheXbert embeddings of both reports (s_emb of CXR-Report-Metric, Yu et al. 2023).

The [CLS] embedding, not the fourteen labels: that is what the published code compares.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from training.rewards.batch import Sample, Scores, Values
from training.rewards.chexbert import CheXbert
from training.rewards.weights import Weights, finite


class SembScore:
    """The reward and metric `sembscore`, -1 to 1; missing where the reference is empty.

    weights: needs `chexbert` and `bert_base_uncased`. Raises MissingWeights, UnusableWeights, NotFinite.
    """

    name = "sembscore"

    def __init__(self, weights: Weights, *, device: str = "cpu", batch: int = 64) -> None:
        self.chexbert = CheXbert(weights, device=device, batch=batch)

    def cosine(self, candidates: Sequence[str], references: Sequence[str]) -> Values:
        """Similarity of each pair, float64 [n]."""
        both = self.chexbert.embeddings([*candidates, *references]).double()
        left, right = both[: len(candidates)], both[len(candidates) :]
        similar = (left * right).sum(dim=1) / (left.norm(dim=1) * right.norm(dim=1))
        return finite(similar.numpy(), self.name)

    def __call__(self, batch: Sequence[Sample]) -> Scores:
        """One cosine per sample."""
        found = self.cosine([one.prediction for one in batch], [one.reference for one in batch])
        found[[not one.reference.strip() for one in batch]] = np.nan
        return Scores(found, {self.name: found})
