"""Confidence intervals and paired tests, resampled over patients, vectorised, from a seed.

Every figure here is a ratio of two sums over studies (`Ratio`): a mean, a micro-F1, a share, 1/mean. Studies of one
patient are not independent, so their sums are pooled first and patients are drawn, not studies. A ratio whose
denominator changes sign between draws (1/mean of a score near zero) has no interval; it is reported without one.

Efron & Tibshirani 1993 (percentile bootstrap), Koehn 2004 (paired bootstrap), Noreen 1989 (approximate randomisation).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
DRAWS = 2000
LEVEL = 0.95
_AT_ONCE = 4_000_000  # drawn indices held in memory together: 32 MB


@dataclass(frozen=True, slots=True, eq=False)
class Ratio:
    """sum(numerator) / sum(denominator), float64 [n] over studies; NaN in either: the study is not judged.

    A mean has the denominator 1, a micro-F1 is 2 TP / (said + true), 1/mean has the numerator 1.
    """

    numerator: Numbers
    denominator: Numbers

    @property
    def judged(self) -> NDArray[np.bool_]:
        """Which studies count, bool [n]."""
        return np.asarray(~(np.isnan(self.numerator) | np.isnan(self.denominator)), dtype=np.bool_)

    @property
    def value(self) -> float:
        """NaN where nothing was judged or the denominator is 0."""
        rows = self.judged
        bottom = float(self.denominator[rows].sum())
        return float(self.numerator[rows].sum()) / bottom if bottom else float("nan")

    def take(self, rows: NDArray[np.bool_]) -> Ratio:
        """The same figure of some studies, rows: bool [n]."""
        return Ratio(self.numerator[rows], self.denominator[rows])


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its 95 % percentile interval; n studies judged of so many patients; None where undefined."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    patients: int

    def as_json(self) -> dict[str, float | int | None]:
        """For results.json."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Difference:
    """first - second on the same studies, with interval and two-sided p values."""

    value: float | None
    low: float | None
    high: float | None
    p_bootstrap: float | None
    p_randomisation: float | None
    n: int
    patients: int

    def as_json(self) -> dict[str, float | int | None]:
        """For results.json."""
        return asdict(self)


def mean(values: Sequence[float | None] | Numbers) -> Ratio:
    """The mean of per-study values; None or NaN is not judged."""
    numbers = np.array([np.nan if value is None else value for value in values], dtype=np.float64)
    return Ratio(numbers, np.ones_like(numbers))


def inverse_mean(values: Sequence[float | None] | Numbers) -> Ratio:
    """1 / mean of per-study values, as ReXrank does it: the mean is inverted, never a study's own value."""
    plain = mean(values)
    return Ratio(plain.denominator, plain.numerator)


def finite(value: float) -> float | None:
    """The number, or None for what JSON cannot write."""
    return float(value) if np.isfinite(value) else None


def _pooled(parts: Sequence[Numbers], patients: Sequence[str], rows: NDArray[np.bool_]) -> list[Numbers]:
    """Per-patient sums [m] of each part, over the rows that count."""
    kept = np.asarray(patients, dtype=object)[rows].astype(str)
    names, index = np.unique(kept, return_inverse=True)
    return [np.bincount(index, part[rows], len(names)).astype(np.float64) for part in parts]


