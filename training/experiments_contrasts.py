"""What the arms' scores say beyond single figures: priors, the unseen site, subgroups, comparing without a prior.

A draft without a prior states no change, and neither does the copied report: their change F1 is 0 and their change
errors are the reference's changes, by construction. What tells them apart is the error score over the whole report.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from training.evaluate.resampling import LEVEL, Ratio, finite, gap, interval, paired, replicates, unpaired

Columns = Mapping[str, Sequence[Any]]
Figure = Callable[[Columns], Ratio]
Rows = dict[str, dict[str, Any]]
PAIRS = (("given", "none"), ("none", "wrong"), ("given", "copied"), ("none", "copied"), ("wrong", "copied"))
_NAMES = {"given": "true prior", "none": "without prior", "wrong": "wrong prior", "copied": "copied report"}
_AGES = ((45, "under 45"), (65, "45 to 64"), (200, "65 and over"))


def where(columns: Columns, keep: Sequence[bool] | np.ndarray) -> Columns:
    """The rows that are marked in `keep`."""
    return {name: [value for value, kept in zip(values, keep, strict=True) if kept] for name, values in columns.items()}


def _of_pairs(columns: Columns, condition: str) -> Columns:
    both = zip(columns["condition"], columns["pair"], strict=True)
    return where(columns, [one == condition and bool(pair) for one, pair in both])


def given(columns: Columns) -> Columns:
    """Every study once, with the prior it has."""
    return where(columns, [one == "given" for one in columns["condition"]])


def priors(columns: Columns, figures: Mapping[str, Figure], seed: int) -> Rows:
    """Differences between what the same pairs earn with one kind of prior and with another."""
    parts = {name: _of_pairs(columns, name) for name in _NAMES}
    rows: Rows = {}
    for first, second in PAIRS:
        one, other = _shared(parts[first], parts[second])
        if one["study"]:
            rows[f"{_NAMES[first]} less {_NAMES[second]}"] = {
                name: paired(figure(one), figure(other), one["study"], seed=seed).as_json()
                for name, figure in figures.items()
            }
    return rows


def _shared(first: Columns, second: Columns) -> tuple[Columns, Columns]:
    """Of both the studies that both have: not every pair is read with every kind of prior."""
    both = set(first["study"]) & set(second["study"])
    one, other = (where(part, [study in both for study in part["study"]]) for part in (first, second))
    if list(one["study"]) != list(other["study"]):
        raise ValueError("the two conditions hold their studies in another order or number; score the arm again")
    return one, other


def silence(columns: Columns, seed: int) -> dict[str, Any]:
    """Share of drafts with a comparison among those that were given no prior."""
    both = zip(columns["condition"], columns["pair"], strict=True)
    alone = where(columns, [one == "none" or (one == "given" and not pair) for one, pair in both])
    said = np.array(alone["compares"], dtype=np.float64)
    return interval(Ratio(said, np.ones_like(said)), alone["study"], seed=seed).as_json()


def drops(columns: Columns, base: Columns | None, figures: Mapping[str, Figure], unseen: str, seed: int) -> Rows:
    """Seen sites less the unseen one; and how much larger that is than of `base`, on the same studies."""
    seen, far = (where(given(columns), mask) for mask in _sites(given(columns), unseen))
    if not far["study"]:
        return {}
    rows: Rows = {
        "drop": {
            name: unpaired((figure(seen), seen["study"]), (figure(far), far["study"]), seed=seed).as_json()
            for name, figure in figures.items()
        }
    }
    if base is not None:
        near, away = (where(given(base), mask) for mask in _sites(given(base), unseen))
        rows["drop less that of sft"] = {
            name: _sum(
                [
                    _Term(1, figure(seen), seen["study"], seed),
                    _Term(-1, figure(far), far["study"], seed + 1),
                    _Term(-1, figure(near), near["study"], seed),
                    _Term(1, figure(away), away["study"], seed + 1),
                ]
            )
            for name, figure in figures.items()
        }
    return rows


def _sites(columns: Columns, unseen: str) -> tuple[np.ndarray, np.ndarray]:
    away = np.array([site == unseen for site in columns["site"]])
    return ~away, away


def composite(mixed: Columns, alone: Columns, figures: Mapping[str, Figure], seed: int) -> dict[str, dict[str, Any]]:
    """The composite's arm less the arm of one reward on the same studies; "aggregate" is the mean over the figures."""
    terms = {
        name: [_Term(1, figure(mixed), mixed["study"], seed), _Term(-1, figure(alone), alone["study"], seed)]
        for name, figure in figures.items()
    }
    share = 1 / len(terms)
    everything = [replace(term, weight=share * term.weight) for both in terms.values() for term in both]
    return {name: _sum(both) for name, both in terms.items()} | {"aggregate": _sum(everything)}


@dataclass(frozen=True)
class _Term:
    """A figure with its weight in a sum. Terms of one seed and one number of patients are drawn together."""

    weight: float
    ratio: Ratio
    patients: Sequence[str]
    seed: int


def _sum(terms: Sequence[_Term]) -> dict[str, Any]:
    value = sum(term.weight * term.ratio.value for term in terms)
    drawn = sum(term.weight * replicates(term.ratio, term.patients, seed=term.seed) for term in terms)
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return {"value": finite(value), "low": finite(low), "high": finite(high)}


def subgroups(columns: Columns, figures: Mapping[str, Figure], seed: int) -> dict[str, Rows]:
    """By sex, age and build (as rendered): every group with its n, and the largest less the smallest."""
    columns = given(columns)
    kinds: dict[str, list[str]] = {
        "sex": list(columns["sex"]),
        "age": [next(name for limit, name in _AGES if age < limit) for age in columns["age"]],
        "build": list(columns["build"]),
    }
    table: dict[str, Rows] = {}
    for kind, labels in kinds.items():
        groups = {name: where(columns, [one == name for one in labels]) for name in sorted(set(labels))}
        rows: Rows = {}
        for name, part in groups.items():
            rows[name] = {
                key: interval(figure(part), part["study"], seed=seed).as_json() for key, figure in figures.items()
            }
        if len(groups) > 1:
            rows["gap"] = {
                key: gap({name: (figure(part), part["study"]) for name, part in groups.items()}, seed=seed).as_json()
                for key, figure in figures.items()
            }
        table[kind] = rows
    return table
