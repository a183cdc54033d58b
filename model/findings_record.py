"""What a report can state, and one such statement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from model.report_text import SectionName

Condition = Literal[
    "enlarged cardiomediastinum",
    "cardiomegaly",
    "lung lesion",
    "calcified nodule",
    "lung opacity",
    "edema",
    "consolidation",
    "pneumonia",
    "atelectasis",
    "pneumothorax",
    "effusion",
    "pleural other",
    "fracture",
    "tube",
    "line",
    "pacemaker",
    "device",
    "other",
]
"""CheXpert's conditions, its support devices by kind, and two beside them: a calcified nodule is no lung lesion to
CheXpert; `other` is what merely forbids "No Finding" (its no_finding list: emphysema, scoliosis, ...)."""
Presence = Literal["present", "absent", "uncertain"]
Hedge = Literal["likely", "possible", "unsaid"]
"""How an uncertain statement hedges: "probable X", "X or Y" / "may be X", "cannot exclude X", "no new X" / a heart
that is "stable", of which nothing else is said."""
Side = Literal["right", "left", "bilateral"]
Zone = Literal["upper", "mid", "lower"]
Severity = Literal["mild", "moderate", "severe"]
Change = Literal["new", "worse", "improved", "resolved", "stable"]

CONDITIONS: tuple[Condition, ...] = get_args(Condition)
CHANGES: tuple[Change, ...] = ("new", "worse", "improved", "resolved", "stable")
DEVICES: tuple[Condition, ...] = ("tube", "line", "pacemaker", "device")
UNSIDED: frozenset[Condition] = frozenset({"enlarged cardiomediastinum", "cardiomegaly", "edema", "tube"})
ORGANS: frozenset[Condition] = frozenset({"enlarged cardiomediastinum", "cardiomegaly"})
"""Conditions also told by what is said of an organ: "the heart is enlarged"."""

BROAD: frozenset[Condition] = frozenset(
    {"enlarged cardiomediastinum", "lung lesion", "lung opacity", "pleural other", "fracture", "device", "other"}
)
"""Conditions so wide that two statements about one may be about different things ("no infiltrate", "apical scars"):
they neither contradict nor misplace each other."""


@dataclass(frozen=True)
class Finding:
    """One statement about one condition; None where the text does not say.

    size: the word as written ("small", "moderate", "marked"); severity: the same in three steps; size_mm: a stated
    measurement, the largest, in mm. term: the words by which the condition was recognised.
    """

    condition: Condition
    presence: Presence
    side: Side | None
    zone: Zone | None
    size: str | None
    change: Change | None
    section: SectionName
    sentence: str
    severity: Severity | None = None
    size_mm: float | None = None
    hedge: Hedge | None = None
    term: str = ""
