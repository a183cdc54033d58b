"""GREEN, a held-out evaluator: a 7B language model lists errors and matched findings, and the score counts them.

Ostmeier et al., EMNLP Findings 2024; Stanford-AIMI/GREEN. score = matched / (matched + significant errors), 0 where
nothing matches. The prompt is read from a file (`green_prompt`), written by the project's own `make_prompt`: the model
was trained on those very words. An answer without the expected sections, or cut off, is missing, never a score.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from training.rewards.batch import Sample, Scores
from training.rewards.encoder import local_tokenizer
from training.rewards.weights import UnusableWeights, Weights, locate

MAX_TOKENS = 2048  # of prompt and answer each, as published
REFERENCE, CANDIDATE = "{reference}", "{candidate}"
_SECTION = r"\[{}\]:\s*(.*?)(?=\n\s*\n|\n\s*\[|\Z)"
_SIGNIFICANT = re.compile(_SECTION.format("Clinically Significant Errors"), re.DOTALL)
_MATCHED = re.compile(_SECTION.format("Matched Findings"), re.DOTALL)
_LINE = re.compile(r"^\s*\(([a-f])\)[^:\n]*:\s*(\d+)\.", re.MULTILINE)
_COUNT = re.compile(r"(\d+)\.")
_MARKS = re.compile(r"(\{reference\}|\{candidate\})")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What GREEN counted: matched findings, and significant errors by letter a to f (absent letters are 0)."""

    matched: int
    significant: dict[str, int]

    @property
    def score(self) -> float:
        """0 to 1."""
        return self.matched / (self.matched + sum(self.significant.values())) if self.matched else 0.0


def read(answer: str) -> Verdict | None:
    """The counts of one answer, None where a section is absent or says neither "No…" nor numbers."""
    significant, matched = _SIGNIFICANT.search(answer), _MATCHED.search(answer)
    if not significant or not matched:
        return None
    errors = {letter: int(count) for letter, count in _LINE.findall(significant[1])}
    number = _COUNT.match(matched[1])
    if (not errors and not significant[1].startswith("No")) or (not number and not matched[1].startswith("No")):
        return None
    return Verdict(int(number[1]) if number else 0, errors)


class Green:
    """The evaluator `green`, 0 to 1; missing where the answer cannot be read or the reference is empty.

    weights: needs `green` (about 14 GB in bfloat16) and `green_prompt`. Raises MissingWeights, UnusableWeights.
    Components: `green_matched`, `green_significant`.
    """

    name = "green"

    def __init__(
        self, weights: Weights, *, device: str = "cpu", batch: int = 8, max_new_tokens: int = MAX_TOKENS
    ) -> None:
        from transformers import AutoModelForCausalLM

        path = locate(weights, "green")
        self._prompt = read_prompt(locate(weights, "green_prompt"))
        kind = torch.float32 if device == "cpu" else torch.bfloat16
        model = AutoModelForCausalLM.from_pretrained(path, local_files_only=True, dtype=kind)
        self._model: Any = model.eval().requires_grad_(requires_grad=False).to(device)
        self._tokenizer = local_tokenizer(path)
        self._tokenizer.padding_side = "left"
        self._tokenizer.pad_token = self._tokenizer.pad_token or self._tokenizer.eos_token
        self._device, self._batch, self._new = device, batch, max_new_tokens

    def verdicts(self, candidates: Sequence[str], references: Sequence[str]) -> list[Verdict | None]:
        """What GREEN counted for each pair."""
        prompts = [self._dialogue(*pair) for pair in zip(candidates, references, strict=True)]
        # A dialogue beyond the limit would lose its end, the mark of the assistant's turn: it cannot be judged.
        fitting = [prompt for prompt in prompts if len(self._tokenizer(prompt)["input_ids"]) <= MAX_TOKENS]
        starts = range(0, len(fitting), self._batch)
        answers = [answer for start in starts for answer in self._answers(fitting[start : start + self._batch])]
        judged = {prompt: read(answer) for prompt, answer in zip(fitting, answers, strict=True)}
        return [judged.get(prompt) for prompt in prompts]

    def __call__(self, batch: Sequence[Sample]) -> Scores:
        """One score per sample."""
        asked = [index for index, one in enumerate(batch) if one.reference.strip()]
        verdicts = self.verdicts([batch[i].prediction for i in asked], [batch[i].reference for i in asked])
        columns = np.full((3, len(batch)), np.nan)
        for index, verdict in zip(asked, verdicts, strict=True):
            if verdict:
                columns[:, index] = verdict.score, verdict.matched, sum(verdict.significant.values())
        found, matched, significant = columns
        return Scores(found, {self.name: found, "green_matched": matched, "green_significant": significant})

    def _dialogue(self, candidate: str, reference: str) -> str:
        # Filled at the file's own marks only, so that no report can hold one.
        texts = {REFERENCE: reference, CANDIDATE: candidate}
        prompt = "".join(texts.get(part, part) for part in _MARKS.split(self._prompt))
        return f"<|user|>\n{prompt}{self._tokenizer.eos_token}\n<|assistant|>\n"

    def _answers(self, prompts: list[str]) -> list[str]:
        rows = self._tokenizer(prompts, padding=True, return_tensors="pt").to(self._device)
        with torch.inference_mode():
            written = self._model.generate(
                input_ids=rows["input_ids"],
                attention_mask=rows["attention_mask"],
                do_sample=False,
                max_new_tokens=self._new,
                pad_token_id=self._tokenizer.pad_token_id,
            )[:, rows["input_ids"].shape[1] :]
        end = self._tokenizer.eos_token_id
        texts = self._tokenizer.batch_decode(written, skip_special_tokens=True)
        return [text if end in ids else "" for text, ids in zip(texts, written.tolist(), strict=True)]


def read_prompt(path: Path) -> str:
    """The prompt with one mark for each report. Raises UnusableWeights."""
    text = path.read_text()
    if text.count(REFERENCE) != 1 or text.count(CANDIDATE) != 1:
        raise UnusableWeights(f"{path} must hold {REFERENCE} and {CANDIDATE} once each (training/rewards/WEIGHTS.md)")
    return text
