"""Label F1 per condition: what a draft states as present against what its reference states.

Two policies: only statements of presence count ("present"), or uncertain ones count as present too
("present_or_uncertain", what CheXbert's F1 does). A condition that no reference states has no place in the macro mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from model.findings import CHEXPERT, DEVICES, chexpert_labels, read_findings
from training.evaluate.resampling import DRAWS, Numbers, Ratio, finite, interval

Policy = Literal["present", "present_or_uncertain"]
POLICIES: Mapping[Policy, frozenset[int]] = {"present": frozenset({1}), "present_or_uncertain": frozenset({1, -1})}
FIVE = ("Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Pleural Effusion")  # CheXbert's top five
Labels = dict[str, int | None]


def labels(text: str) -> Labels:
    """The 14 CheXpert conditions and the devices: 1 present, 0 absent, -1 uncertain, None not mentioned."""
    stated = {"absent": 0, "uncertain": -1, "present": 1}
    devices: Labels = {f"device: {name}": None for name in DEVICES}
    for found in read_findings(text):
        name = f"device: {found.condition}"
        if name in devices and devices[name] != 1:
            devices[name] = stated[found.presence]
    return {**chexpert_labels(text), **devices}


@dataclass(frozen=True, eq=False)
class Counts:
    """bool [n, conditions] each: stated by the draft, true by the reference."""

    conditions: tuple[str, ...]
    said: np.ndarray
    true: np.ndarray

    def of(self, names: Sequence[str]) -> Counts:
        """Some of the conditions."""
        columns = [self.conditions.index(name) for name in names]
        return Counts(tuple(names), self.said[:, columns], self.true[:, columns])

    def ratio(self) -> Ratio:
        """Micro-F1 over all conditions here: 2 TP / (said + true) of each study."""
        hits = (self.said & self.true).sum(axis=1).astype(np.float64)
        return Ratio(2 * hits, (self.said.sum(axis=1) + self.true.sum(axis=1)).astype(np.float64))


def counts(said: Sequence[Labels], true: Sequence[Labels], policy: Policy) -> Counts:
    """What is positive under the policy; n studies, in order."""
    conditions = tuple(dict.fromkeys(name for one in (*said, *true) for name in one))
    positive = POLICIES[policy]
    drawn = (np.array([[one.get(name) in positive for name in conditions] for one in many]) for many in (said, true))
    return Counts(conditions, *(table.reshape(len(true), len(conditions)) for table in drawn))


def _scores(said: Numbers, true: Numbers) -> dict[str, float | int | None]:
    hits, claims, facts = int((said & true).sum()), int(said.sum()), int(true.sum())  # type: ignore[operator]
    return {
        "f1": 2 * hits / (claims + facts) if claims + facts else None,
        "precision": hits / claims if claims else None,
        "recall": hits / facts if facts else None,
        "stated": claims,
        "true": facts,
    }


def _macro(table: Counts) -> tuple[float | None, int]:
    """Mean F1 over the conditions that the references have, and how many these are."""
    each = [
        _scores(table.said[:, k], table.true[:, k])["f1"]
        for k in range(len(table.conditions))
        if table.true[:, k].any()
    ]
    return (finite(float(np.mean([value or 0.0 for value in each]))) if each else None), len(each)


def label_section(
    drafts: Sequence[str], references: Sequence[str], patients: Sequence[str], *, seed: int, draws: int = DRAWS
) -> dict[str, object]:
    """For results.json: per policy, F1 of each condition and micro (with interval) and macro of three sets."""
    said, true = [labels(text) for text in drafts], [labels(text) for text in references]
    section: dict[str, object] = {"n": len(drafts)}
    for policy in POLICIES:
        table = counts(said, true, policy)
        devices = [name for name in table.conditions if name.startswith("device: ")]
        sets = {"chexpert_14": list(CHEXPERT), "chexpert_5": list(FIVE), "devices": devices}
        section[policy] = {
            "conditions": {
                name: _scores(table.said[:, k], table.true[:, k]) for k, name in enumerate(table.conditions)
            },
            "sets": {name: _of_set(table.of(members), patients, seed, draws) for name, members in sets.items()},
        }
    return section


def _of_set(table: Counts, patients: Sequence[str], seed: int, draws: int) -> dict[str, object]:
    macro, conditions = _macro(table)
    micro = interval(table.ratio(), patients, seed=seed, draws=draws)
    return {"micro_f1": micro.as_json(), "macro_f1": macro, "macro_conditions": conditions}
