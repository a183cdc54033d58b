"""Where a phantom's finding is: the pixels that change when the film is drawn without it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from training.phantom.film import FILM_UNITS, Scene, model_film
from training.phantom.findings import Findings, Side

_SEEN = 12  # grey levels of 255
_ABSENT: dict[str, bool | None] = {
    **dict.fromkeys(("edema", "effusion", "pneumothorax", "consolidation")),
    **dict.fromkeys(("cardiomegaly", "tube", "atelectasis", "line", "pacemaker"), False),
}


def without(findings: Findings, condition: str, side: Side | None) -> Findings:
    """The same chest without one finding; side: None for what has no side. Raises KeyError for no finding of ours."""
    if side is None:
        return replace(findings, **{condition: _ABSENT[condition]})  # type: ignore[arg-type]
    half = replace(findings.side(side), **{condition: _ABSENT[condition]})  # type: ignore[arg-type]
    return replace(findings, **{side: half})  # type: ignore[arg-type]


def place(scene: Scene, condition: str, side: Side | None, size: int = FILM_UNITS) -> np.ndarray:
    """Where the model's film differs by more than 12 grey levels without the finding, bool [size, size]."""
    other = replace(scene, findings=without(scene.findings, condition, side))
    return np.abs(model_film(scene, size).astype(np.int16) - model_film(other, size)) > _SEEN
