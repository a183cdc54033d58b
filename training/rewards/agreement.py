"""Side, zone, severity and measurement of the findings that the reference reports: in the right place, of its size.

Only what the reference states is asked for; a prediction that says more is not punished here. A condition the
prediction leaves out earns nothing for its attributes, so silence never beats an honest attempt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from model.findings import Finding, sides
from training.rewards.batch import Sample, Scores, scores
from training.rewards.reading import TOP_RANK, by_condition, claims, is_empty, severity, statements

ASPECTS = ("side", "zone", "severity", "measure")


@dataclass(frozen=True)
class Agreement:
    """Mean agreement over (condition, aspect) pairs the reference states, 0 … 1, components per aspect.

    side, zone: overlap of the stated sets (intersection / union; bilateral is right and left); severity: 1 minus the
    distance of the nearest ranks over the largest distance (trace 1 … severe 4); measure: smaller / larger length,
    of the nearest.
    Missing where the reference states none of these: that depends on the reference alone, so the policy cannot
    bring it about.
    """

    name: str = "agreement"

    def __call__(self, batch: Sequence[Sample]) -> Scores:
        """0 … 1 per sample; see the class."""
        rows = [_agreement(one.prediction, one.reference) for one in batch]
        return scores(
            [_mean(list(chain.from_iterable(row.values()))) for row in rows],
            {aspect: [_mean(row[aspect]) for row in rows] for aspect in ASPECTS},
        )


def _mean(values: Sequence[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _agreement(prediction: str, reference: str) -> dict[str, list[float]]:
    marks: dict[str, list[float]] = {aspect: [] for aspect in ASPECTS}
    if is_empty(reference):
        return marks
    said = by_condition(_claimed(claims(prediction)))
    for condition, true in by_condition(_claimed(statements(reference))).items():
        for aspect, (read, compare) in _READERS.items():
            if wanted := set(chain.from_iterable(map(read, true))):
                got = set(chain.from_iterable(map(read, said.get(condition, []))))
                marks[aspect].append(compare(got, wanted) if got else 0.0)
    return marks


def _claimed(findings: Iterable[Finding]) -> Iterator[Finding]:
    return (found for found in findings if found.presence != "absent")


def side_set(found: Finding) -> Iterator[str]:
    """Single sides the statement names."""
    return (side for side in sides(found) if side)


def _zones(found: Finding) -> Iterator[str]:
    return iter([found.zone] if found.zone else [])


def _severities(found: Finding) -> Iterator[float]:
    rank = severity(found)
    return iter([float(rank)] if rank else [])


def _millimetres(found: Finding) -> Iterator[float]:
    return iter([found.size_mm] if found.size_mm else [])


def overlap(got: set[str], wanted: set[str]) -> float:
    """Intersection over union, 0 … 1."""
    return len(got & wanted) / len(got | wanted)


def _nearest_rank(got: set[float], wanted: set[float]) -> float:
    # The mean over what was said, as of lengths: naming every grade does not pay.
    return sum(1 - min(abs(g - w) for w in wanted) / (TOP_RANK - 1) for g in got) / len(got)


def _nearest_length(got: set[float], wanted: set[float]) -> float:
    return sum(max(min(g, w) / max(g, w) for w in wanted) for g in got) / len(got)


_READERS: dict[str, tuple[Callable[[Finding], Iterator[object]], Callable[[set, set], float]]] = {  # type: ignore[type-arg]
    "side": (side_set, overlap),
    "zone": (_zones, overlap),
    "severity": (_severities, _nearest_rank),
    "measure": (_millimetres, _nearest_length),
}
