"""Greedy drafts of phantom studies, through transformers' own generation and the checkpoint's own processor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from PIL import Image

from model.prompting import Prior, Prompt, build_prompt
from training.examples import prior_of, words_of
from training.phantom.film import model_film
from training.phantom.sites import site_at
from training.phantom.studies import Study, study

MAX_NEW_TOKENS = 320


@dataclass(frozen=True)
class Case:
    """One study with its prompt, films (uint8 [size, size], prior first) and what the prompt says of the prior."""

    study: Study
    prompt: Prompt
    films: tuple[np.ndarray, ...]
    prior: Prior | None = None


def _case(seed: int, index: int, *, with_prior: bool, prior_report_rate: float, site: str) -> Case:
    made = study(seed, index, with_prior=with_prior, site=site)
    rng = np.random.default_rng([made.text_seed, 1])
    words = words_of(made, rng)
    prior = prior_of(made, words, with_report=rng.random() < prior_report_rate)
    scenes = [made.current] if made.prior is None else [made.prior, made.current]
    films = tuple(model_film(scene) for scene in scenes)
    return Case(made, build_prompt(made.indication, prior=prior), films, prior)


def phantom_cases(
    seed: int, singles: int, pairs: int, prior_report_rate: float, sites: Sequence[str] = ()
) -> list[Case]:
    """`singles` studies without and `pairs` with a prior, the sites in turn."""
    return [
        _case(seed, index, with_prior=with_prior, prior_report_rate=prior_report_rate, site=site_at(sites, index))
        for with_prior, count in ((False, singles), (True, pairs))
        for index in range(count)
    ]


def swapped(cases: list[Case], shift: int = 7) -> list[Case]:
    """The same prompts with the films of another study of the same kind."""
    out: list[Case] = []
    for roles in sorted({case.prompt.image_roles for case in cases}, key=len):
        group = [case for case in cases if case.prompt.image_roles == roles]
        films = [group[(i + shift) % len(group)].films for i in range(len(group))]
        out += [replace(case, films=other) for case, other in zip(group, films, strict=True)]
    return out


@torch.no_grad()
def _batch(model: Any, processor: Any, cases: list[Case], max_new_tokens: int) -> list[str]:
    texts = [
        processor.apply_chat_template(case.prompt.chat_messages(), tokenize=False, add_generation_prompt=True)
        for case in cases
    ]
    images = [[Image.fromarray(film).convert("RGB") for film in case.films] for case in cases]
    inputs = processor(text=texts, images=images, return_tensors="pt", padding=True, padding_side="left")
    out = model.generate(**inputs, max_new_tokens=max_new_tokens, do_sample=False)
    return list(processor.tokenizer.batch_decode(out[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True))


def write_drafts(
    model: Any, processor: Any, cases: list[Case], batch: int = 25, max_new_tokens: int = MAX_NEW_TOKENS
) -> list[str]:
    """One draft per case, in order; batches of similar prompt length, padded on the left."""
    order = sorted(range(len(cases)), key=lambda i: (len(cases[i].films), len(cases[i].prompt.text)))
    drafts = [""] * len(cases)
    for start in range(0, len(order), batch):
        rows = order[start : start + batch]
        for row, text in zip(rows, _batch(model, processor, [cases[i] for i in rows], max_new_tokens), strict=True):
            drafts[row] = text
    return drafts
