"""The composite reward: several judgements, each normalised, weighted, masked where missing, all of them logged.

For sample i of a group, over the terms k that are present (weights w, their sum W over all terms):

    value = W · ( Σ w_k c_k / Σ_available w  +  Σ_present w_k d_ik / Σ_present w )

c_k is the mean of term k in the group and d_ik the distance from it (normalise "none"), or 0 and the z-score
(normalise "group"). With nothing missing this is Σ w_k x_ik, exactly. Where a term is missing the other weights are
scaled up over what is present, and only distances are scaled: a sample whose scorer failed neither gains nor loses
by the level of that term. By its distances it does: one above the group's mean in the rest gains, one below loses.
So a term may be missing by the reference or a failing scorer, never by what the prediction says.
A term that is missing in the whole group drops out.
A sample without any weighted term, or without a `required` one, has no value (NaN): the trainer leaves it out.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from training.rewards.batch import Reward, RewardOutage, RewardUnusable, Sample, Scores, Values

_LOG = logging.getLogger(__name__)
Normalise = Literal["none", "group"]
# Evaluators that no reward may contain with a weight: what is trained on cannot judge the training.
HELD_OUT = frozenset({"ratescore", "green"})


@dataclass(frozen=True)
class Term:
    """One reward in the mix.

    weight: at least 0; 0 logs the term and keeps it out of the sum. normalise: "group" is the z-score among the
    samples of one prompt (population deviation), "none" the raw value. required: a sample it cannot judge is dropped.
    floor: the smallest deviation that is divided by; a group in which all agree gets 0, not noise blown up.
    """

    reward: Reward
    weight: float
    normalise: Normalise = "none"
    required: bool = False
    floor: float = 1e-3

    def __post_init__(self) -> None:
        if not (np.isfinite(self.weight) and self.weight >= 0):
            raise ValueError(f"{self.reward.name}: weight must be 0 or more, not {self.weight}")
        if self.normalise not in get_args(Normalise):
            raise ValueError(f"{self.reward.name}: normalise is one of {get_args(Normalise)}, not {self.normalise!r}")
        if not self.floor > 0:
            raise ValueError(f"{self.reward.name}: floor must be more than 0, not {self.floor}")


@dataclass
class Composite:
    """A reward made of terms. Batches are groups of `group_size` samples of one prompt, one after the other.

    patience: a weighted term that fails so many batches in a row ends the run with RewardUnusable: training on with
    what is left would quietly be another experiment. It fails where it raises, or where none of what it asked was
    answered ("unanswered"); a batch in which it asked nothing neither counts nor clears. RewardUnusable (weights
    absent, say) ends the run at once.
    Components: each term's raw value under its name, its components as "name/component", "missing_weight" (share of
    the weight that was missing, 0 … 1) and "<name>/outage" (1 where the term raised, only in batches where it did).
    Raises ValueError for a batch that is not whole groups, or a group that mixes references.
    """

    terms: Sequence[Term]
    group_size: int
    name: str = "composite"
    patience: int = 8
    _failures: dict[str, int] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        names = [term.reward.name for term in self.terms]
        if len(set(names)) < len(names):
            raise ValueError(f"{self.name}: term names must differ, got {', '.join(names)}")
        weighted = [term for term in self.terms if term.weight]
        if not weighted:
            raise ValueError(f"{self.name}: no term has a weight above 0")
        if all(getattr(term.reward, "never_alone", False) for term in weighted):
            raise ValueError(
                f"{self.name}: {weighted[0].reward.name} is blind to negation and may not be the only weighted term"
            )
        held_out = [term.reward.name for term in weighted if term.reward.name in HELD_OUT]
        if held_out:
            raise ValueError(f"{self.name}: {', '.join(held_out)} is held out for evaluation; weight 0 logs it")
        if self.group_size < (2 if any(term.normalise == "group" for term in weighted) else 1):
            raise ValueError(f"{self.name}: group_size is {self.group_size}; normalising in a group takes 2 or more")

    def __call__(self, batch: Sequence[Sample]) -> Scores:
        """Weighted sum per sample, NaN where it must be left out; see the module's docstring."""
        self._check_groups(batch)
        judged = {term.reward.name: self._judge(term, batch) for term in self.terms}
        raw = np.stack([judged[term.reward.name].values for term in self.terms])
        values, missing_weight = combine(raw, self.terms, self.group_size)
        components = {"missing_weight": missing_weight}
        for name, scored in judged.items():
            components[name] = scored.values
            components |= {f"{name}/{key}": column for key, column in scored.components.items()}
        return Scores(values, components)

    def _judge(self, term: Term, batch: Sequence[Sample]) -> Scores:
        name = term.reward.name
        try:
            scored = term.reward(batch)
            if scored.values.shape != (len(batch),):
                raise ValueError(f"{name}: {scored.values.shape} values for {len(batch)} samples")
        except RewardUnusable:
            raise
        except Exception as failure:  # noqa: BLE001 - whatever a scorer throws is its outage, until it lasts
            self._outage(term, failure)
            return Scores(np.full(len(batch), np.nan), {"outage": np.ones(len(batch))})
        unanswered = scored.components.get("unanswered", np.zeros(1))
        asked = unanswered[~np.isnan(unanswered)]
        if asked.size and asked.all():
            self._outage(term, RewardOutage(f"{name}: none of {asked.size} questions was answered"))
        elif asked.size:
            self._failures.pop(name, None)
        return scored

    def _outage(self, term: Term, failure: Exception) -> None:
        name = term.reward.name
        self._failures[name] = self._failures.get(name, 0) + 1
        _LOG.warning("reward %s failed, its values are missing: %s", name, failure, exc_info=failure)
        if term.weight and self._failures[name] >= self.patience:
            raise RewardUnusable(
                f"{self.name}: {name} failed {self.patience} batches in a row, last with {failure!r}; "
                "repair the scorer and resume from the last checkpoint"
            ) from failure

    def _check_groups(self, batch: Sequence[Sample]) -> None:
        if len(batch) % self.group_size:
            raise ValueError(f"{self.name}: {len(batch)} samples are not whole groups of {self.group_size}")
        for start in range(0, len(batch), self.group_size):
            group = batch[start : start + self.group_size]
            if len({one.reference for one in group}) > 1:
                raise ValueError(
                    f"{self.name}: samples {start} … {start + len(group) - 1} have different references; a group is "
                    "the rollouts of one prompt, whole in one process"
                )


