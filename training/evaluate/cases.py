"""What is evaluated: a study with its film, what the order said, its reference report, and who the patient is."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

import numpy as np
from PIL import Image

from model.prompting import Prior, Prompt, build_prompt
from model.report_text import compose

Film = Callable[[int], Image.Image]  # side in px -> square 8-bit L image; a partial of what it is made from
Split = Literal["reports", "findings"]  # ReXrank's words: findings + impression, or findings alone
AGE_BANDS = ((0, 40, "below 40"), (40, 60, "40 to 59"), (60, 80, "60 to 79"), (80, 200, "80 and over"))
UNKNOWN = "unknown"


class NoStudies(ValueError):
    """The studies that were asked for are not there; the message says which and what to do."""


@dataclass(frozen=True, slots=True)
class Draft:
    """The text as generated, and its tokens: (text, natural-log probability); none where they are not known."""

    text: str
    tokens: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class PriorStudy:
    """The same patient's most recent earlier study: film, report if there is one, date."""

    film: Film
    report: str | None
    study_date: date


@dataclass(frozen=True)
class StudyCase:
    """One study to be read.

    findings, impression: the reference, "" where it has none. encounter: 1 for the patient's first study in the data.
    groups: subgroup by attribute ("sex": "F", "age": "40 to 59", ...), "unknown" where it is not known.
    """

    study: str
    patient: str
    site: str
    film: Film
    findings: str
    impression: str
    indication: str | None = None
    comparison: str | None = None
    prior: PriorStudy | None = None
    encounter: int = 1
    groups: Mapping[str, str] = field(default_factory=dict)

    def reference(self, split: Split) -> str:
        """What a prediction of that split is judged by."""
        return compose(self.findings, self.impression if split == "reports" else "")

    @property
    def first(self) -> bool:
        """Whether nothing earlier is known of the patient: a follow-up may come without its prior."""
        return self.prior is None and self.encounter == 1

    def prompt(self, split: Split) -> Prompt:
        """As the service and the training ask."""
        prior = Prior(self.prior.study_date, self.prior.report) if self.prior else None
        sections: Literal["findings_and_impression", "findings"] = (
            "findings_and_impression" if split == "reports" else "findings"
        )
        return build_prompt(self.indication, comparison=self.comparison, prior=prior, sections=sections)

    def films(self) -> tuple[Film, ...]:
        """In the order of the prompt: prior first."""
        return (self.prior.film, self.film) if self.prior else (self.film,)


def whole_report(findings: str, impression: str) -> str:
    """The reference of the split `reports` as ReXrank's own script writes it: the word None for a missing section.

    For ReXrank's metrics alone: to any other judge the word is a sentence that nobody wrote.
    Source: rajpurkarlab/ReXrank, example_files/evaluation_script.md.
    """
    return f"Findings: {findings.strip() or None} Impression: {impression.strip() or None}"


def age_band(age: str | float | None) -> str:
    """Band of "63", 63, "063Y" or "50-60" (its middle); "unknown" for anything else."""
    numbers = [float(found) for found in re.findall(r"\d+(?:\.\d+)?", str(age or ""))][:2]
    if not numbers:
        return UNKNOWN
    middle = sum(numbers) / len(numbers)
    return next((name for low, high, name in AGE_BANDS if low <= middle < high), UNKNOWN)


def sex_group(sex: str | None) -> str:
    """F or M of any spelling, else "unknown"."""
    first = (sex or "").strip()[:1].upper()
    return first if first in {"F", "M"} else UNKNOWN


def judged_in(cases: Sequence[StudyCase], split: Split) -> list[StudyCase]:
    """The studies that the split can judge: with a findings section, or (reports) with any section."""
    return [case for case in cases if case.findings or (split == "reports" and case.impression)]


def without_priors(cases: Sequence[StudyCase]) -> list[StudyCase]:
    """The same studies as if nothing earlier were known, not even that something was compared."""
    return [replace(case, prior=None, comparison=None) for case in cases]


def with_wrong_priors(cases: Sequence[StudyCase], seed: int) -> list[StudyCase]:
    """The studies that have a prior, each with film and report of another patient's prior under its own date.

    Raises NoStudies where fewer than two patients have priors.
    """
    paired = [case for case in cases if case.prior]
    if len({case.patient for case in paired}) < 2:
        raise NoStudies("a wrong prior needs priors of at least two patients; give more studies with a prior")
    order = np.random.default_rng(seed).permutation(len(paired))
    return [_with_foreign_prior(case, [paired[k] for k in order]) for case in paired]


def _with_foreign_prior(case: StudyCase, others: Sequence[StudyCase]) -> StudyCase:
    """Takes the next other patient's prior after the case itself in the given order."""
    place = next(k for k, other in enumerate(others) if other is case)
    turned = (*others[place + 1 :], *others[:place])
    foreign = next(other.prior for other in turned if other.patient != case.patient)
    own = case.prior
    return replace(case, prior=replace(foreign, study_date=own.study_date) if foreign and own else None)
