"""How much less likely a written report becomes, token by token, with each part of the current film covered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.evidence import COUNT, covered

_AT_ONCE = 5  # films in one pass: one by one they cost twice as much on a CPU, and more at once are no cheaper


def losses(
    network: Any,
    processor: Any,
    text: str,
    films: Sequence[NDArray[np.uint8]],
    current: int,
    ids: Sequence[int],
    *,
    turn: Callable[[], AbstractContextManager[object]] = nullcontext,
) -> NDArray[np.float64]:
    """Nats [COUNT, tokens] that each token of `ids` loses; negative where covering makes it likelier.

    network, processor: of transformers, on one device. text: the prompt with its image marks. films: uint8 [size, size]
    in the prompt's order, `current` the place of the one to cover. ids: what was written after the prompt.
    turn: entered for each pass, so that a network with other work can do that in between; what it raises passes.
    """
    import torch

    variants = [films[current], *covered(films[current])]
    told: list[NDArray[np.float64]] = []
    with torch.inference_mode():
        for start in range(0, len(variants), _AT_ONCE):
            part = variants[start : start + _AT_ONCE]
            rows = [[film if place == current else other for place, other in enumerate(films)] for film in part]
            with turn():
                told += _logprobs(network, processor, text, rows, ids)
    return np.asarray(told[0] - np.stack(told[1 : COUNT + 1]), dtype=np.float64)


def _logprobs(
    network: Any, processor: Any, text: str, rows: Sequence[Sequence[NDArray[np.uint8]]], ids: Sequence[int]
) -> list[NDArray[np.float64]]:
    """Log-probability of each token of `ids` after the prompt, one array per row of films."""
    import torch

    images = [[Image.fromarray(film).convert("RGB") for film in row] for row in rows]
    encoded = processor(text=[text] * len(rows), images=images, return_tensors="pt").to(network.device)
    written = torch.tensor(ids, device=network.device).expand(len(rows), -1)
    inputs = dict(encoded) | {
        "input_ids": torch.cat([encoded["input_ids"], written], 1),
        "attention_mask": torch.cat([encoded["attention_mask"], torch.ones_like(written)], 1),
    }
    if "mm_token_type_ids" in encoded:
        kinds = encoded["mm_token_type_ids"]
        inputs["mm_token_type_ids"] = torch.cat([kinds, torch.zeros_like(written, dtype=kinds.dtype)], 1)
    logits = network(**inputs, use_cache=False, logits_to_keep=len(ids) + 1).logits[:, :-1]
    chances = logits.float().log_softmax(-1).gather(2, written[..., None])[..., 0]
    return list(chances.double().cpu().numpy())
