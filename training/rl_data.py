"""Prompts of reinforcement learning, and what each rollout is judged by.

Every optimiser step holds either single studies or pairs (sequences of one length are cheap), drawn so that
`abnormal_share` of them show something: where normal films dominate, one normal report maximises the expected reward
and all advantages go flat (EditGRPO, arXiv 2509.22812). A pair under prior dropout is
shown, and judged, without its prior.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from model.prompting import build_prompt, target_text
from training.config import Data, RlStage
from training.examples import FilmStore, PriorReports, training_study, words_of
from training.phantom.findings import label_vector
from training.phantom.reports import report_sections
from training.phantom.studies import Study
from training.rewards.batch import Sample

_POOL = 20_000  # studies of a kind: whether a film shows something is found by making the study


@dataclass(frozen=True)
class Question:
    """One prompt: its text, its images (numbers of a FilmStore or paths, prior first), and how answers are judged."""

    text: str
    images: tuple[Any, ...]
    reference: str
    has_prior: bool
    prior_report: str
    asked: Literal["report", "findings"]
    dataset: str
    study: str

    def row(self) -> dict[str, Any]:
        """As GRPOTrainer takes it: the trainer puts the images before the text."""
        judged = {key: getattr(self, key) for key in ("reference", "has_prior", "prior_report", "asked", "dataset")}
        prompt = [{"role": "user", "content": self.text}]
        return {"prompt": prompt, "images": list(self.images), "study": self.study, **judged}


def samples(completions: Sequence[Any], columns: dict[str, Any]) -> list[Sample]:
    """What rewards judge, from completions (chat messages) and the dataset's columns, repeated per rollout."""
    return [
        Sample(
            prediction=completion[0]["content"].strip(),
            reference=columns["reference"][i],
            has_prior=columns["has_prior"][i],
            prior_report=columns["prior_report"][i] or None,
            asked=columns["asked"][i],
            dataset=columns["dataset"][i],
            study=columns["study"][i],
        )
        for i, completion in enumerate(completions)
    ]


def question(
    made: Study,
    films: tuple[int, ...],
    reports: PriorReports,
    rng: np.random.Generator,
    *,
    asked: Literal["report", "findings"],
) -> Question:
    """A phantom study as a prompt; `made` without a prior is shown and judged without one."""
    style = words_of(made, rng)
    prior = reports.prior(made, style, rng)
    before = made.prior.findings if made.prior else None
    findings, impression = report_sections(style, made.current.findings, before)
    alone = asked == "findings"
    prompt = build_prompt(made.indication, prior=prior, sections="findings" if alone else "findings_and_impression")
    return Question(
        text=prompt.text,
        images=films,
        reference=target_text(findings) if alone else target_text(findings, impression),
        has_prior=prior is not None,
        prior_report=(prior.report or "") if prior else "",
        asked=asked,
        dataset=made.site,
        study=f"{made.site or 'phantom'}-{'pair' if len(films) > 1 or made.prior else 'single'}-{made.index}",
    )


def _by_content(data: Data, *, with_prior: bool, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Indices of studies whose current film shows something, and of the others, each in random order."""
    pool = np.array(data.of_rl(with_prior=with_prior)[:_POOL])
    made = (training_study(data, int(i), with_prior=with_prior) for i in pool)
    shown = np.array([label_vector(one.current.findings).any() for one in made])
    return rng.permutation(pool[shown]), rng.permutation(pool[~shown])


class _Deck:
    """Draws of one kind of study: abnormal ones at the asked share, no study again before all have been drawn."""

    def __init__(self, data: Data, *, with_prior: bool, rng: np.random.Generator) -> None:
        self.data, self.with_prior = data, with_prior
        abnormal, normal = _by_content(data, with_prior=with_prior, rng=rng)
        self.piles = [abnormal if len(abnormal) else normal, normal if len(normal) else abnormal]
        self.turns = [0, 0]

    def draw(self, *, normal: bool) -> Study:
        pile = self.piles[normal]
        index = int(pile[self.turns[normal] % len(pile)])
        self.turns[normal] += 1
        return training_study(self.data, index, with_prior=self.with_prior)


def without_prior(made: Study) -> Study:
    """The same current film as if nothing earlier were known."""
    return Study(made.index, made.current, None, made.study_date, None, made.indication, made.text_seed, made.site)


def steps_of(stage: RlStage, available: int) -> int:
    """Optimiser steps: as configured, or `epochs` over `available` prompts."""
    return stage.steps or math.ceil(stage.epochs * available / stage.prompts)


def prompts_in(data: Data) -> int:
    """How many studies RL may ask about."""
    return len(data.of_rl(with_prior=False)) + len(data.of_rl(with_prior=True))


def prompts_per_step(stage: RlStage) -> int:
    """Prompts generated for one optimiser step over all processes."""
    return stage.prompts * (stage.oversample if stage.zero_variance == "resample" else 1)


def phantom_questions(stage: RlStage, data: Data, store: FilmStore, seed: int) -> Iterator[Question]:
    """All prompts of the stage in training order."""
    rng = np.random.default_rng([seed, 77, *stage.name.encode()])
    reports = PriorReports(data.prior_report_rate, stage.prior_words)
    decks = {kind: _Deck(data, with_prior=bool(kind), rng=rng) for kind in (0, 1)}
    for _ in range(steps_of(stage, prompts_in(data))):
        kind = int(rng.random() < stage.pair_share)
        for _ in range(prompts_per_step(stage)):
            made = decks[kind].draw(normal=bool(rng.random() >= stage.abnormal_share))
            films = store.numbers(made)
            if kind and rng.random() < stage.prior_dropout:
                made, films = without_prior(made), films[-1:]
            asked: Literal["report", "findings"] = "findings" if rng.random() < stage.findings_share else "report"
            yield question(made, films, reports, rng, asked=asked)
