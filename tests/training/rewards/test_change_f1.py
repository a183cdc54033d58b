"""Stated changes: stable ones count, sides and words must fit, nothing compared is nothing judged."""

from __future__ import annotations

import numpy as np
import pytest

from training.rewards.batch import Sample
from training.rewards.catalogue import build

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


def test_where_nothing_is_compared_nothing_is_judged():
    quiet, loud = "Findings: Left pleural effusion.", "Findings: The left pleural effusion is new."
    scored = build("change_f1")([Sample(quiet, quiet, has_prior=False), Sample(loud, quiet, has_prior=False)])
    assert np.isnan(scored.values[0])
    assert scored.values[1] == 0
    assert scored.components["said"].tolist() == [0, 1]
