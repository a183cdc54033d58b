"""CheXprompt's six error categories, counted by rule from extracted findings. A stand-in: it is NOT CheXprompt.

It sees only the conditions `model.findings` reads, does not tell significant from insignificant errors, and takes the
reference's sentences at their word. Use it where no judge can be served; never quote it as CheXprompt.

A false finding, B omitted finding, C wrong location, D wrong severity, E comparison the reference does not make,
F omitted comparison that describes a change (stable is none). A and B per condition; C (side, zone) and D once per
condition that both report and qualify; E and F per condition, and once for comparisons that name no condition.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from model.findings import Finding
from training.rewards.agreement import side_set
from training.rewards.batch import Sample, Scores, scores
from training.rewards.reading import any_compares, by_condition, claims, is_empty, severity, spans, statements, written

CATEGORIES = ("A", "B", "C", "D", "E", "F")
Groups = dict[str, list[Finding]]


@dataclass(frozen=True)
class FindingsErrors:
    """1 / (1 + errors), 0 … 1; components are the six counts by letter and their sum "errors".

    "Possible" counts as said: a guess that is not in the reference is a false finding. It also counts as reported, so
    hedging a true finding is no omission; what the reference itself doubts may be left out.
    An empty prediction earns 0 whatever its count, so that silence about a normal film is no perfect report. Missing
    where the reference is empty.
    """

    name: str = "findings_errors"

    def __call__(self, batch: Sequence[Sample]) -> Scores:
        """0 … 1 per sample; see the class."""
        counted = [None if is_empty(one.reference) else count_errors(one.prediction, one.reference) for one in batch]
        totals = [None if row is None else sum(row.values()) for row in counted]
        values = [
            None if total is None else (0.0 if is_empty(one.prediction) else 1 / (1 + total))
            for one, total in zip(batch, totals, strict=True)
        ]
        letters = {letter: [None if row is None else row[letter] for row in counted] for letter in CATEGORIES}
        return scores(values, letters | {"errors": totals})


def count_errors(prediction: str, reference: str) -> dict[str, int]:
    """Errors per category, letters as in the module's docstring."""
    said, true = _claimed(claims(prediction)), _claimed(statements(reference))
    firm = {name for name, found in true.items() if any(one.presence == "present" for one in found)}
    both = said.keys() & true.keys()
    added, omitted = _comparisons(prediction, reference)
    return {
        "A": len(said.keys() - true.keys()),
        "B": len(firm - said.keys()),
        "C": sum(_differ(_places, said[name], true[name]) for name in both),
        "D": sum(_differ(_severities, said[name], true[name]) for name in both),
        "E": added,
        "F": omitted,
    }


def _claimed(findings: Iterable[Finding]) -> Groups:
    return by_condition(found for found in findings if found.presence != "absent")


def _places(found: Finding) -> Iterable[tuple[str, str]]:
    zone = [("zone", found.zone)] if found.zone else []
    return [*(("side", side) for side in side_set(found)), *zone]


def _severities(found: Finding) -> Iterable[tuple[str, str]]:
    rank = severity(found)
    return [("severity", str(rank))] if rank else []


def _differ(
    read: Callable[[Finding], Iterable[tuple[str, str]]], said: Sequence[Finding], true: Sequence[Finding]
) -> bool:
    """Whether both state the same kind of attribute with different values; one that is silent is not wrong."""
    got, wanted = (set(chain.from_iterable(map(read, found))) for found in (said, true))
    kinds = {kind for kind, _ in got} & {kind for kind, _ in wanted}
    return any({v for k, v in got if k == kind} != {v for k, v in wanted if k == kind} for kind in kinds)


def _comparisons(prediction: str, reference: str) -> tuple[int, int]:
    """Comparisons added (E) and changes omitted (F)."""
    said, true = _changes(claims(prediction)), _changes(statements(reference))
    added = sum(not changes <= true.get(name, set()) for name, changes in said.items())
    omitted = sum(bool(changes - {"stable"}) and name not in said for name, changes in true.items())
    loose = not said and not true and any_compares(written(prediction)) and not any_compares(spans(reference))
    return added + loose, omitted


def _changes(findings: Iterable[Finding]) -> dict[str, set[str]]:
    groups: dict[str, set[str]] = {}
    for found in findings:
        if found.change:
            groups.setdefault(found.condition, set()).add(found.change)
    return groups
