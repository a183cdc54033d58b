"""One evaluation, top to bottom: draft, judge, tabulate. Everything that ends up in results.json is made here.

Main drafts are written with each study's own prior. Where priors are asked about, studies with a prior are drafted
twice more: without it, and with another patient's prior in its place. The copied prior report is the baseline.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from model.report_text import section_text
from training.evaluate.calibration import calibration_section, judge
from training.evaluate.cases import Draft, NoStudies, Split, StudyCase, judged_in, with_wrong_priors, without_priors
from training.evaluate.drafting import Drafted, DraftWriter, KeptDrafts, write_drafts
from training.evaluate.error_counts import error_section
from training.evaluate.groups import site_section, subgroup_section
from training.evaluate.label_f1 import label_section
from training.evaluate.longitudinal import ARMS, Arm, copied, encounter_group, longitudinal_section, temporal_class
from training.evaluate.metrics import REXRANK, Judges, Measured, error_totals, figures, samples
from training.evaluate.resampling import DRAWS, LEVEL, Ratio, interval

FORMAT = "unirg-evaluation-1"
NOTICE = "Research, not for diagnosis."


@dataclass(frozen=True)
class Plan:
    """What is evaluated how. system: name and digest of the weights; source: where the studies are from, in words."""

    system: Mapping[str, str]
    source: str
    split: Split
    folder: Path
    trained_sites: Sequence[str] = ()
    priors: bool = True
    seed: int = 0
    draws: int = DRAWS
    batch: int = 8


@dataclass
class Outcome:
    """results: for results.json; cases and drafts of its studies, in its order, for the page."""

    results: dict[str, Any]
    cases: list[StudyCase] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)


def draft_arms(
    plan: Plan, cases: Sequence[StudyCase], writer: Callable[[], DraftWriter]
) -> dict[str, tuple[Sequence[StudyCase], Drafted]]:
    """Cases as asked, and drafts, of the main run and (where there are priors) of the other ways to give them."""
    paired = [case for case in cases if case.prior]
    asked: dict[str, Sequence[StudyCase]] = {"main": cases}
    if plan.priors and len({case.patient for case in paired}) > 1:
        asked |= {"without prior": without_priors(paired), "wrong prior": with_wrong_priors(paired, plan.seed)}
    found = {}
    for arm, some in asked.items():
        kept = KeptDrafts(plan.folder / f"drafts-{arm.replace(' ', '-')}.jsonl", plan.system)
        found[arm] = (some, write_drafts(some, plan.split, writer, kept, batch=plan.batch, label=arm))
    return found


def evaluate(plan: Plan, cases: Sequence[StudyCase], writer: Callable[[], DraftWriter], judges: Judges) -> Outcome:
    """Draft and judge. Raises NoStudies."""
    wanted = judged_in(cases, plan.split)
    if not wanted:
        raise NoStudies(f"{plan.source}: no study has a reference for the split {plan.split}")
    return judge_arms(plan, draft_arms(plan, wanted, writer), judges)


def judge_arms(plan: Plan, arms: Mapping[str, tuple[Sequence[StudyCase], Drafted]], judges: Judges) -> Outcome:
    """Judge what was drafted. Raises NoStudies where nothing was."""
    asked, drafted = arms["main"]
    cases = [case for case in asked if case.study in drafted.drafts]
    if not cases:
        reasons = "; ".join(sorted(set(drafted.faults.values()))[:3])
        raise NoStudies(f"{plan.source}: none of {len(asked)} studies could be drafted: {reasons}")
    drafts = [drafted.drafts[case.study] for case in cases]
    texts = [draft.text for draft in drafts]
    measured = judges.measure(samples(cases, texts, plan.split))
    ratios = figures(samples(cases, texts, plan.split), measured)
    whole = Arm(cases, texts, ratios)
    results = _head(plan, whole, measured, len(asked), drafted.faults) | _sections(plan, whole, measured)
    results["longitudinal"] = longitudinal_section(
        whole, _arms(plan, whole, arms, judges), seed=plan.seed, draws=plan.draws
    )
    sentences = [
        one
        for case, draft in zip(cases, drafts, strict=True)
        for one in judge(draft, _reference(plan, case), case.study)
    ]
    results["calibration"] = calibration_section(sentences, seed=plan.seed, draws=plan.draws)
    results["studies"] = _studies(plan, whole)
    return Outcome(results, cases, drafts)


def _reference(plan: Plan, case: StudyCase) -> str:
    return case.reference(plan.split)


def _head(plan: Plan, whole: Arm, measured: Measured, asked: int, faults: Mapping[str, str]) -> dict[str, Any]:
    patients = [case.patient for case in whole.cases]
    found = {
        name: interval(r, patients, seed=plan.seed, draws=plan.draws).as_json() for name, r in whole.ratios.items()
    }
    return {
        "format": FORMAT,
        "notice": NOTICE,
        "system": dict(plan.system),
        "data": {
            "source": plan.source,
            "split": plan.split,
            "studies": len(whole.cases),
            "patients": len(set(patients)),
            "asked": asked,
            "not_drafted": dict(faults),
        },
        "settings": {"seed": plan.seed, "draws": plan.draws, "level": LEVEL, "resampled": "patients"},
        "figures": found,
        "absent": measured.absent,
        "rexrank": _rexrank(found, measured.absent),
    }


def _rexrank(found: Mapping[str, Mapping[str, Any]], absent: Mapping[str, str]) -> dict[str, Any]:
    """The board's row: three decimals, absent metrics with their reason."""
    return {
        name: {"value": None if found[name]["value"] is None else round(found[name]["value"], 3), "n": found[name]["n"]}
        if name in found
        else {"absent": absent.get(name, "not computed")}
        for name in REXRANK
    }


