"""Example cases for the page: the worst, the best and some drawn at random, beside their films."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from model.errors import ImagingError
from training.evaluate.cases import StudyCase
from training.evaluate.metrics import FIGURES

EACH = 3
SIDE = 224  # px
ORDERED_BY = ("radcliq_v1", "findings_errors", "findings_f1")


@dataclass(frozen=True)
class Example:
    """One study as the page shows it; films: (what it is, data: URL), none where the film cannot be read."""

    kind: str
    study: str
    score: str
    reference: str
    prediction: str
    films: tuple[tuple[str, str], ...]


def examples(results: Mapping[str, Any], cases: Sequence[StudyCase], seed: int, each: int = EACH) -> list[Example]:
    """`each` of the worst, best and random studies by the first of ORDERED_BY that is there, no study twice."""
    name = next(name for name in ORDERED_BY if name in results["figures"])
    rows = results["studies"]
    values = {k: pair[0] / pair[1] for k, row in enumerate(rows) if (pair := row["scores"][name]) and pair[1]}
    worse_first = sorted(values, key=lambda k: values[k], reverse=FIGURES[name].better == "lower")
    chosen: dict[int, str] = dict.fromkeys(worse_first[:each], "worst")
    chosen |= {k: "best" for k in reversed(worse_first[-each:]) if k not in chosen}
    rest = [k for k in range(len(rows)) if k not in chosen]
    drawn = np.random.default_rng(seed).permutation(len(rest))[:each]
    chosen |= {rest[k]: "random" for k in drawn}
    return [
        _example(kind, rows[k], cases[k], f"{FIGURES[name].title}: {_told(values.get(k))}")
        for k, kind in chosen.items()
    ]


def _told(value: float | None) -> str:
    return "not judged" if value is None else f"{value:.2f}"


def _example(kind: str, row: Mapping[str, Any], case: StudyCase, score: str) -> Example:
    names = ("prior", "current") if case.prior else ("current",)
    films = []
    for name, film in zip(names, case.films(), strict=True):
        try:
            films.append((name, _data_url(film(SIDE))))
        except (ImagingError, OSError):
            continue
    return Example(kind, row["study"], score, row["reference"], row["prediction"], tuple(films))


def _data_url(image: Any) -> str:
    held = io.BytesIO()
    image.save(held, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(held.getvalue()).decode()}"
