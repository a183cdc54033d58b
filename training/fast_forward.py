"""The vision tower's maths rearranged for CPUs: same weights, same results (differences under 1e-6).

Two forwards of transformers' Qwen3-VL are replaced while training: the patch embedding (a 3-D convolution
whose stride equals its kernel) becomes a matrix product, and attention runs over all images of a batch at once
instead of one by one. It needs every image of a batch to have the same size. Evaluation and serving never use this.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  torch's own convention
from transformers.models.qwen3_vl import modeling_qwen3_vl as qwen


def _patch_embed(self: Any, hidden_states: torch.Tensor) -> torch.Tensor:
    weight = self.proj.weight
    flat = hidden_states.view(-1, weight[0].numel()).to(weight.dtype)
    return F.linear(flat, weight.view(weight.shape[0], -1), self.proj.bias)


def _attention(
    self: Any, hidden_states: torch.Tensor, cu_seqlens: torch.Tensor, position_embeddings: Any = None, **_: Any
) -> torch.Tensor:
    tokens, images = hidden_states.shape[0], len(cu_seqlens) - 1
    q, k, v = self.qkv(hidden_states).view(tokens, 3, self.num_heads, -1).unbind(1)
    q, k = qwen.apply_rotary_pos_emb_vision(q, k, *position_embeddings)
    q, k, v = (part.view(images, tokens // images, self.num_heads, -1).transpose(1, 2) for part in (q, k, v))
    mixed = F.scaled_dot_product_attention(q, k, v, scale=self.scaling)
    return self.proj(mixed.transpose(1, 2).reshape(tokens, -1))


def install() -> None:
    """Replace the two forwards in this process."""
    qwen.Qwen3VLVisionPatchEmbed.forward = _patch_embed
    qwen.Qwen3VLVisionAttention.forward = _attention


def _jittered(pixels: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    shape = (len(pixels), 1, 1)
    gain = torch.as_tensor(rng.uniform(0.85, 1.15, shape), dtype=torch.float32)
    shift = torch.as_tensor(rng.uniform(-0.12, 0.12, shape), dtype=torch.float32)
    return (pixels * gain + shift).clamp(-1, 1)


def patches(
    films: np.ndarray, patch: int, jitter: np.random.Generator | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """uint8 [images, size, size] -> pixel_values and image_grid_thw exactly as the checkpoint's processor makes them.

    `jitter` adds contrast (15 %) and brightness (0.12 of half the range) variety.
    """
    pixels = torch.as_tensor(np.array(films, np.float32)) / 127.5 - 1
    if jitter is not None:
        pixels = _jittered(pixels, jitter)
    images, grid = len(pixels), pixels.shape[1] // patch
    blocks = pixels.view(images, grid // 2, 2, patch, grid // 2, 2, patch).permute(0, 1, 4, 2, 5, 3, 6)
    flat = blocks.reshape(images * grid * grid, 1, 1, patch, patch).expand(-1, 3, 2, -1, -1)
    return flat.reshape(images * grid * grid, -1), torch.tensor([[1, grid, grid]]).expand(images, 3)
