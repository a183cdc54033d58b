"""BERTScore as ReXrank takes it: distilroberta-base, layer 5, F1, no idf, rescaled by the published baseline.

Zhang et al., "BERTScore: Evaluating Text Generation with BERT", ICLR 2020. Over transformers directly: the bert-score
package (last release 2023) calls tokenizer methods that transformers 5 has removed, and fetches weights by name.
Settings of CXR-Report-Metric: lang en, rescale_with_baseline, USE_IDF=False, runs of spaces collapsed.
A rescaled value is 1 for equal texts, about 0 for unrelated ones, and may be negative; -5.550 where a text is empty,
as the package has it (raw F1 0). `floor` bounds it from below where it serves as a reward.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import torch

from training.rewards.batch import Sample, Scores, Values
from training.rewards.encoder import Encoder, local_tokenizer, on_device
from training.rewards.weights import UnusableWeights, Weights, finite, locate

LAYER = 5  # of six; bert-score's model2layers["distilroberta-base"]
BASELINE_F1 = 0.8473319  # rescale_baseline/en/distilroberta-base.tsv, layer 5, column F
_SPACES = re.compile(r" +")


def greedy_f1(candidate: torch.Tensor, reference: torch.Tensor) -> float:
    """Raw F1 of token vectors [T, D] whose first and last rows are special tokens.

    Every ordinary token is matched to its most similar token of the other text, special ones included; special tokens
    weigh nothing themselves. 0 where a text has no ordinary token.
    """
    if len(candidate) <= 2 or len(reference) <= 2:
        return 0.0
    similar = torch.nn.functional.normalize(candidate, dim=-1) @ torch.nn.functional.normalize(reference, dim=-1).T
    precision = similar.max(dim=1).values[1:-1].mean()
    recall = similar.max(dim=0).values[1:-1].mean()
    return float(2 * precision * recall / (precision + recall))


def rescale(raw_f1: float) -> float:
    """(F1 - b) / (1 - b), b the mean F1 of unrelated English sentences."""
    return (raw_f1 - BASELINE_F1) / (1 - BASELINE_F1)


class BertScore:
    """The reward and metric `bertscore`; missing where the reference is empty.

    weights: needs `distilroberta`. device: torch name. floor: least value, None for the published range.
    Raises MissingWeights, UnusableWeights, NotFinite.
    """

    name = "bertscore"

    def __init__(self, weights: Weights, *, device: str = "cpu", batch: int = 64, floor: float | None = None) -> None:
        from transformers import AutoModel

        path = locate(weights, "distilroberta")
        model = AutoModel.from_pretrained(path, local_files_only=True, add_pooling_layer=False)
        if getattr(model.config, "model_type", "") != "roberta" or len(model.encoder.layer) <= LAYER:
            raise UnusableWeights(f"{path}: BERTScore's baseline is of distilroberta-base, a RoBERTa of 6 layers")
        model.encoder.layer = model.encoder.layer[:LAYER]
        self._encoder = Encoder(on_device(model, device), local_tokenizer(path), device, batch)
        self._floor = -np.inf if floor is None else floor

    def f1(self, candidates: Sequence[str], references: Sequence[str]) -> Values:
        """Rescaled F1 of each pair, float64 [n]."""
        # The leading space makes RoBERTa read the first word as it reads every other one.
        left, right = ([_prepared(text) for text in texts] for texts in (candidates, references))
        tokens = self._encoder([*left, *right], torch.clone)
        raw = [greedy_f1(tokens[a][1], tokens[b][1]) for a, b in zip(left, right, strict=True)]
        return np.maximum(finite(np.array([rescale(value) for value in raw]), self.name), self._floor)

    def __call__(self, batch: Sequence[Sample]) -> Scores:
        """One F1 per sample."""
        found = self.f1([one.prediction for one in batch], [one.reference for one in batch])
        found[[not one.reference.strip() for one in batch]] = np.nan
        return Scores(found, {self.name: found})


def _prepared(text: str) -> str:
    stripped = _SPACES.sub(" ", text).strip()
    return f" {stripped}" if stripped else ""
