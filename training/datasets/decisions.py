"""What can only be decided over a whole collection: duplicates, one split per patient, the validation hold-out.

Duplicates: two studies whose chosen films are the same bytes; or of one patient, with the same words in the report
and either the same time or the same day and at least `duplicate_words` words (25: one long report filed for two
examinations of a day; a repeated template such as "No acute cardiopulmonary process." is another study). Another film
of another day is never a duplicate, however long the text: "no change" is a finding. Studies without a date are
compared by their films alone. Of duplicates the one in the strictest split is kept, then the earliest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from training.datasets.problems import Problem
from training.datasets.source import Source
from training.datasets.splits import held_out, per_patient, strictest

OPTIONS = ("duplicate_words",)
_STRICT_FIRST = {"test": 0, "validate": 1, "train": 2}


@dataclass(frozen=True, slots=True)
class Brief:
    """The few columns of a row that decisions need."""

    study_id: str
    patient_id: str
    split: str
    order_key: str
    image_digest: str
    report_digest: str
    words: int
    source_row: str

    @property
    def key(self) -> str:
        """What names a row within a collection, also where a study is there twice."""
        return self.source_row


@dataclass(frozen=True)
class Decisions:
    """Rows to drop, and the split of the patients whose split changes."""

    dropped: frozenset[str] = frozenset()
    splits: dict[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


Grouping = Callable[[Brief], tuple[str, ...] | None]


def _same_study(brief: Brief) -> tuple[str, ...] | None:
    return brief.patient_id, brief.study_id


def _same_image(brief: Brief) -> tuple[str, ...] | None:
    return (brief.image_digest,) if brief.image_digest else None


def _same_report(brief: Brief) -> tuple[str, ...] | None:
    timed = "T" in brief.order_key or "-" not in brief.order_key  # an ordinal is of one study
    told = brief.report_digest and brief.order_key and timed
    return (brief.patient_id, brief.report_digest, brief.order_key) if told else None


def _same_long_report(words: int) -> Grouping:
    def grouping(brief: Brief) -> tuple[str, ...] | None:
        told = brief.report_digest and brief.order_key and brief.words >= words
        return (brief.patient_id, brief.report_digest, brief.order_key.partition("T")[0]) if told else None

    return grouping


def _duplicates(briefs: Sequence[Brief], grouping: Grouping) -> Iterable[tuple[Brief, Brief]]:
    """(duplicate, the one that is kept)."""
    groups: dict[tuple[str, ...], list[Brief]] = defaultdict(list)
    for brief in briefs:
        key = grouping(brief)
        if key is not None:
            groups[key].append(brief)
    for group in groups.values():
        if len(group) > 1:
            first, *others = sorted(
                group, key=lambda b: (_STRICT_FIRST[b.split], b.order_key, b.patient_id, b.study_id, b.source_row)
            )
            yield from ((other, first) for other in others)


def _one_split(briefs: Sequence[Brief], dataset: str) -> tuple[dict[str, str], list[Problem]]:
    splits: dict[str, set[str]] = defaultdict(set)
    for brief in briefs:
        splits[brief.patient_id].add(brief.split)
    torn = {patient: strictest(found) for patient, found in splits.items() if len(found) > 1}
    problems = [
        Problem(
            dataset, brief.source_row, "patient in several splits", f"moved to {split}", brief.study_id, dropped=False
        )
        for brief in briefs
        if (split := torn.get(brief.patient_id)) and split != brief.split
    ]
    return torn, problems


def decide(briefs: Sequence[Brief], source: Source) -> Decisions:
    """Decide over all rows of one collection; the order of `briefs` does not matter."""
    dropped: dict[str, Problem] = {}
    left = list(briefs)
    long = _same_long_report(int(source.number("duplicate_words", 25)))
    for reason, grouping in (
        ("same study twice", _same_study),
        ("same image as another study", _same_image),
        ("same patient, time and report", _same_report),
        ("same patient, day and report", long),
    ):
        for brief, kept in _duplicates(left, grouping):
            dropped[brief.key] = Problem(
                source.dataset, brief.source_row, reason, f"{kept.patient_id}/{kept.study_id} is kept", brief.study_id
            )
        left = [brief for brief in left if brief.key not in dropped]
    splits, problems = _one_split(left, source.dataset)
    pairs = [(brief.patient_id, splits.get(brief.patient_id, brief.split)) for brief in left]
    wanted = int(source.number("validation_studies", 0))
    splits |= dict.fromkeys(held_out(per_patient(pairs), source.dataset, wanted), "validate")
    return Decisions(frozenset(dropped), splits, (*sorted(dropped.values()), *problems))
