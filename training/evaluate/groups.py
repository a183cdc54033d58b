"""Figures by group of studies (site, sex, age, encounter, ...), the gap between groups, seen against unseen sites.

Every group is shown with its n, however small; the gap is given over all groups and over those of at least LARGE.
Studies of which an attribute is not known are shown, but are no group: they have no part in a gap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from training.evaluate.cases import UNKNOWN, StudyCase
from training.evaluate.metrics import FIGURES
from training.evaluate.resampling import DRAWS, Ratio, finite, gap, interval, unpaired

LARGE = 30  # studies below which a group's figure says little


@dataclass(frozen=True)
class Grouped:
    """Figures over studies, and whose studies they are, in the same order."""

    ratios: Mapping[str, Ratio]
    patients: Sequence[str]

    def part(self, name: str, rows: np.ndarray) -> tuple[Ratio, list[str]]:
        """One figure over some studies, rows: bool [n]."""
        return self.ratios[name].take(rows), [who for who, row in zip(self.patients, rows, strict=True) if row]


def by_group(whole: Grouped, groups: Sequence[str], seed: int, draws: int = DRAWS) -> dict[str, object]:
    """{group: {"studies": n, figure: interval}}, groups in order of name; groups: one label per study."""
    table: dict[str, object] = {}
    for group in sorted(set(groups)):
        rows = np.array([one == group for one in groups])
        parts = {name: whole.part(name, rows) for name in whole.ratios}
        table[group] = {"studies": int(rows.sum())} | {
            name: interval(*part, seed=seed, draws=draws).as_json() for name, part in parts.items()
        }
    return table


def gaps(whole: Grouped, groups: Sequence[str], seed: int, draws: int = DRAWS) -> dict[str, object]:
    """By figure: largest minus smallest over all groups, and over the large ones, with the worst and the best."""
    found: dict[str, object] = {}
    sizes = {group: list(groups).count(group) for group in sorted(set(groups) - {UNKNOWN})}
    for name in whole.ratios:
        if FIGURES[name].better == "neither":
            continue
        kept = {"all_groups": list(sizes), "large_groups": [group for group, n in sizes.items() if n >= LARGE]}
        found[name] = {
            which: _gap(name, {g: whole.part(name, np.array([o == g for o in groups])) for g in names}, seed, draws)
            for which, names in kept.items()
        }
    return found


def _gap(
    name: str, parts: Mapping[str, tuple[Ratio, Sequence[str]]], seed: int, draws: int
) -> dict[str, object] | None:
    """None with fewer than two groups that have the figure."""
    known = {group: part for group, part in parts.items() if finite(part[0].value) is not None}
    if len(known) < 2:
        return None
    ranked = sorted(known, key=lambda group: known[group][0].value)
    worst, best = (ranked[0], ranked[-1]) if FIGURES[name].better == "higher" else (ranked[-1], ranked[0])
    return {**gap(known, seed=seed, draws=draws).as_json(), "worst": worst, "best": best}


def subgroup_section(
    cases: Sequence[StudyCase], ratios: Mapping[str, Ratio], *, seed: int, draws: int = DRAWS
) -> dict[str, object]:
    """For results.json: per attribute the groups and gaps. An attribute that no study has is said to be unknown."""
    whole = Grouped(ratios, [case.patient for case in cases])
    attributes = list(dict.fromkeys(name for case in cases for name in case.groups))
    section: dict[str, object] = {}
    for attribute in attributes:
        groups = [case.groups.get(attribute, UNKNOWN) for case in cases]
        section[attribute] = {"groups": by_group(whole, groups, seed, draws), "gaps": gaps(whole, groups, seed, draws)}
    return section


def site_section(
    cases: Sequence[StudyCase],
    ratios: Mapping[str, Ratio],
    trained_sites: Sequence[str],
    *,
    seed: int,
    draws: int = DRAWS,
) -> dict[str, object]:
    """For results.json: every site, which were trained on, and seen minus unseen with interval where both are there."""
    whole, sites = Grouped(ratios, [case.patient for case in cases]), [case.site for case in cases]
    seen = np.array([site in trained_sites for site in sites])
    section: dict[str, object] = {
        "trained_sites": list(trained_sites),
        "sites": by_group(whole, sites, seed, draws),
        "gaps": gaps(whole, sites, seed, draws),
    }
    if trained_sites and seen.any() and not seen.all():
        labels = ["seen" if one else "unseen" for one in seen]
        section["seen_unseen"] = by_group(whole, labels, seed, draws)
        section["drop"] = {
            name: unpaired(whole.part(name, seen), whole.part(name, ~seen), seed=seed, draws=draws).as_json()
            for name in ratios
        }
    return section