def combine(raw: Values, terms: Sequence[Term], group_size: int) -> tuple[Values, Values]:
    """Values [n] and missing share of the weight [n] from raw term values [terms, n], NaN where missing.

    n is a multiple of group_size. The formula stands in the module's docstring.
    """
    weights = np.array([term.weight for term in terms])[:, None, None]
    grouped = raw.reshape(len(terms), -1, group_size)
    present = ~np.isnan(grouped)
    centre = _mean(grouped, present)
    deviation = np.where(present, grouped - centre, 0.0)
    for k, term in enumerate(terms):
        if term.normalise == "group":
            spread = np.sqrt(_mean(deviation[k : k + 1] ** 2, present[k : k + 1])[0])
            deviation[k] /= np.maximum(spread, term.floor)
            centre[k] = 0.0
    total, here = weights.sum(), (weights * present).sum(0)
    level = _share((weights * centre).sum(0), (weights * present.any(-1, keepdims=True)).sum(0))
    value = total * (level + _share((weights * deviation).sum(0), here))
    needed = np.array([term.required for term in terms])[:, None, None]
    value[(here == 0) | (needed & ~present).any(0)] = np.nan
    return value.reshape(-1), (1 - here / total).reshape(-1)


def _mean(values: Values, present: NDArray[np.bool_]) -> Values:
    """Mean over the last axis of what is present, kept as an axis of 1; 0 where nothing is."""
    counts = present.sum(-1, keepdims=True)
    sums = np.where(present, values, 0.0).sum(-1, keepdims=True)
    return np.asarray(sums / np.maximum(counts, 1))


def _share(numerator: Values, denominator: Values) -> Values:
    return np.asarray(np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0))
