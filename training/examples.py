"""SFT examples from phantom studies: the prompts are those of model/prompting.py, to the letter.

Four tasks: the report, the findings alone (the second published template), and two that exist in training only and let
the language model learn to read the visual tokens from few words: a short list of what is there, and (of pairs) of what
changed. Pair studies give the prior's date, its film and,
at `prior_report_rate`, its report. Reports are in the words of the study's site, or of any site where it has none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from model.prompting import ImagePart, Prior, Prompt, TextPart, build_prompt, context_text, target_text
from training.config import Data, PriorWords, SftStage
from training.phantom.hands import report_in_any_words
from training.phantom.reports import TRAINED_SITES, report_sections, short_changes, short_list
from training.phantom.sites import site_at
from training.phantom.studies import Study, cached_films, study

LIST_PROMPT = "List the findings."
CHANGES_PROMPT = "List the changes."
_TASKS = ("report", "list", "findings", "changes")


@dataclass(frozen=True)
class Example:
    """One sequence to learn; `films` are rows of FilmStore, prior first."""

    prompt: Prompt
    completion: str
    films: tuple[int, ...]

    @property
    def length(self) -> int:
        """Rough length, to batch like with like."""
        return len(self.prompt.text) + len(self.completion) + 120 * len(self.films)


class FilmStore:
    """All training films under one numbering: singles, then prior and current of each pair."""

    def __init__(self, data: Data, work: Path) -> None:
        folder, sites = work / "cache", data.sites
        self._singles, pairs = data.rendered(with_prior=False), data.rendered(with_prior=True)
        self._single = cached_films(folder, data.single_seed, self._singles, with_prior=False, sites=sites)
        self._pair = cached_films(folder, data.pair_seed, pairs, with_prior=True, sites=sites)

    def numbers(self, made: Study) -> tuple[int, ...]:
        """The films of a study, prior first."""
        if made.prior is None:
            return (made.index,)
        return (self._singles + 2 * made.index, self._singles + 2 * made.index + 1)

    def films(self, numbers: list[int]) -> np.ndarray:
        """uint8 [films, size, size]."""
        picked = []
        for number in numbers:
            behind = number - self._singles
            picked.append(self._single[number, 0] if behind < 0 else self._pair[behind // 2, behind % 2])
        return np.stack(picked)


def words_of(made: Study, rng: np.random.Generator) -> str:
    """The site in whose words the study is reported."""
    return made.site or TRAINED_SITES[int(rng.integers(len(TRAINED_SITES)))]


def training_study(data: Data, index: int, *, with_prior: bool) -> Study:
    """The index-th training study, single or pair."""
    seed = data.pair_seed if with_prior else data.single_seed
    return study(seed, index, with_prior=with_prior, site=site_at(data.sites, index))


def prior_of(made: Study, site: str, *, with_report: bool) -> Prior | None:
    """The prior as the prompt gives it: date and, if asked, the earlier report (which compared with nothing)."""
    if made.prior is None or made.prior_date is None:
        return None
    return Prior(
        made.prior_date, target_text(*report_sections(site, made.prior.findings, None)) if with_report else None
    )


@dataclass(frozen=True)
class PriorReports:
    """How often a prior in training has its report, and in whose words."""

    rate: float
    words: PriorWords

    def prior(self, made: Study, site: str, rng: np.random.Generator) -> Prior | None:
        """The study's prior; site: whose words are its own."""
        prior = prior_of(made, site, with_report=rng.random() < self.rate)
        if made.prior is None or prior is None or prior.report is None or self.words == "own":
            return prior
        report = report_in_any_words(made.prior.findings, np.random.default_rng([made.text_seed, 9]))
        return replace(prior, report=target_text(*report))


def example(made: Study, task: str, films: tuple[int, ...], reports: PriorReports, rng: np.random.Generator) -> Example:
    """One example of one task."""
    before = made.prior.findings if made.prior else None
    prior = reports.prior(made, words_of(made, rng), rng)
    if task == "list":
        images = tuple(part for part in build_prompt(None, prior=prior).parts if isinstance(part, ImagePart))
        return Example(Prompt((*images, TextPart(LIST_PROMPT))), short_list(made.current.findings, before), films)
    if task == "changes" and before is not None:
        context = build_prompt(None, prior=prior)
        images = tuple(part for part in context.parts if isinstance(part, ImagePart))
        asked = TextPart(f"{context_text(None, None, prior)} {CHANGES_PROMPT}")
        return Example(Prompt((*images, asked)), short_changes(before, made.current.findings), films)
    findings, impression = report_sections(words_of(made, rng), made.current.findings, before)
    if task == "findings":
        prompt = build_prompt(made.indication, prior=prior, sections="findings")
        return Example(prompt, target_text(findings), films)
    return Example(build_prompt(made.indication, prior=prior), target_text(findings, impression), films)


def _draw(stage: SftStage, data: Data, store: FilmStore, rng: np.random.Generator) -> Iterator[Example]:
    single, pair = (rng.permutation(data.of_sft(with_prior=kind)) for kind in (False, True))
    given = (stage.list_share, stage.findings_share, stage.changes_share)
    shares = (1 - sum(given), *given)
    reports = PriorReports(data.prior_report_rate, stage.prior_words)
    for turn in range(stage.steps * stage.batch):
        with_prior = bool(rng.random() < stage.pair_share)
        order = pair if with_prior else single
        made = training_study(data, int(order[turn % len(order)]), with_prior=with_prior)
        yield example(made, _TASKS[int(rng.choice(len(_TASKS), p=shares))], store.numbers(made), reports, rng)


def schedule(stage: SftStage, data: Data, store: FilmStore, seed: int) -> list[Example]:
    """All `steps` x `batch` examples in training order: batches of similar length, in random order within a window."""
    rng = np.random.default_rng([seed, stage.steps])
    drawn = list(_draw(stage, data, store, rng))
    window, ordered = 12 * stage.batch, []
    for start in range(0, len(drawn), window):
        block = sorted(drawn[start : start + window], key=lambda one: one.length)
        batches = [block[i : i + stage.batch] for i in range(0, len(block), stage.batch)]
        ordered += [one for k in rng.permutation(len(batches)) for one in batches[k]]
    return ordered
