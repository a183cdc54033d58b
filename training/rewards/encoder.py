"""Texts through a local BERT-like encoder: unique texts only, in batches of similar length, cut at its maximum."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

MAX_TOKENS = 512


def local_tokenizer(path: Path) -> Any:
    """The tokenizer of a local folder; never looks at a hub."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(path, local_files_only=True)


def on_device(model: Any, device: str) -> Any:
    """The model in evaluation mode, in float32 and without gradients, on the device."""
    return model.eval().float().requires_grad_(requires_grad=False).to(device)


@dataclass(frozen=True, slots=True)
class Encoder:
    """A transformer and its tokenizer. `model` gives last_hidden_state [B, T, D]; `batch` texts at once."""

    model: Any
    tokenizer: Any
    device: str = "cpu"
    batch: int = 64
    max_tokens: int = MAX_TOKENS

    def __call__(
        self, texts: Sequence[str], keep: Callable[[torch.Tensor], torch.Tensor], *, max_tokens: int | None = None
    ) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
        """For each distinct text (token ids [T], keep(hidden states [T, D])), special tokens included, on the CPU."""
        found: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}
        limit = min(max_tokens or self.max_tokens, self.max_tokens)
        for texts_of_batch in _batches(texts, self.batch):
            rows = self.tokenizer(
                texts_of_batch, padding=True, truncation=True, max_length=limit, return_tensors="pt"
            ).to(self.device)
            with torch.inference_mode():
                hidden = self.model(input_ids=rows["input_ids"], attention_mask=rows["attention_mask"])
            for text, ids, mask, states in zip(
                texts_of_batch, rows["input_ids"], rows["attention_mask"].bool(), hidden.last_hidden_state, strict=True
            ):
                found[text] = ids[mask].cpu(), keep(states[mask]).cpu()
        return found

    def first_tokens(self, texts: Sequence[str], *, max_tokens: int | None = None) -> dict[str, torch.Tensor]:
        """The hidden state of [CLS] of each distinct text, float32 [D]."""
        both = self(texts, lambda states: states[0].clone(), max_tokens=max_tokens)
        return {text: vector for text, (_, vector) in both.items()}


def _batches(texts: Sequence[str], size: int) -> Iterator[list[str]]:
    distinct = sorted(set(texts), key=len)
    for start in range(0, len(distinct), size):
        yield distinct[start : start + size]
