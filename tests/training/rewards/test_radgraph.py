"""RadGraph F1 of both published variants, from annotations, against hand-computed values."""

from __future__ import annotations

import numpy as np
import pytest

from training.rewards.batch import Sample
from training.rewards.radgraph import (
    Annotation,
    Entity,
    RadGraphF1,
    combined,
    complete,
    entity_f1,
    partial,
    relation_f1,
    set_f1,
    simple,
)

NONE: Annotation = {}
EFFUSION = {"1": Entity("effusion", "OBS-DP")}
NO_EFFUSION = {"1": Entity("effusion", "OBS-DA")}
LEFT_EFFUSION = {"1": Entity("left", "ANAT-DP"), "2": Entity("effusion", "OBS-DP", (("located_at", "1"),))}
RIGHT_EFFUSION = {"1": Entity("right", "ANAT-DP"), "2": Entity("effusion", "OBS-DP", (("located_at", "1"),))}
SMALL_LEFT = {
    "1": Entity("Small", "OBS-DP", (("modify", "3"),)),
    "2": Entity("left", "ANAT-DP"),
    "3": Entity("effusion", "OBS-DP", (("located_at", "2"),)),
}

# candidate, reference: entity F1, relation F1, combined, simple, partial, complete
CASES = {
    "both empty": (NONE, NONE, 0, 0, 0, 0, 0, 0),
    "candidate empty": (NONE, EFFUSION, 0, 0, 0, 0, 0, 0),
    "reference empty": (EFFUSION, NONE, 0, 0, 0, 0, 0, 0),
    "equal, no relation": (EFFUSION, EFFUSION, 1, 0, 0.5, 1, 1, 1),
    "equal, one relation": (LEFT_EFFUSION, LEFT_EFFUSION, 1, 1, 1, 1, 1, 1),
    "negated": (EFFUSION, NO_EFFUSION, 0, 0, 0, 0, 0, 0),
    "side swapped": (RIGHT_EFFUSION, LEFT_EFFUSION, 0.5, 0, 0.25, 0.5, 0.5, 0),
    # entities 2 of 2 against 3: 4/5; relations 1 of 1 against 2: 2/3; complete: {left, effusion→left} of 3: 4/5
    "one left out": (LEFT_EFFUSION, SMALL_LEFT, 0.8, 2 / 3, 11 / 15, 0.8, 0.8, 0.8),
    # without its relation the effusion keeps its entity, and loses relation, flag and triple
    "relation lost": ({"1": Entity("left", "ANAT-DP"), "2": Entity("effusion", "OBS-DP")}, LEFT_EFFUSION,
                      1, 0, 0.5, 1, 0.5, 0.5),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_every_variant(case):
    candidate, reference, *expected = CASES[case]
    functions = (entity_f1, relation_f1, combined, simple, partial, complete)
    assert [function(candidate, reference) for function in functions] == pytest.approx(expected)
    assert [function(reference, candidate) for function in functions] == pytest.approx(expected)  # F1 is symmetrical


def test_case_counts_in_the_one_and_not_in_the_other():
    lower = {"1": Entity("small", "OBS-DP")}
    upper = {"1": Entity("Small", "OBS-DP")}
    assert combined(lower, upper) == 0
    assert simple(lower, upper) == 1


def test_sets_not_bags():
    twice = {"1": Entity("effusion", "OBS-DP"), "2": Entity("effusion", "OBS-DP")}
    assert simple(twice, EFFUSION) == 1
    assert combined(twice, EFFUSION) == 0.5


def test_f1_of_sets():
    assert set_f1({1, 2, 3}, {2, 3, 4, 5}) == pytest.approx(4 / 7)
    assert set_f1(set(), set()) == 0


class FromTable:
    """Annotations as a file of them would give; counts what it was asked."""

    name = "table"

    def __init__(self, **table: Annotation) -> None:
        self.table, self.asked = table, []

    def __call__(self, reports):
        self.asked += reports
        return [self.table[report] for report in reports]


def test_reward_annotates_each_text_once_and_masks_an_empty_reference():
    annotator = FromTable(left=LEFT_EFFUSION, right=RIGHT_EFFUSION)
    reward = RadGraphF1(annotator, "combined")
    pairs = [("left", "left"), ("right", "left"), ("", "left"), ("left", " ")]
    found = reward([Sample(*pair, has_prior=False) for pair in pairs])
    assert reward.name == "radgraph_combined"
    assert found.values[:3] == pytest.approx([1, 0.25, 0])
    assert np.isnan(found.values[3])
    assert annotator.asked == ["left", "right"]


@pytest.mark.parametrize("variant", ["simple", "partial", "complete"])
def test_variants_are_named_apart(variant):
    assert RadGraphF1(FromTable(), variant).name == f"radgraph_{variant}"
