"""RadGraph F1 in both published variants, from entity and relation annotations; the names keep them apart.

`radgraph_combined`: Yu et al. 2023 (CXR-Report-Metric, ReXrank, RadCliQ): mean of the F1 of the set of (tokens, label)
and the F1 of the set of ((tokens, label), (tokens, label), relation), as written; nothing against nothing is 0.
`radgraph_simple`, `radgraph_partial`, `radgraph_complete`: Delbrouck et al. 2022 (the radgraph package): one set each,
in lower case, of entities with their label; plus whether they have a relation; plus each relation and its target.
The two are not comparable, and neither are the models (RadGraph v1.0.0 / RadGraph-XL) that annotate.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from training.rewards.batch import Sample, Scores
from training.rewards.weights import Weights

Variant = Literal["combined", "simple", "partial", "complete"]


@dataclass(frozen=True, slots=True)
class Entity:
    """tokens: the words, joined by spaces; label: e.g. "OBS-DP"; relations: (type, key of the other entity)."""

    tokens: str
    label: str
    relations: tuple[tuple[str, str], ...] = ()


Annotation = Mapping[str, Entity]  # key within the report -> entity


class Annotator(Protocol):
    """Reads reports. `name` tells the model apart in logs and caches."""

    name: str

    def __call__(self, reports: Sequence[str]) -> Sequence[Annotation]:
        """One annotation per report, in order."""
        ...


def set_f1(candidate: AbstractSet[Hashable], reference: AbstractSet[Hashable]) -> float:
    """Harmonic mean of precision and recall; 0 where nothing is shared, also where both are empty."""
    shared = len(candidate & reference)
    return 2 * shared / (len(candidate) + len(reference)) if shared else 0.0


def entity_f1(candidate: Annotation, reference: Annotation) -> float:
    """F1 of the sets of (tokens, label), case kept."""
    return set_f1(_entities(candidate), _entities(reference))


def relation_f1(candidate: Annotation, reference: Annotation) -> float:
    """F1 of the sets of ((tokens, label), (tokens, label), relation), case kept."""
    return set_f1(_relations(candidate), _relations(reference))


def combined(candidate: Annotation, reference: Annotation) -> float:
    """`radgraph_combined`, 0 to 1: mean of entity and relation F1. No relation on either side gives that half 0."""
    return (entity_f1(candidate, reference) + relation_f1(candidate, reference)) / 2


def simple(candidate: Annotation, reference: Annotation) -> float:
    """`radgraph_simple`, 0 to 1: entities with their label."""
    return set_f1({_lower(one) for one in candidate.values()}, {_lower(one) for one in reference.values()})


def partial(candidate: Annotation, reference: Annotation) -> float:
    """`radgraph_partial`, 0 to 1: entities with their label and whether any relation starts there (RG_ER)."""
    left, right = ({(*_lower(one), bool(one.relations)) for one in side.values()} for side in (candidate, reference))
    return set_f1(left, right)


def complete(candidate: Annotation, reference: Annotation) -> float:
    """`radgraph_complete`, 0 to 1: entities with their label, each relation and the words of its target."""
    return set_f1(_full(candidate), _full(reference))


F1 = {"combined": combined, "simple": simple, "partial": partial, "complete": complete}


class RadGraphF1:
    """One variant as reward and metric `radgraph_<variant>`, 0 to 1; missing where the reference is empty."""

    def __init__(self, annotator: Annotator, variant: Variant) -> None:
        self.name = f"radgraph_{variant}"
        self._annotator, self._f1 = annotator, F1[variant]

    def __call__(self, batch: Sequence[Sample]) -> Scores:
        """One F1 per sample; each distinct text is annotated once."""
        texts = list(dict.fromkeys(text for one in batch for text in (one.prediction, one.reference) if text.strip()))
        read: dict[str, Annotation] = dict(zip(texts, self._annotator(texts), strict=True))
        found = np.array([self._of(one, read) for one in batch], dtype=np.float64)
        return Scores(found, {self.name: found})

    def _of(self, one: Sample, read: Mapping[str, Annotation]) -> float:
        if not one.reference.strip():
            return np.nan
        return self._f1(read.get(one.prediction, {}), read[one.reference])


def radgraph(weights: Weights, variant: Variant, *, device: str = "cpu") -> RadGraphF1:
    """The variant with the model it was published with: `combined` RadGraph v1.0.0, the others RadGraph-XL.

    weights: needs `radgraph` or `radgraph_xl`, and `pubmedbert`. Raises MissingWeights, UnusableWeights.
    """
    from training.rewards.dygie import DyGIE

    return RadGraphF1(DyGIE(weights, "radgraph" if variant == "combined" else "radgraph_xl", device=device), variant)


def _entities(annotation: Annotation) -> set[Hashable]:
    return {(one.tokens, one.label) for one in annotation.values()}


def _relations(annotation: Annotation) -> set[Hashable]:
    return {
        ((one.tokens, one.label), (annotation[target].tokens, annotation[target].label), kind)
        for one in annotation.values()
        for kind, target in one.relations
    }


def _lower(one: Entity) -> tuple[str, str]:
    return one.tokens.lower(), one.label


def _full(annotation: Annotation) -> set[Hashable]:
    alone: set[Hashable] = {_lower(one) for one in annotation.values() if not one.relations}
    return alone | {
        (*_lower(one), kind, annotation[target].tokens.lower())
        for one in annotation.values()
        for kind, target in one.relations
    }
