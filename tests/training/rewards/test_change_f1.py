"""Stated changes: stable ones count, sides and words must fit, nothing compared is nothing judged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from training.config import RUNS, load_run
from training.rewards.batch import Sample
from training.rewards.catalogue import build
from training.rl import composite

TRUE = "Findings: The left pleural effusion has increased. The right pneumothorax is unchanged."
CASES = [
    (TRUE, 1.0),
    ("Findings: The left pleural effusion has increased.", 2 / 3),
    ("Findings: The right pleural effusion has increased. The right pneumothorax is unchanged.", 0.5),
    ("Findings: The left pleural effusion has decreased.", 0.0),
    ("Findings: Left pleural effusion.", 0.0),
    ("", 0.0),
]


@pytest.mark.parametrize(("prediction", "value"), CASES)
def test_changes_are_compared_word_and_side(prediction: str, value: float):
    assert build("change_f1")([Sample(prediction, TRUE, has_prior=True)]).values[0] == pytest.approx(value)


def test_where_nothing_is_compared_an_invented_change_costs():
    quiet, loud = "Findings: Left pleural effusion.", "Findings: The left pleural effusion is new."
    scored = build("change_f1")([Sample(said, quiet, has_prior=False) for said in (quiet, loud, "")])
    assert scored.values.tolist() == [1, 0, 0]
    assert scored.components["said"].tolist() == [0, 1, 0]
    assert np.isnan(build("change_f1")([Sample(quiet, "", has_prior=False)]).values[0])


@pytest.mark.parametrize("has_prior", [True, False])
def test_inventing_a_change_does_not_pay_in_the_mix_that_was_trained_on(has_prior: bool):
    """A term that the prediction could make missing would leave the group's mean where it is, and pay."""
    right = "Findings: Small left pleural effusion. The heart is not enlarged. Impression: Small left pleural effusion."
    poor = "Findings: No pleural effusion. The heart is not enlarged. Impression: Normal."
    invented = "Findings: No pleural effusion. The heart is enlarged, unchanged. Impression: Normal."
    for stage in load_run(RUNS / "nano-sites.toml").rl:
        group = [Sample(said, right, has_prior) for said in (*[right] * 6, poor, invented)]
        values = composite(replace(stage, rollouts=8))(group).values
        assert values[6] > values[7] + 0.1