def _sections(plan: Plan, whole: Arm, measured: Measured) -> dict[str, Any]:
    patients = [case.patient for case in whole.cases]
    options: dict[str, int] = {"seed": plan.seed, "draws": plan.draws}
    references = [_reference(plan, case) for case in whole.cases]
    texts = [_judged_text(plan, text) for text in whole.drafts]
    errors = {}
    for name in ("findings_errors", "chexprompt_errors"):
        if name in measured.components:
            parts = measured.components[name]
            categories = {key: values for key, values in parts.items() if key not in ("errors", "unanswered")}
            errors[name] = error_section(error_totals(parts), categories, patients, **options)
    return {
        "labels": label_section(texts, references, patients, **options),
        "errors": errors,
        "sites": site_section(whole.cases, whole.ratios, plan.trained_sites, **options),
        "subgroups": subgroup_section(whole.cases, whole.ratios, **options),
    }


def _judged_text(plan: Plan, text: str) -> str:
    return f"Findings: {section_text(text, 'findings')}" if plan.split == "findings" else text


def _arms(
    plan: Plan, whole: Arm, drafted: Mapping[str, tuple[Sequence[StudyCase], Drafted]], judges: Judges
) -> dict[str, Arm]:
    """By name of ARMS. The drafts are judged against the same references; has_prior is what the model was given."""
    rows = np.array([case.prior is not None for case in whole.cases], dtype=bool)
    if not rows.any():
        return {}
    own = [case for case in whole.cases if case.prior]
    true = Arm(own, [t for t, row in zip(whole.drafts, rows, strict=True) if row],
               {name: ratio.take(rows) for name, ratio in whole.ratios.items()})  # fmt: skip
    arms = {"true prior": true}
    for name in ARMS[1:3]:
        if name in drafted:
            asked, done = drafted[name]
            kept = [case for case in asked if case.study in done.drafts]
            arms[name] = _judged(plan, kept, [done.drafts[case.study].text for case in kept], judges)
    copies = [(case, text) for case in own if (text := copied(case))]
    arms[ARMS[3]] = _judged(plan, [case for case, _ in copies], [text for _, text in copies], judges)
    return {name: arm for name, arm in arms.items() if arm.cases}


def _judged(plan: Plan, cases: Sequence[StudyCase], texts: Sequence[str], judges: Judges) -> Arm:
    if not cases:
        return Arm([], [], {})
    seen = samples(cases, texts, plan.split)
    return Arm(cases, texts, figures(seen, judges.measure(seen)))


def _pair(ratio: Ratio, row: int) -> list[float] | None:
    """Numerator and denominator of one study; None where it was not judged."""
    return [float(ratio.numerator[row]), float(ratio.denominator[row])] if ratio.judged[row] else None


def _studies(plan: Plan, whole: Arm) -> list[dict[str, Any]]:
    return [
        {
            "study": case.study,
            "patient": case.patient,
            "site": case.site,
            "has_prior": case.prior is not None,
            "encounter": encounter_group(case.encounter),
            "temporal_class": temporal_class(case.reference("reports"), first=case.first),
            "groups": dict(case.groups),
            "reference": _reference(plan, case),
            "prediction": text,
            "scores": {name: _pair(ratio, row) for name, ratio in whole.ratios.items()},
        }
        for row, (case, text) in enumerate(zip(whole.cases, whole.drafts, strict=True))
    ]
