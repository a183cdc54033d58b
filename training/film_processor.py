"""A checkpoint's processor that takes the numbers of cached films in place of images.

GRPOTrainer hands the images of every rollout to the processor twice per step; encoding the same film for each of its
rollouts would cost more than the nano network itself. Same tensors as the checkpoint's own processor (tested), each
distinct film laid out once.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoProcessor, BatchFeature, Qwen3VLProcessor

from training import fast_forward
from training.examples import FilmStore


class FilmProcessor(Qwen3VLProcessor):
    """Images are ints: rows of a FilmStore. Without `jitter_seed` the films are as stored."""

    @classmethod
    def over(cls, source: Path, store: FilmStore, jitter_seed: int | None = None) -> FilmProcessor:
        """The processor of the checkpoint in `source`, over the films of `store`."""
        plain = AutoProcessor.from_pretrained(source)
        made = cls(plain.image_processor, plain.tokenizer, plain.video_processor, chat_template=plain.chat_template)
        made.plain, made.store, made.jitter_seed = plain, store, jitter_seed
        made.patch = plain.image_processor.patch_size
        edge = int(plain.image_processor.size["longest_edge"] ** 0.5)
        made.tokens_per_film = (edge // made.patch // 2) ** 2
        made.image_id = plain.tokenizer.convert_tokens_to_ids("<|image_pad|>")
        return made

    def _pixels(self, numbers: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
        """Patches and grid of the films in order; a film's jitter depends on the seed and its number alone."""
        distinct, places = np.unique(np.asarray(numbers), return_inverse=True)
        laid = []
        for number, film in zip(distinct, self.store.films(distinct.tolist()), strict=True):
            rng = None if self.jitter_seed is None else np.random.default_rng([self.jitter_seed, int(number)])
            laid.append(fast_forward.patches(film[None], self.patch, rng)[0])
        pixels = torch.stack(laid)[torch.as_tensor(places)]
        grid = int(pixels.shape[1] ** 0.5)
        return pixels.flatten(0, 1), torch.tensor([[1, grid, grid]]).expand(len(numbers), 3)

    def _ids(self, texts: Sequence[str]) -> list[list[int]]:
        widened = [text.replace("<|image_pad|>", "<|image_pad|>" * self.tokens_per_film) for text in texts]
        return [list(self.tokenizer(text)["input_ids"]) for text in widened]

    def __call__(self, images: Any = None, text: Any = None, **options: Any) -> BatchFeature:
        """images: per text a list of film numbers. Padded on the left where `padding` is asked for."""
        texts = [text] if isinstance(text, str) else list(text)
        ids = self._ids(texts)
        numbers = [number for row in images or [] for number in row or []]
        made: dict[str, Any] = {}
        if numbers:
            made["pixel_values"], made["image_grid_thw"] = self._pixels(numbers)
        if not options.get("padding"):
            kinds = [[int(one == self.image_id) for one in row] for row in ids]
            return BatchFeature({"input_ids": ids, "mm_token_type_ids": kinds, **made})
        longest = max(len(row) for row in ids)
        empty = self.tokenizer.pad_token_id
        padded = torch.tensor([[empty] * (longest - len(row)) + row for row in ids])
        mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in ids])
        kinds_padded = (padded == self.image_id).long()
        return BatchFeature({"input_ids": padded, "attention_mask": mask, "mm_token_type_ids": kinds_padded, **made})

    def apply_chat_template(self, conversation: Any, *_: Any, tokenize: bool = False, **options: Any) -> Any:
        """As the checkpoint's own; with `tokenize`, film numbers stand where images would."""
        batch = conversation if isinstance(conversation[0], list) else [conversation]
        texts = [
            self.tokenizer.apply_chat_template(
                one, tokenize=False, add_generation_prompt=options.get("add_generation_prompt", False)
            )
            for one in batch
        ]
        if not tokenize:
            return texts if isinstance(conversation[0], list) else texts[0]
        images = [[part["image"] for message in one for part in _parts(message) if "image" in part] for one in batch]
        return self(images=images, text=texts)

    def save_pretrained(self, save_directory: Any, **options: Any) -> Any:
        """Writes the checkpoint's own processor."""
        return self.plain.save_pretrained(save_directory, **options)


def _parts(message: dict[str, Any]) -> list[dict[str, Any]]:
    return message["content"] if isinstance(message["content"], list) else []
