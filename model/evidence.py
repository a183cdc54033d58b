"""Where on the film a sentence comes from: what the sentence loses when a part of the film is covered.

Occlusion (Zeiler and Fergus, ECCV 2014): a window of a quarter of the film's edge is filled with the film's median and
moved in halves of itself; its weight is by how many nats the model's own sentence becomes less likely. It says what the
model looked at, not that the model is right. Measured against phantoms, whose findings have a known place, by
training/evaluate/pointing.py; the gradient of the same log-probability points worse (docs/evaluation.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

WINDOWS_PER_EDGE = 7
COUNT = WINDOWS_PER_EDGE**2
CELLS = 8
"""Cells of a heat map per edge; a window covers two by two of them."""
_LEAST_NATS = 0.5
_SHARE = 0.5  # of the hottest cell, for the cells of a region


@dataclass(frozen=True, slots=True)
class Region:
    """A box in shares of the square model image, 0 to 1, left < right and top < bottom.

    nats: what the sentence loses with the hottest cell covered.
    """

    left: float
    top: float
    right: float
    bottom: float
    nats: float


def covered(film: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The film [size, size] with one window covered in each of COUNT copies, row by row; size: a multiple of CELLS.

    Raises ValueError for another shape.
    """
    if film.ndim != 2 or film.shape[0] != film.shape[1] or film.shape[0] % CELLS:
        raise ValueError(f"a square film whose edge is a multiple of {CELLS} px is wanted, not {film.shape}")
    copies = np.repeat(film[None], COUNT, axis=0)
    cell, fill = film.shape[0] // CELLS, int(np.median(film))
    for number, (row, column) in enumerate(np.ndindex(WINDOWS_PER_EDGE, WINDOWS_PER_EDGE)):
        copies[number, row * cell : (row + 2) * cell, column * cell : (column + 2) * cell] = fill
    return copies


def heat(losses: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean loss of the windows over each cell, [CELLS, CELLS] from [COUNT]; a gain counts as 0."""
    total, windows = np.zeros((CELLS, CELLS)), np.zeros((CELLS, CELLS))
    places = np.ndindex(WINDOWS_PER_EDGE, WINDOWS_PER_EDGE)
    for loss, (row, column) in zip(np.maximum(losses, 0), places, strict=True):
        total[row : row + 2, column : column + 2] += loss
        windows[row : row + 2, column : column + 2] += 1
    return np.asarray(total / windows, dtype=np.float64)


def span_heat(losses: NDArray[np.float64], pieces: Sequence[str], start: int, end: int) -> NDArray[np.float64]:
    """The heat of the characters start to end: of all tokens that reach into them.

    losses: [COUNT, tokens]; pieces: the text of each token, which joined are the text.
    """
    ends = np.cumsum([0, *map(len, pieces)])
    tokens = [k for k in range(len(pieces)) if ends[k] < end and ends[k + 1] > start]
    return heat(losses[:, tokens].sum(1))


def hottest(warmth: NDArray[np.float64]) -> tuple[int, int]:
    """Row and column of the cell that matters most."""
    row, column = divmod(int(warmth.argmax()), CELLS)
    return row, column


def region(warmth: NDArray[np.float64]) -> Region | None:
    """The box round the hottest cell and what hangs together with it; None where no part of the film matters."""
    row, column = hottest(warmth)
    if warmth[row, column] < _LEAST_NATS:
        return None
    _, parts = cv2.connectedComponents((warmth >= _SHARE * warmth[row, column]).astype(np.uint8), connectivity=4)
    part = np.asarray(parts) == parts[row, column]
    rows, columns = np.flatnonzero(part.any(1)), np.flatnonzero(part.any(0))
    edges = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]) / CELLS
    left, top, right, bottom = edges.tolist()
    return Region(left, top, right, bottom, round(float(warmth[row, column]), 3))
