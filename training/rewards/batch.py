"""What a reward is given and what it hands back. No framework: text in, numpy out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]


class RewardOutage(RuntimeError):
    """A scorer did not answer for this batch. Its values are missing, and the same batch may be tried again."""


class RewardUnusable(RuntimeError):
    """A reward cannot work until someone acts (weights absent, package not installed); it is never masked."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One generated report and what it is judged by.

    prediction: as generated, "Findings: … Impression: …" or one section; reference: same shape.
    has_prior: a prior (film or report) was given in the prompt; prior_report: its text, if it was given.
    asked: which sections the prompt asked for. dataset: the site or corpus. study: identifier, for logs only.
    """

    prediction: str
    reference: str
    has_prior: bool
    prior_report: str | None = None
    asked: Literal["report", "findings"] = "report"
    dataset: str = ""
    study: str = ""


@dataclass(frozen=True, slots=True)
class Scores:
    """Rewards of one batch of n samples.

    values: float64 [n], higher is better, NaN where the reward cannot judge (never 0 for "cannot judge").
    components: float64 [n] each, by name, NaN where missing: what the run log plots. A reward that asks others and
    survives their silence has the component "unanswered": 1 asked and not answered, 0 answered, NaN not asked.
    Raises ValueError where a shape does not fit or a value is infinite.
    """

    values: Values
    components: Mapping[str, Values] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, array in {"values": self.values, **self.components}.items():
            if array.shape != self.values.shape or array.ndim != 1:
                raise ValueError(f"scores: {name} has shape {array.shape}, expected [n] = {self.values.shape}")
            if np.isinf(array).any():
                raise ValueError(f"scores: {name} holds an infinite value; a score that cannot be computed is NaN")

    @property
    def missing(self) -> NDArray[np.bool_]:
        """Which samples have no value, bool [n]."""
        return np.isnan(self.values)


@runtime_checkable
class Reward(Protocol):
    """Judges a whole batch at once. `name` is what logs and TOML files call it."""

    @property
    def name(self) -> str:
        """Short identifier, unique within one composite."""
        ...

    def __call__(self, batch: Sequence[Sample]) -> Scores:
        """One value per sample, in order."""
        ...


def scores(values: Sequence[float | None], components: Mapping[str, Sequence[float | None]] | None = None) -> Scores:
    """Scores from plain numbers; None and NaN both mean missing."""
    return Scores(_array(values), {name: _array(column) for name, column in (components or {}).items()})


def _array(column: Sequence[float | None]) -> Values:
    return np.array([np.nan if value is None else value for value in column], dtype=np.float64)
