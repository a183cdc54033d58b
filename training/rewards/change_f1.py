"""F1 over the changes two reports state against the prior: stable findings count like the others.

The error counts follow CheXprompt, for which an omitted "unchanged" is no error, and count a condition once however
many of its changes are wrong: a policy that earned only by them could leave out what is stable. This is the other half.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from model.findings import changes
from training.rewards.batch import Sample, Scores, scores
from training.rewards.reading import is_empty


@dataclass(frozen=True)
class ChangeF1:
    """2 TP / (said + true) over (condition, side, zone, change) of each report, 0 … 1.

    No change on either side: 1, so that what invents one earns less. An empty prediction is 0. Missing where the
    reference is empty. Components hit, said, true are the counts.
    """

    name: str = "change_f1"

    def __call__(self, batch: Sequence[Sample]) -> Scores:
        """0 … 1 per sample; see the class."""
        pairs = [(_claimed(one.prediction), _stated(one.reference)) for one in batch]
        counts = [(len(said & true), len(said), len(true)) for said, true in pairs]
        values = [_value(one, *row) for one, row in zip(batch, counts, strict=True)]
        names = ("hit", "said", "true")
        return scores(values, {name: [row[place] for row in counts] for place, name in enumerate(names)})


def _value(one: Sample, hit: int, said: int, true: int) -> float | None:
    if is_empty(one.reference):
        return None
    if is_empty(one.prediction):
        return 0.0
    return 2 * hit / (said + true) if said + true else 1.0


@lru_cache(maxsize=8192)
def _stated(text: str) -> frozenset[tuple[object, ...]]:
    return frozenset(changes(text))


@lru_cache(maxsize=8192)
def _claimed(text: str) -> frozenset[tuple[object, ...]]:
    return frozenset(changes(text, every_section=True))
