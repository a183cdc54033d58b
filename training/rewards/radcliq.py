"""RadCliQ: the linear composite of BERTScore, SembScore, RadGraph (and BLEU) that predicts radiologists' error counts.

Yu et al., Patterns 2023; numbers decoded from radcliq-v1.pkl and composite_metric_model.pkl / normalizer.pkl of
CXR-Report-Metric. Lower is better, and it crosses zero: a perfect match is -1.441, nothing in common 2.450 (v1).
So 1/RadCliQ means nothing for one report and explodes near zero; ReXrank's figure is 1 over the mean of a corpus.
As a reward it is negated, never inverted.

usage: python -m training.rewards.radcliq     (recomputes the last column of UniRG's Table 1 from its other columns)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import ArrayLike

from training.rewards.batch import Sample, Scores, Values

Version = Literal["v0", "v1"]


@dataclass(frozen=True, slots=True)
class Formula:
    """((x - mean) / std) · coefficients + intercept over x = (radgraph_combined, bertscore, sembscore, bleu-2)."""

    mean: tuple[float, float, float, float]
    std: tuple[float, float, float, float]
    coefficients: tuple[float, float, float, float]
    intercept: float

    def __call__(self, radgraph: ArrayLike, bertscore: ArrayLike, sembscore: ArrayLike, bleu: ArrayLike) -> Values:
        """One value per report, float64 [n]; NaN where a sub-score is."""
        columns = np.broadcast_arrays(radgraph, bertscore, sembscore, bleu)
        scaled = (np.stack(columns, axis=-1).astype(np.float64) - self.mean) / self.std
        return np.asarray(scaled @ np.array(self.coefficients) + self.intercept)


# v1's fourth coefficient is 4e-12 and its intercept 2.5e-10: BLEU has no effect, and both are zero here.
V1 = Formula(
    mean=(0.5379231241, 0.6175725628, 0.7647942121, 0.4473833540),
    std=(0.3028258411, 0.2243093846, 0.2539439110, 0.2989271671),
    coefficients=(-0.3770836826, -0.3703000997, -0.2526162179, 0.0),
    intercept=0.0,
)
V0 = Formula(
    mean=(0.539838, 0.631255, 0.771680, 0.460737),
    std=(0.301834, 0.224670, 0.247503, 0.303367),
    coefficients=(-0.479625, -0.676217, -0.463666, 0.216586),
    intercept=1.641667,
)


def radcliq_v1(radgraph: ArrayLike, bertscore: ArrayLike, sembscore: ArrayLike) -> Values:
    """RadCliQ-v1 per report, float64 [n], -1.441 (perfect) to 2.450 (all zero) and beyond for negative sub-scores.

    radgraph: `radgraph_combined`, no other variant. bertscore: rescaled, idf off. sembscore: cosine.
    """
    return V1(radgraph, bertscore, sembscore, 0.0)


def radcliq_v0(radgraph: ArrayLike, bertscore: ArrayLike, sembscore: ArrayLike, bleu: ArrayLike) -> Values:
    """RadCliQ-v0 per report, float64 [n]; bleu: BLEU-2, 0 to 1."""
    return V0(radgraph, bertscore, sembscore, bleu)


def inverse_of_mean(radcliq: ArrayLike) -> float | None:
    """ReXrank's 1/RadCliQ-v1 of a corpus: one over the mean. None where the mean is not above zero.

    Raises ValueError on an empty corpus or a missing score: leave out what could not be judged, and say how many.
    """
    values = np.atleast_1d(np.asarray(radcliq, dtype=np.float64))
    if not values.size or not np.isfinite(values).all():
        raise ValueError("1/RadCliQ is of a corpus: at least one report, and no missing or infinite score among them")
    mean = float(values.mean())
    return 1 / mean if mean > 0 else None


class SubScore(Protocol):
    """Any reward that gives one of the three sub-scores."""

    def __call__(self, batch: Sequence[Sample]) -> Scores:
        """One value per sample."""
        ...


class RadCliQ:
    """The reward `radcliq_v1` (or v0): negated RadCliQ, higher is better; missing where any sub-score is.

    Components: the sub-scores and `radcliq_v1` itself, not negated.
    """

    def __init__(
        self, radgraph: SubScore, bertscore: SubScore, sembscore: SubScore, *, bleu: SubScore | None = None
    ) -> None:
        self.version: Version = "v0" if bleu else "v1"
        self.name = f"radcliq_{self.version}"
        self._subs = {"radgraph_combined": radgraph, "bertscore": bertscore, "sembscore": sembscore}
        self._subs |= {"bleu_2": bleu} if bleu else {}

    def __call__(self, batch: Sequence[Sample]) -> Scores:
        """-RadCliQ per sample."""
        parts = {name: reward(batch).values for name, reward in self._subs.items()}
        found = radcliq_v0(*parts.values()) if self.version == "v0" else radcliq_v1(*parts.values())
        return Scores(-found, {**parts, self.name: found})


# UniRG, Supplementary Table 1 (MIMIC-CXR, findings + impression): BERTScore, SembScore, RadGraph, 1/RadCliQ as printed.
TABLE_1 = {
    "base": (0.293, 0.242, 0.102, 0.625),
    "SFT": (0.421, 0.426, 0.236, 0.962),
    "RL only": (0.437, 0.435, 0.198, 0.950),
    "SFT + RL": (0.449, 0.478, 0.267, 1.110),
}


def printed_range(bertscore: float, sembscore: float, radgraph: float, half: float = 0.0005) -> tuple[float, float]:
    """Least and greatest 1/RadCliQ-v1 of any three means that print as these."""
    low, high = (radcliq_v1(radgraph + d, bertscore + d, sembscore + d) for d in (-half, half))
    return 1 / float(low), 1 / float(high)


def main() -> None:
    """Print the paper's column beside ours, and whether rounding of its other columns explains the difference."""
    print(f"{'':10}{'printed':>9}{'computed':>10}   within rounding of the columns")
    for name, (bert, semb, graph, printed) in TABLE_1.items():
        low, high = printed_range(bert, semb, graph)
        computed = inverse_of_mean(radcliq_v1(graph, bert, semb))
        print(f"{name:10}{printed:9.3f}{computed:10.4f}   {low:.4f} to {high:.4f}")


if __name__ == "__main__":
    main()
