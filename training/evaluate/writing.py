"""Greedy drafts of any checkpoint with a manifest, with the log probability of every token.

The manifest decides everything: size of the films, number type, limits, tokens that end the text or are never written.
Nothing is taken from generation_config.json, as in the service, so what is measured is what is served.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor, GenerationConfig

from model.generation import greedy, spelled
from model.manifest import Checkpoint
from model.prompting import Prompt
from training.evaluate.cases import Draft


class PromptTooLong(ValueError):
    """The prompt leaves no room for an answer within the checkpoint's limits."""


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt and its films, image_size px square, in the order of the prompt."""

    prompt: Prompt
    films: tuple[Image.Image, ...]


class Writer:
    """A loaded checkpoint. Raises BadCheckpoint where its weights are missing or not the stated ones.

    device: of torch, default the first GPU, else the CPU.
    """

    def __init__(self, checkpoint: Checkpoint, device: str | None = None) -> None:
        self.manifest, self.digest = checkpoint.manifest, checkpoint.weights_digest()
        checkpoint.check_decoding()
        self._device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        folder, local = checkpoint.require_weights(), {"local_files_only": True, "trust_remote_code": False}
        self._processor: Any = AutoProcessor.from_pretrained(folder, **local)
        network = AutoModelForImageTextToText.from_pretrained(folder, dtype=self.manifest.dtype, **local)
        self._network: Any = network.eval().to(self._device)

    @property
    def image_size(self) -> int:
        """Side of the films, px."""
        return self.manifest.image_size

    def write(self, questions: Sequence[Question]) -> list[Draft]:
        """One draft each, as one batch padded on the left. Raises PromptTooLong."""
        encoded = self._encoded(questions)
        with torch.inference_mode():
            answer = self._network.generate(**encoded, generation_config=self._decoding())
        start = encoded["input_ids"].shape[1]
        ids = answer.sequences[:, start:]
        chosen = torch.stack(
            [
                torch.log_softmax(step.float(), -1).gather(1, ids[:, place, None])[:, 0]
                for place, step in enumerate(answer.logits)
            ],
            dim=1,
        )
        return [self._draft(row.tolist(), logs.tolist()) for row, logs in zip(ids, chosen, strict=True)]

    def _encoded(self, questions: Sequence[Question]) -> Any:
        texts = [
            self._processor.apply_chat_template(one.prompt.chat_messages(), tokenize=False, add_generation_prompt=True)
            for one in questions
        ]
        images = [[film.convert("RGB") for film in one.films] for one in questions]
        encoded = self._processor(text=texts, images=images, return_tensors="pt", padding=True, padding_side="left")
        limits, length = self.manifest.limits, int(encoded["input_ids"].shape[1])
        if length + limits.max_new_tokens > limits.max_model_len:
            raise PromptTooLong(f"{length} tokens of prompt leave no room for an answer in {limits.max_model_len}")
        return encoded.to(self._device)

    def _decoding(self) -> GenerationConfig:
        return GenerationConfig(**greedy(self.manifest))

    def _draft(self, ids: list[int], logprobs: list[float]) -> Draft:
        stops = set(self.manifest.decoding.stop_token_ids)
        length = next((place for place, token in enumerate(ids) if token in stops), len(ids))
        pieces = spelled(self._processor.tokenizer, ids[:length])
        return Draft("".join(pieces), tuple(zip(pieces, logprobs, strict=False)))
