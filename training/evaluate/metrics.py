"""The figures of a set of drafts: ReXrank's metrics, and what can be computed without any weights.

Metrics come from training/rewards by their catalogue names. One that cannot be computed here is absent, with the
reason, and never zero. RadCliQ-v1 is made of the three sub-scores by its published formula; 1/RadCliQ-v1 is one over
its mean.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from model.findings import changes, present
from model.report_text import SectionName, section_text
from training.evaluate.cases import Split, StudyCase
from training.evaluate.resampling import Numbers, Ratio, inverse_mean, mean
from training.rewards.batch import Reward, RewardOutage, RewardUnusable, Sample
from training.rewards.catalogue import build
from training.rewards.radcliq import radcliq_v1
from training.rewards.weights import MissingWeights, UnusableWeights

Better = Literal["higher", "lower", "neither"]


@dataclass(frozen=True, slots=True)
class Figure:
    """What one number is called and which way is better."""

    title: str
    better: Better = "higher"


FIGURES: dict[str, Figure] = {
    "inverse_radcliq_v1": Figure("1 / mean RadCliQ-v1"),
    "radcliq_v1": Figure("RadCliQ-v1", "lower"),
    "bleu_2": Figure("BLEU-2"),
    "bertscore": Figure("BERTScore"),
    "sembscore": Figure("SembScore"),
    "radgraph_combined": Figure("RadGraph combined"),
    "ratescore": Figure("RaTEScore"),
    "green": Figure("GREEN"),
    "chexprompt_errors": Figure("CheXprompt errors per report", "lower"),
    "findings_f1": Figure("Findings F1 (condition and side, micro)"),
    "change_f1": Figure("Change F1 (condition, side, change, micro)"),
    "change_errors": Figure("Wrong or missing change statements per report", "lower"),
    "findings_errors": Figure("findings_errors per report (stand-in, not CheXprompt)", "lower"),
    "findings_errors_reward": Figure("1/(1 + findings_errors) (stand-in)"),
    "sentence_similarity": Figure("Sentence similarity, MiniLM (stand-in)"),
    "length_ratio": Figure("Words written / words of the reference", "neither"),
}
REXRANK = (
    "inverse_radcliq_v1",
    "radcliq_v1",
    "bleu_2",
    "bertscore",
    "sembscore",
    "radgraph_combined",
    "ratescore",
    "green",
)
# figure: name in the catalogue, and whether it takes [rewards.weights]
_JUDGES: dict[str, tuple[str, bool]] = {
    "bleu_2": ("bleu2", False),
    "bertscore": ("bertscore", True),
    "sembscore": ("sembscore", True),
    "radgraph_combined": ("radgraph_combined", True),
    "ratescore": ("ratescore", True),
    "green": ("green", True),
    "findings_errors": ("findings_errors", False),
    "sentence_similarity": ("sentence_similarity", False),
}
_SECTIONS: tuple[SectionName, ...] = ("findings", "impression")
_CANNOT = (MissingWeights, UnusableWeights, RewardUnusable, ImportError)


class BadMetricsFile(ValueError):
    """The metrics file is not TOML, or has an unknown key; the message names both."""


@dataclass(frozen=True)
class Setup:
    """Where judges find their weights, and options of single judges, by figure; "chexprompt" only where it is given."""

    weights: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def read_setup(path: Path | None) -> Setup:
    """[rewards.weights] key = path; [rewards.options.NAME] as the catalogue takes them.

    Raises BadMetricsFile, OSError.
    """
    if path is None:
        return Setup()
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8")).get("rewards", {})
    except tomllib.TOMLDecodeError as error:
        raise BadMetricsFile(f"{path} is not TOML: {error}") from None
    options = table.get("options", {})
    unknown = sorted({*table} - {"weights", "options"}) + sorted({*options} - {*_JUDGES, "chexprompt"})
    if unknown:
        known = ", ".join([*_JUDGES, "chexprompt"])
        raise BadMetricsFile(
            f"{path}: unknown {', '.join(unknown)}; there are rewards.weights and rewards.options.<metric>, with the "
            f"metrics {known}"
        )
    return Setup(table.get("weights", {}), options)


class Judges:
    """The metrics that can be computed here; `absent` says why the others cannot."""

    def __init__(self, setup: Setup) -> None:
        self.absent: dict[str, str] = {}
        self._rewards: dict[str, Reward] = {}
        for figure, (name, weighs) in _JUDGES.items():
            given = {"weights": dict(setup.weights)} if weighs else {}
            self._make(figure, name, given | dict(setup.options.get(figure, {})))
        if "chexprompt" in setup.options:
            self._make("chexprompt_errors", "chexprompt", dict(setup.options["chexprompt"]))
        else:
            self.absent["chexprompt_errors"] = (
                "no judge is configured ([rewards.options.chexprompt] of the metrics file)"
            )

    def _make(self, figure: str, name: str, options: dict[str, Any]) -> None:
        try:
            self._rewards[figure] = build(name, options)
        except _CANNOT as error:
            self.absent[figure] = str(error)

    def measure(self, samples: Sequence[Sample]) -> Measured:
        """All figures of the samples."""
        found = Measured(absent=dict(self.absent))
        for figure, reward in self._rewards.items():
            try:
                judged = reward([as_rexrank_writes(one) for one in samples] if figure in REXRANK else samples)
            except (RewardOutage, RewardUnusable) as error:
                found.absent[figure] = f"the judge failed: {error}"
                continue
            found.values[figure], found.components[figure] = judged.values, dict(judged.components)
        return found


@dataclass
class Measured:
    """Values [n] by figure, their components, and why a figure is absent."""

    values: dict[str, Numbers] = field(default_factory=dict)
    components: dict[str, dict[str, Numbers]] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)


def as_rexrank_writes(one: Sample) -> Sample:
    """A whole report's reference in the form of `whole_report`."""
    if one.asked == "findings":
        return one
    missing = {name: not section_text(one.reference, name) for name in _SECTIONS}
    before = "Findings: None " if missing["findings"] else ""
    return replace(one, reference=before + one.reference + (" Impression: None" if missing["impression"] else ""))


