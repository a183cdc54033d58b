"""Per-study scores of one checkpoint on held-out phantoms of the trained sites and of the unseen one.

Every study is read with the prior it has. The first pairs of each site are also read without it, and with another
patient's prior under the same date: what a prior is worth shows on fewer studies than what a site costs.
The baseline "copied" is the true prior's report as the draft, whatever the checkpoint.
Columns are what ratios are made of (counts, not rates), so that any figure, its interval and paired tests can be
computed later; every figure comes from the drafted text.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForImageTextToText, AutoProcessor

from model import findings as read
from model.prompting import build_prompt, target_text
from training.config import Data
from training.evaluate.drafts import Case, write_drafts
from training.examples import prior_of
from training.phantom.film import model_film
from training.phantom.reports import report_sections
from training.phantom.studies import Study, study
from training.rewards.batch import Reward, Sample
from training.rewards.catalogue import build
from training.rewards.findings_errors import CATEGORIES
from training.rewards.prior_claims import comparisons, similarity
from training.rl_data import without_prior

READ_THRICE = 240  # studies of a site whose pairs are also read without a prior and with a wrong one
REWARDS = ("bleu2", "sentence_similarity", "findings_f1", "agreement", "findings_errors", "length", "prior_claims")


@dataclass(frozen=True)
class Look:
    """A held-out study under one condition of its prior ("given", "none", "wrong", "copied").

    sample: everything but the prediction. text: what stands in place of a draft, "" where the checkpoint writes one.
    """

    case: Case
    condition: str
    sample: Sample
    text: str = ""


def held_out(data: Data, per_site: int) -> list[Study]:
    """`per_site` studies of each trained site and of the unseen one, every second one a pair."""
    sites = [site for site in (*data.sites, data.unseen_site) if site] or [""]
    return [
        study(data.heldout_seed, index, with_prior=index % 2 == 1, site=site)
        for site in sites
        for index in range(per_site)
    ]


def _look(made: Study, shown: Study, condition: str, report_rate: float) -> Look:
    """`made` judges, `shown` is what the prompt holds."""
    rng = np.random.default_rng([made.text_seed, 1])
    words = made.site or "north"
    prior = prior_of(shown, words, with_report=rng.random() < report_rate)
    scenes = [shown.current] if shown.prior is None else [shown.prior, shown.current]
    reference = target_text(*report_sections(words, made.current.findings, made.prior.findings if made.prior else None))
    case = Case(made, build_prompt(made.indication, prior=prior), tuple(map(model_film, scenes)), prior)
    sample = Sample("", reference, prior is not None, prior.report if prior else None, "report", made.site, _name(made))
    return Look(case, condition, sample)


def _name(made: Study) -> str:
    return f"{made.site or 'phantom'}-{'pair' if made.prior else 'single'}-{made.index}"


def _copied(made: Study, report_rate: float) -> Look:
    prior = prior_of(made, made.site or "north", with_report=True)
    return replace(_look(made, made, "copied", report_rate), text=(prior.report or "") if prior else "")


def looks(made: Sequence[Study], report_rate: float, thrice: int = READ_THRICE) -> list[Look]:
    """Every study as it is; the first pairs without their prior, with a foreign one of the site, and copied from it."""
    rows = [_look(one, one, "given", report_rate) for one in made]
    pairs = [one for one in made if one.prior and one.index < thrice]
    rows += [_look(one, without_prior(one), "none", report_rate) for one in pairs]
    for place, one in enumerate(pairs):
        same = [other for other in (*pairs[place + 1 :], *pairs[:place]) if other.site == one.site]
        if same:
            rows.append(_look(one, replace(one, prior=same[0].prior), "wrong", report_rate))
    return rows + [_copied(one, report_rate) for one in pairs]


def _counts(said: set[Any], true: set[Any]) -> tuple[int, int, int]:
    return len(said & true), len(said), len(true)


def row_of(look: Look, draft: str) -> dict[str, Any]:
    """All columns of one study but the rewards."""
    made, reference = look.case.study, look.sample.reference
    found = _counts(set(read.present(draft)), set(read.present(reference)))
    changed = _counts(set(read.changes(draft)), set(read.changes(reference)))
    patient = made.patient
    return {
        "study": look.sample.study,
        "site": made.site,
        "condition": look.condition,
        "pair": int(made.prior is not None),
        "prior_report": int(look.sample.prior_report is not None),
        "sex": patient.sex,
        "age": patient.age,
        "build": patient.build,
        "view": made.current.view,
        **dict(zip(("found_hit", "found_said", "found_true"), found, strict=True)),
        **dict(zip(("change_hit", "change_said", "change_true"), changed, strict=True)),
        "compares": int(comparisons(draft) > 0),
        "copied": round(similarity(draft, look.sample.prior_report or ""), 4),
        "exact": int(draft.strip() == reference.strip()),
    }


@cache
def _judges() -> dict[str, Reward]:
    return {name: build(name) for name in REWARDS}


def _rewards(batch: Sequence[Sample]) -> dict[str, list[float | None]]:
    columns: dict[str, list[float | None]] = {}
    for name, judge in _judges().items():
        scored = judge(batch)
        columns[name] = [None if np.isnan(value) else round(float(value), 5) for value in scored.values]
        if name == "findings_errors":
            for part in ("errors", *CATEGORIES):
                columns[part] = [None if np.isnan(value) else float(value) for value in scored.components[part]]
    return columns


def columns_of(rows: Sequence[Look], drafts: Sequence[str]) -> dict[str, list[Any]]:
    """One list per score, in the order of the rows."""
    told = [row_of(look, draft) for look, draft in zip(rows, drafts, strict=True)]
    batch = [replace(look.sample, prediction=draft) for look, draft in zip(rows, drafts, strict=True)]
    return {name: [row[name] for row in told] for name in told[0]} | _rewards(batch)


def score_checkpoint(weights: Path, data: Data, per_site: int, drafts_file: Path) -> dict[str, list[Any]]:
    """Greedy drafts of all looks; the drafts are kept in `drafts_file`, the columns are returned.

    Raises RewardUnusable before anything is drafted.
    """
    torch.set_num_threads(1)
    _judges()
    rows = looks(held_out(data, per_site), data.prior_report_rate)
    model = AutoModelForImageTextToText.from_pretrained(weights, dtype=torch.float32).eval()
    cases = [look.case for look in rows if not look.text]
    written = iter(write_drafts(model, AutoProcessor.from_pretrained(weights), cases, batch=60))
    drafts = [look.text or next(written) for look in rows]
    drafts_file.parent.mkdir(parents=True, exist_ok=True)
    told = [
        {"study": look.sample.study, "condition": look.condition, "draft": draft, "reference": look.sample.reference}
        for look, draft in zip(rows, drafts, strict=True)
    ]
    drafts_file.write_text(json.dumps(told, indent=1))
    return columns_of(rows, drafts)