def _chunks(draws: int, width: int) -> Iterator[int]:
    step = max(1, _AT_ONCE // max(1, width))
    while draws > 0:
        yield min(step, draws)
        draws -= step


def _drawn(parts: Sequence[Numbers], rng: np.random.Generator, draws: int) -> list[Numbers]:
    """Sums [draws] of each part over patients drawn with replacement, the same patients for every part."""
    count = len(parts[0])
    found: list[list[Numbers]] = [[] for _ in parts]
    for step in _chunks(draws, count):
        picked = rng.integers(count, size=(step, count))
        for sums, part in zip(found, parts, strict=True):
            sums.append(part[picked].sum(axis=1))
    return [np.concatenate(sums) for sums in found]


def _divided(top: Numbers, bottom: Numbers) -> Numbers:
    """Ratios; NaN for an empty denominator, all NaN where its sign changes between draws."""
    if (bottom > 0).any() and (bottom < 0).any():
        return np.full_like(top, np.nan)
    return np.divide(top, bottom, out=np.full_like(top, np.nan), where=bottom != 0)


def _percentiles(draws: Numbers) -> tuple[float | None, float | None]:
    usable = draws[np.isfinite(draws)]
    if len(usable) < len(draws) / 2:
        return None, None
    low, high = np.quantile(usable, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def replicates(ratio: Ratio, patients: Sequence[str], *, seed: int, draws: int = DRAWS) -> Numbers:
    """The figure in each of `draws` bootstrap samples of patients, [draws]; all NaN for fewer than two patients."""
    top, bottom = _pooled([ratio.numerator, ratio.denominator], patients, ratio.judged)
    if len(top) < 2:
        return np.full(draws, np.nan)
    sums = _drawn([top, bottom], np.random.default_rng(seed), draws)
    return _divided(sums[0], sums[1])


def interval(ratio: Ratio, patients: Sequence[str], *, seed: int, draws: int = DRAWS) -> Interval:
    """The figure with its interval."""
    low, high = _percentiles(replicates(ratio, patients, seed=seed, draws=draws))
    judged = ratio.judged
    people = len({name for name, row in zip(patients, judged, strict=True) if row})
    return Interval(finite(ratio.value), low, high, int(judged.sum()), people)


def gap(groups: Mapping[str, tuple[Ratio, Sequence[str]]], *, seed: int, draws: int = DRAWS) -> Interval:
    """Largest minus smallest figure over groups, each drawn by itself. NaN groups are left out.

    The gap of several noisy groups is above zero even where there is no true one: read it beside the interval.
    """
    values = [ratio.value for ratio, _ in groups.values()]
    drawn = np.stack(
        [replicates(*group, seed=seed + place, draws=draws) for place, group in enumerate(groups.values())]
    )
    known = np.isfinite(drawn).sum(axis=0) > 1
    spans = np.full(draws, np.nan)
    spans[known] = np.nanmax(drawn[:, known], axis=0) - np.nanmin(drawn[:, known], axis=0)
    finite_values = [value for value in values if np.isfinite(value)]
    width = max(finite_values) - min(finite_values) if len(finite_values) > 1 else float("nan")
    judged = [int(ratio.judged.sum()) for ratio, _ in groups.values()]
    people = sum(len(set(np.asarray(who, dtype=object)[ratio.judged])) for ratio, who in groups.values())
    return Interval(finite(width), *_percentiles(spans), sum(judged), people)


def unpaired(
    first: tuple[Ratio, Sequence[str]], second: tuple[Ratio, Sequence[str]], *, seed: int, draws: int = DRAWS
) -> Interval:
    """First - second of two sets of studies. Of sets that share patients, patients are drawn once for both."""
    people = [{name for name, row in zip(who, ratio.judged, strict=True) if row} for ratio, who in (first, second)]
    if people[0] & people[1] and min(map(len, people)) > 1:
        drawn = _drawn_together(first, second, seed, draws)
    else:
        drawn = replicates(*first, seed=seed, draws=draws) - replicates(*second, seed=seed + 1, draws=draws)
    low, high = _percentiles(drawn)
    judged = sum(int(ratio.judged.sum()) for ratio, _ in (first, second))
    return Interval(finite(first[0].value - second[0].value), low, high, judged, len(people[0] | people[1]))


def _drawn_together(
    first: tuple[Ratio, Sequence[str]], second: tuple[Ratio, Sequence[str]], seed: int, draws: int
) -> Numbers:
    """First - second, [draws]: a patient who is drawn brings the studies of either set."""
    one, other = first[0], second[0]
    none, neither = np.zeros(len(one.judged)), np.zeros(len(other.judged))
    beside = [np.concatenate([part, neither]) for part in (one.numerator, one.denominator)]
    beside += [np.concatenate([none, part]) for part in (other.numerator, other.denominator)]
    rows = np.concatenate([one.judged, other.judged])
    sums = _drawn(_pooled(beside, [*first[1], *second[1]], rows), np.random.default_rng(seed), draws)
    return _divided(sums[0], sums[1]) - _divided(sums[2], sums[3])


def paired(first: Ratio, second: Ratio, patients: Sequence[str], *, seed: int, draws: int = DRAWS) -> Difference:
    """First - second, both figures of the same studies in the same order; studies judged by both count.

    p_bootstrap: twice the smaller share of draws on either side of zero. p_randomisation: share of random exchanges of
    the two systems, patient by patient, that differ at least as much. Both count the observed one: never 0.
    """
    rows = first.judged & second.judged
    parts = _pooled([first.numerator, first.denominator, second.numerator, second.denominator], patients, rows)
    observed = first.take(rows).value - second.take(rows).value
    count = len(parts[0])
    if count < 2 or not np.isfinite(observed):
        return Difference(finite(observed), None, None, None, None, int(rows.sum()), count)
    sums = _drawn(parts, np.random.default_rng(seed), draws)
    drawn = _divided(sums[0], sums[1]) - _divided(sums[2], sums[3])
    exchanged = _exchanged(parts, np.random.default_rng(seed + 1), draws)
    return Difference(
        observed, *_percentiles(drawn), _sign_p(drawn), _extreme_p(exchanged, observed), int(rows.sum()), count
    )


def _exchanged(parts: Sequence[Numbers], rng: np.random.Generator, draws: int) -> Numbers:
    """Differences [draws] after each patient's pair of results changed places or not, at random."""
    top, bottom, other_top, other_bottom = parts
    found = []
    for step in _chunks(draws, len(top)):
        swap = rng.integers(2, size=(step, len(top))).astype(np.float64)
        moved_top, moved_bottom = swap @ (other_top - top), swap @ (other_bottom - bottom)
        one = _divided(top.sum() + moved_top, bottom.sum() + moved_bottom)
        found.append(one - _divided(other_top.sum() - moved_top, other_bottom.sum() - moved_bottom))
    return np.concatenate(found)


def _sign_p(drawn: Numbers) -> float | None:
    usable = drawn[np.isfinite(drawn)]
    if len(usable) < len(drawn) / 2:
        return None
    rarer = min(int((usable <= 0).sum()), int((usable >= 0).sum()))
    return min(1.0, 2 * (rarer + 1) / (len(usable) + 1))


def _extreme_p(exchanged: Numbers, observed: float) -> float | None:
    usable = exchanged[np.isfinite(exchanged)]
    if len(usable) < len(exchanged) / 2:
        return None
    as_large = int((np.abs(usable) >= abs(observed) - 1e-12).sum())
    return (as_large + 1) / (len(usable) + 1)
