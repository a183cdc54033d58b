"""The pointing game on the checkpoint of the repository."""

from __future__ import annotations

import numpy as np
import pytest

from model.evidence import CELLS
from training.evaluate.pointing import judge, pointing
from training.phantom.places import place, without
from training.phantom.studies import study
from training.train_nano import CHECKPOINTS


def test_a_finding_is_where_the_film_changes_without_it():
    made = next(
        one for one in (study(5, i, with_prior=False) for i in range(99)) if one.current.findings.right.effusion
    )
    mask = place(made.current, "effusion", "right")
    rows, columns = np.nonzero(mask)
    assert rows.mean() > 64  # low
    assert columns.mean() < 64  # the patient's right, on the viewer's left
    assert not without(made.current.findings, "effusion", "right").right.effusion
    with pytest.raises(KeyError):
        place(made.current, "fracture", "right")


def test_a_hit_is_a_cell_that_holds_the_finding():
    warmth = np.zeros((CELLS, CELLS))
    warmth[2, 3] = 1
    mask = np.zeros((128, 128), bool)
    mask[32:34, 48:50] = True  # a corner of that cell
    told = judge(warmth, mask)
    assert (told["hit"], told["centre"], told["covered"]) == (1, 0, 1)
    assert told["chance"] == 1 / CELLS**2
    assert judge(np.roll(warmth, 1, 0), mask)["hit"] == 0


def test_the_checkpoint_points_at_what_it_names():
    told = pointing(CHECKPOINTS / "unirg-cxr-nano", seed=98, count=10, sites=["north"])["all"]
    assert told["n"] >= 10
    assert told["hit"] > 3 * told["chance"]
