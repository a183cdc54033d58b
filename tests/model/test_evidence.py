"""Covering parts of a film, and the box round what mattered."""

from __future__ import annotations

import numpy as np
import pytest

from model.evidence import CELLS, COUNT, WINDOWS_PER_EDGE, covered, heat, hottest, region


def losses_for(cells: list[tuple[int, int]], nats: float) -> np.ndarray:
    """What the windows lose when the sentence hangs on these cells."""
    mattered = np.zeros((CELLS, CELLS), bool)
    for cell in cells:
        mattered[cell] = True
    places = np.ndindex(WINDOWS_PER_EDGE, WINDOWS_PER_EDGE)
    return np.array([nats * mattered[row : row + 2, column : column + 2].any() for row, column in places])


def test_each_copy_covers_one_window_and_all_together_cover_the_film():
    film = np.tile(np.array([10, 200], np.uint8), (128, 64))  # the median, 105, is nowhere
    changed = covered(film) != film
    assert changed.shape == (COUNT, 128, 128)
    assert set(changed.sum((1, 2))) == {32 * 32}
    assert changed.any(0).all()


@pytest.mark.parametrize("shape", [(128, 64), (100, 100), (3, 128, 128)])
def test_a_film_that_cannot_be_divided_is_refused(shape):
    with pytest.raises(ValueError, match="square film"):
        covered(np.zeros(shape, np.uint8))


def test_the_cell_that_matters_is_the_hottest_and_in_the_box():
    for cell in [(0, 0), (3, 4), (7, 7)]:
        warmth = heat(losses_for([cell], 4.0))
        assert hottest(warmth) == cell
        box = region(warmth)
        assert box is not None
        assert box.left <= cell[1] / CELLS < box.right
        assert box.top <= cell[0] / CELLS < box.bottom
        assert box.nats == 4


def test_a_second_place_far_away_does_not_stretch_the_box():
    box = region(heat(losses_for([(0, 0)], 4.0) + losses_for([(7, 7)], 3.9)))
    assert box is not None
    assert max(box.right, box.bottom) < 0.5


def test_where_no_part_matters_there_is_no_box_and_gains_are_no_evidence():
    assert region(heat(losses_for([(3, 3)], 0.2))) is None
    assert region(heat(losses_for([(3, 3)], -5.0))) is None
