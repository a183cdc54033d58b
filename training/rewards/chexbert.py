"""CheXbert: report text -> a 768-d embedding and 14 labels, from the published chexbert.pth.

Smit et al., EMNLP 2020; layout of stanfordmlgroup/CheXbert: {"model_state_dict": {"module.bert.…",
"module.linear_heads.0…13.{weight,bias}"}}, a BERT-base whose [CLS] feeds thirteen heads of 4 classes and one of 2.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from training.rewards.encoder import Encoder, local_tokenizer, on_device
from training.rewards.weights import UnusableWeights, Weights, locate

CONDITIONS = (
    "Enlarged Cardiomediastinum",
    "Cardiomegaly",
    "Lung Opacity",
    "Lung Lesion",
    "Edema",
    "Consolidation",
    "Pneumonia",
    "Atelectasis",
    "Pneumothorax",
    "Pleural Effusion",
    "Pleural Other",
    "Fracture",
    "Support Devices",
    "No Finding",
)  # in the order of the heads
_CLASSES: tuple[int | None, ...] = (None, 1, 0, -1)  # blank, positive, negative, uncertain
_WHITE = re.compile(r"\s+")

Labels = dict[str, int | None]


class CheXbert:
    """The labeler. weights: needs `chexbert` (the .pth file) and `bert_base_uncased` (tokenizer, configuration).

    Raises MissingWeights, UnusableWeights.
    """

    def __init__(self, weights: Weights, *, device: str = "cpu", batch: int = 64) -> None:
        from transformers import AutoConfig, BertModel

        path, base = locate(weights, "chexbert"), locate(weights, "bert_base_uncased")
        state = _state(path)
        bert = BertModel(
            AutoConfig.from_pretrained(base, local_files_only=True),
            add_pooling_layer="bert.pooler.dense.weight" in state,
        )
        _load(bert, _part(state, "bert."), path)
        self._heads = [_head(_part(state, f"linear_heads.{index}."), path).to(device) for index in range(14)]
        self._encoder = Encoder(on_device(bert, device), local_tokenizer(base), device, batch)

    def embeddings(self, reports: Sequence[str]) -> torch.Tensor:
        """The [CLS] state of each report, float32 [n, 768]; white space collapsed, cut at 512 tokens."""
        texts = [_WHITE.sub(" ", report).strip() for report in reports]
        vectors = self._encoder.first_tokens(texts)
        return torch.stack([vectors[text] for text in texts]) if texts else torch.zeros(0, self._heads[0].in_features)

    def labels(self, reports: Sequence[str]) -> list[Labels]:
        """For each report {condition: 1 present, 0 absent, -1 uncertain, None not mentioned}.

        "No Finding" is 1 or None.
        """
        vectors = self.embeddings(reports).to(self._encoder.device)
        columns = [[_CLASSES[int(best)] for best in head(vectors).argmax(dim=1)] for head in self._heads]
        return [dict(zip(CONDITIONS, row, strict=True)) for row in zip(*columns, strict=True)]


def _state(path: Path) -> dict[str, torch.Tensor]:
    try:
        whole = torch.load(path, map_location="cpu", weights_only=True)
        state: dict[str, torch.Tensor] = whole["model_state_dict"]
    except (pickle.UnpicklingError, RuntimeError, KeyError, TypeError, EOFError) as error:
        raise UnusableWeights(f"{path} is not chexbert.pth ({type(error).__name__}: no model_state_dict)") from error
    return {name.removeprefix("module."): tensor for name, tensor in state.items()}


def _part(state: dict[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}


def _load(module: Any, state: dict[str, torch.Tensor], path: Path) -> None:
    # Older transformers kept the position numbers as a buffer.
    known = {name: tensor for name, tensor in state.items() if name != "embeddings.position_ids"}
    try:
        module.load_state_dict(known, strict=True)
    except RuntimeError as error:
        raise UnusableWeights(f"{path} does not fit bert-base-uncased's configuration: {error}") from error


def _head(state: dict[str, torch.Tensor], path: Path) -> torch.nn.Linear:
    if set(state) != {"weight", "bias"} or state["weight"].shape[0] not in (2, 4):
        raise UnusableWeights(f"{path} has no fourteen linear heads of 4 (the last of 2) classes")
    head = torch.nn.Linear(state["weight"].shape[1], state["weight"].shape[0])
    head.load_state_dict(state)
    return head.eval().requires_grad_(requires_grad=False)