def samples(cases: Sequence[StudyCase], drafts: Sequence[str], split: Split) -> list[Sample]:
    """What judges see. The findings split compares the bare findings of both, as ReXrank does."""
    return [
        Sample(
            prediction=section_text(draft, "findings") if split == "findings" else draft,
            reference=case.findings if split == "findings" else case.reference(split),
            has_prior=case.prior is not None,
            prior_report=case.prior.report if case.prior else None,
            asked="findings" if split == "findings" else "report",
            dataset=case.site,
            study=case.study,
        )
        for case, draft in zip(cases, drafts, strict=True)
    ]


def overlap(said: Sequence[set[Any]], true: Sequence[set[Any]]) -> Ratio:
    """Micro-F1 of sets: 2 |said and true| / (|said| + |true|) of each study."""
    hits = [2.0 * len(one & other) for one, other in zip(said, true, strict=True)]
    sizes = [float(len(one) + len(other)) for one, other in zip(said, true, strict=True)]
    return Ratio(np.array(hits), np.array(sizes))


def figures(judged: Sequence[Sample], measured: Measured) -> dict[str, Ratio]:
    """Every figure that could be computed, in the order of FIGURES."""
    found = _rule_figures(judged)
    found |= {name: mean(values) for name, values in measured.values.items()}
    for name in ("findings_errors", "chexprompt_errors"):
        if name in measured.values:
            found[f"{name}_reward"], found[name] = (
                mean(measured.values[name]),
                mean(error_totals(measured.components[name])),
            )
    radcliq = _radcliq(measured)
    if radcliq is not None:
        found |= {"radcliq_v1": mean(radcliq), "inverse_radcliq_v1": inverse_mean(radcliq)}
    return {name: found[name] for name in FIGURES if name in found}


def error_totals(components: Mapping[str, Numbers]) -> Numbers:
    """Errors per report, [n]: of findings_errors, or of the judge (significant and insignificant together)."""
    if "errors" in components:
        return components["errors"]
    return components["judge_significant"] + components["judge_insignificant"]


def _rule_figures(judged: Sequence[Sample]) -> dict[str, Ratio]:
    said, true = [changes(one.prediction) for one in judged], [changes(one.reference) for one in judged]
    words = [(len(one.prediction.split()), len(one.reference.split())) for one in judged]
    return {
        "findings_f1": overlap([present(one.prediction) for one in judged], [present(one.reference) for one in judged]),
        "change_f1": overlap(said, true),
        "change_errors": mean([float(len(one ^ other)) for one, other in zip(said, true, strict=True)]),
        "length_ratio": Ratio(*(np.array(column, dtype=np.float64) for column in zip(*words, strict=True))),
    }


def _radcliq(measured: Measured) -> Numbers | None:
    """RadCliQ-v1 of each study; None, and the reason noted, where a sub-score is absent."""
    parts = ("radgraph_combined", "bertscore", "sembscore")
    lacking = [name for name in parts if name not in measured.values]
    if lacking:
        reason = f"RadCliQ-v1 is made of {', '.join(parts)}; absent here: {', '.join(lacking)}"
        measured.absent |= {"radcliq_v1": reason, "inverse_radcliq_v1": reason}
        return None
    return radcliq_v1(*(measured.values[name] for name in parts))
