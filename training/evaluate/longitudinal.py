"""Follow-ups: by encounter and by what changed, and what a true, a missing and a wrong prior do to the draft.

The temporal class of a study is read from its reference by rule, the weightiest change first: nothing earlier known of
the patient: first study; anything new: new development; worse: progression; improved or resolved: regression; otherwise
no change. UniRG's classes were given by GPT-5 and call a resolved finding no regression; here it is one, since there is
no sixth class.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from model.findings import changes
from training.evaluate.cases import StudyCase
from training.evaluate.groups import Grouped, by_group
from training.evaluate.resampling import DRAWS, Ratio, interval, mean, paired
from training.rewards.reading import any_compares, spans

CLASSES = ("first study", "new development", "no change", "progression", "regression")
ARMS = ("true prior", "without prior", "wrong prior", "copied prior")
_LAST_ENCOUNTER = 5
_COMPARED = ("change_f1", "change_errors", "findings_f1", "findings_errors", "inverse_radcliq_v1")


def temporal_class(text: str, *, first: bool) -> str:
    """One of CLASSES, from the report's own words."""
    if first:
        return "first study"
    said = {change for *_, change in changes(text)}
    if "new" in said:
        return "new development"
    if "worse" in said:
        return "progression"
    return "regression" if said & {"improved", "resolved"} else "no change"


def encounter_group(encounter: int) -> str:
    """Place of the study among the patient's: 1 to 4 as text, then "5 or later"."""
    return str(encounter) if encounter < _LAST_ENCOUNTER else f"{_LAST_ENCOUNTER} or later"


def compares(text: str) -> bool:
    """Whether any sentence of findings or impression speaks of an earlier state."""
    return any_compares(spans(text))


def copied(case: StudyCase) -> str | None:
    """The copy-prior baseline: the prior's report as the draft; None without one."""
    return case.prior.report if case.prior else None


@dataclass(frozen=True)
class Arm:
    """The drafts of one way to give the prior: cases, texts, and the figures over them, all in the same order."""

    cases: Sequence[StudyCase]
    drafts: Sequence[str]
    ratios: Mapping[str, Ratio]


def class_agreement(cases: Sequence[StudyCase], drafts: Sequence[str]) -> dict[str, object]:
    """How often the draft's class is the reference's, over studies with a prior; counts by (reference, draft)."""
    pairs = [
        (temporal_class(case.reference("reports"), first=False), temporal_class(draft, first=False))
        for case, draft in zip(cases, drafts, strict=True)
        if case.prior
    ]
    table = {true: {said: pairs.count((true, said)) for said in CLASSES[1:]} for true in CLASSES[1:]}
    agreed = sum(true == said for true, said in pairs)
    return {"n": len(pairs), "agree": agreed / len(pairs) if pairs else None, "table": table}


def silent_share(drafts: Sequence[str], patients: Sequence[str], seed: int, draws: int) -> dict[str, object]:
    """Share of drafts without any comparison sentence: 1 is right where no prior was given."""
    silent = mean(np.array([float(not compares(text)) for text in drafts]))
    return {**interval(silent, patients, seed=seed, draws=draws).as_json()}


def longitudinal_section(whole: Arm, arms: Mapping[str, Arm], *, seed: int, draws: int = DRAWS) -> dict[str, object]:
    """For results.json. whole: every study as it came; arms: by name of ARMS, over the studies with a prior."""
    patients = [case.patient for case in whole.cases]
    grouped = Grouped(whole.ratios, patients)
    classes = [temporal_class(c.reference("reports"), first=c.first) for c in whole.cases]
    first = [k for k, case in enumerate(whole.cases) if case.prior is None]
    silent: dict[str, tuple[Sequence[str], Sequence[str]]] = {
        "studies without a prior": ([whole.drafts[k] for k in first], [patients[k] for k in first])
    }
    if "without prior" in arms:
        arm = arms["without prior"]
        silent["prior withheld"] = (arm.drafts, [case.patient for case in arm.cases])
    return {
        "encounters": by_group(grouped, [encounter_group(c.encounter) for c in whole.cases], seed, draws),
        "temporal_classes": by_group(grouped, classes, seed, draws),
        "class_agreement": class_agreement(whole.cases, whole.drafts),
        "arms": {name: _arm(arm, seed, draws) for name, arm in arms.items()},
        "differences": _differences(arms, seed, draws),
        "no_comparison_without_prior": {name: silent_share(*of, seed, draws) for name, of in silent.items()},
    }


def _arm(arm: Arm, seed: int, draws: int) -> dict[str, object]:
    patients = [case.patient for case in arm.cases]
    return {name: interval(ratio, patients, seed=seed, draws=draws).as_json() for name, ratio in arm.ratios.items()}


def _differences(arms: Mapping[str, Arm], seed: int, draws: int) -> dict[str, object]:
    """True prior minus each other arm, on the studies that both have."""
    if "true prior" not in arms:
        return {}
    found: dict[str, object] = {}
    for name, other in arms.items():
        if name == "true prior":
            continue
        left, right = _aligned(arms["true prior"], other)
        people = [case.patient for case in left.cases]
        found[name] = {
            figure: paired(left.ratios[figure], right.ratios[figure], people, seed=seed, draws=draws).as_json()
            for figure in _COMPARED
            if figure in left.ratios and figure in right.ratios
        }
    return found


def _aligned(first: Arm, second: Arm) -> tuple[Arm, Arm]:
    """Both arms over their common studies, in one order."""
    common = sorted({case.study for case in first.cases} & {case.study for case in second.cases})
    return _picked(first, common), _picked(second, common)


def _picked(arm: Arm, studies: Sequence[str]) -> Arm:
    place = {case.study: k for k, case in enumerate(arm.cases)}
    rows = np.array([place[study] for study in studies], dtype=int)
    ratios = {name: Ratio(r.numerator[rows], r.denominator[rows]) for name, r in arm.ratios.items()}
    return Arm([arm.cases[k] for k in rows], [arm.drafts[k] for k in rows], ratios)
