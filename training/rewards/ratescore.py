"""RaTEScore, a held-out evaluator: named entities of both reports, matched by meaning, weighted by kind.

Zhao et al., EMNLP 2024; MAGIC-AI4Med/RaTEScore. Entities by RaTE-NER-Deberta, vectors by BioLORD-2023-C ([CLS], 30
tokens), kinds weighted by the published "long" affinity matrix, a match across negation by its `neg_weight`.
Departure: sentences are split by model/report_text.py, not by medspaCy's PyRuSH, so a third decimal may differ.
0.5 where either side has no entity, as published: free to whoever writes nothing, so it is no reward here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from model.report_text import sentences
from training.rewards.batch import Sample, Scores
from training.rewards.encoder import Encoder, local_tokenizer, on_device
from training.rewards.weights import UnusableWeights, Weights, finite, locate

KINDS = ("ABNORMALITY", "NON-ABNORMALITY", "DISEASE", "NON-DISEASE", "ANATOMY")
NO_ENTITY = 0.5
_ENTITY_TOKENS = 30
_SHORTEST = 3  # characters of a sentence that may hold an entity

Entity = tuple[str, str]  # text, kind
Affinity = Mapping[tuple[str, str], float]


def directed(
    vectors: torch.Tensor, kinds: Sequence[str], others: torch.Tensor, other_kinds: Sequence[str], affinity: Affinity
) -> float:
    """Weighted mean over entities [n, D] of the cosine with the nearest of the others [m, D].

    The weight is affinity[kind, kind of the nearest]; across negation the cosine counts by affinity["NEG", "WEIGHT"].
    """
    similar = torch.nn.functional.normalize(vectors, dim=1) @ torch.nn.functional.normalize(others, dim=1).T
    best = similar.max(dim=1)
    met = [other_kinds[index] for index in best.indices.tolist()]
    weights = [affinity[kind, other] for kind, other in zip(kinds, met, strict=True)]
    flips = [affinity["NEG", "WEIGHT"] if negated(kind, other) else 1.0 for kind, other in zip(kinds, met, strict=True)]
    total = sum(
        cosine * weight * flip for cosine, weight, flip in zip(best.values.tolist(), weights, flips, strict=True)
    )
    return total / sum(weights) if sum(weights) else 0.0


def negated(kind: str, other: str) -> bool:
    """One side says present, the other absent; anatomy is neither."""
    return "ANATOMY" not in (kind, other) and kind.startswith("NON-") != other.startswith("NON-")


def spans(labels: Sequence[str]) -> Iterator[tuple[int, int, str]]:
    """(first, last, kind) of each entity in IOB labels; a stray I- begins none, and an entity keeps its first kind."""
    start: int | None = None
    for index, label in enumerate([*labels, "O"]):
        if start is not None and not label.startswith("I-"):
            yield start, index - 1, labels[start][2:]
            start = None
        if label.startswith("B-"):
            start = index


class RaTEScore:
    """The evaluator `ratescore`, 0 to 1; missing where the reference is empty.

    weights: needs `rate_ner`, `biolord` and `rate_affinity`. Raises MissingWeights, UnusableWeights, NotFinite.
    Component `ratescore_no_entity` is 1 where the value is the published 0.5 for want of an entity.
    """

    name = "ratescore"

    def __init__(self, weights: Weights, *, device: str = "cpu", batch: int = 64) -> None:
        from transformers import AutoModel, AutoModelForTokenClassification

        ner, biolord = locate(weights, "rate_ner"), locate(weights, "biolord")
        self._affinity = read_affinity(locate(weights, "rate_affinity"))
        self._ner = on_device(AutoModelForTokenClassification.from_pretrained(ner, local_files_only=True), device)
        self._labels = _kinds(self._ner.config.id2label, ner)
        self._tokenizer, self._device, self._batch = local_tokenizer(ner), device, batch
        vectors = on_device(AutoModel.from_pretrained(biolord, local_files_only=True), device)
        self._encoder = Encoder(vectors, local_tokenizer(biolord), device, batch, _ENTITY_TOKENS)

    def entities(self, report: str) -> list[Entity]:
        """Each entity's text and kind, in order."""
        texts = [one.text for one in sentences(report) if len(one.text) >= _SHORTEST]
        starts = range(0, len(texts), self._batch)
        return [entity for start in starts for entity in self._of_sentences(texts[start : start + self._batch])]

    def score(self, candidate: Sequence[Entity], reference: Sequence[Entity]) -> float:
        """F1 of the two directions, 0.5 where either side has no entity."""
        if not candidate or not reference:
            return NO_ENTITY
        vectors = self._encoder.first_tokens([text for text, _ in (*candidate, *reference)])
        left, right = (torch.stack([vectors[text] for text, _ in side]) for side in (candidate, reference))
        kinds, others = [kind for _, kind in candidate], [kind for _, kind in reference]
        recall = directed(right, others, left, kinds, self._affinity)
        precision = directed(left, kinds, right, others, self._affinity)
        return 2 * precision * recall / (precision + recall) if precision + recall else 0.0

    def __call__(self, batch: Sequence[Sample]) -> Scores:
        """One score per sample; each distinct text is read once."""
        read = {text: self.entities(text) for one in batch for text in {one.prediction, one.reference}}
        pairs = [(read[one.prediction], read[one.reference]) for one in batch]
        found = finite(np.array([self.score(*pair) for pair in pairs], dtype=np.float64), self.name)
        without = np.array([float(not all(pair)) for pair in pairs])
        found[[not one.reference.strip() for one in batch]] = np.nan
        return Scores(found, {self.name: found, "ratescore_no_entity": without})

    def _of_sentences(self, texts: list[str]) -> Iterator[Entity]:
        rows = self._tokenizer(texts, padding=True, truncation=True, max_length=512, return_tensors="pt")
        with torch.inference_mode():
            best = self._ner(**rows.to(self._device)).logits.argmax(dim=2).cpu()
        for ids, mask, labels in zip(rows["input_ids"].cpu(), rows["attention_mask"].bool().cpu(), best, strict=True):
            inner = ids[mask][1:-1].tolist()
            for first, last, kind in spans([self._labels[label] for label in labels[mask][1:-1].tolist()]):
                yield self._tokenizer.decode(inner[first : last + 1]).strip(), kind


def read_affinity(path: Path) -> Affinity:
    """The published matrix: JSON {"disease_anatomy": 0.99…, …, "neg_weight": 0.87…}. Raises UnusableWeights."""
    try:
        raw: dict[str, Any] = json.loads(path.read_text())
        table = {tuple(key.upper().split("_")): float(value) for key, value in raw.items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise UnusableWeights(f"{path} is no JSON object of numbers: {error}") from error
    lacking = [pair for pair in [("NEG", "WEIGHT"), *((a, b) for a in KINDS for b in KINDS)] if pair not in table]
    if lacking:
        raise UnusableWeights(
            f"{path} has no entry for {'_'.join(lacking[0]).lower()}; take affinity_matrix/long_weight.json"
        )
    return table  # type: ignore[return-value]


def _kinds(names: Mapping[int, str], path: Path) -> list[str]:
    labels = [names[index].upper() for index in range(len(names))]
    strange = sorted({label[2:] for label in labels if label != "O"} - set(KINDS))
    if strange:
        raise UnusableWeights(f"{path} labels {strange[0]}, which RaTEScore does not know; expected {', '.join(KINDS)}")
    return labels
