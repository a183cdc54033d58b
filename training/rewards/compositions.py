"""Mixes with a name: the two readings of the published reward, and the one that needs no weights and no judge.

The paper mixes raw metrics with the magnitudes of RadCliQ-v1's coefficients; RadCliQ-v1 itself first divides each by
its spread (`radcliq_v1`). The two rank reports differently, so both exist and neither borrows the other's name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from training.rewards.batch import Reward
from training.rewards.mix import Composite, Normalise, Term

Make = Callable[[str, Mapping[str, Any]], Reward]
Options = Mapping[str, Mapping[str, Any]]
Paths = Mapping[str, str]  # of the judges' weights, keys as in weights.SOURCES

# UniRG step 1; BLEU has weight 0 there, and is logged.
PUBLISHED = {"bleu2": 0.0, "bertscore": 0.370, "sembscore": 0.253, "radgraph_combined": 0.377}
ERROR_WEIGHT = 0.5  # step 2: "alongside" reads as added, not as 0.5 / 0.5
# Our choice. What is there and what is not weighs most, then where and how large; wording and form keep it honest.
OFFLINE = {
    "findings_f1": 0.30,
    "findings_errors": 0.25,
    "agreement": 0.15,
    "bleu2": 0.10,
    "length": 0.06,
    "prior_claims": 0.06,
    "repetition": 0.05,
    "section_format": 0.03,
}


def published_mix(
    make: Make,
    group_size: int,
    *,
    weights: Paths | None = None,
    errors: str = "",
    stand_ins: Mapping[str, str] | None = None,
    options: Options | None = None,
    normalise: Normalise = "none",
) -> Composite:
    """0.370 BERTScore + 0.253 SembScore + 0.377 RadGraph F1 (step 1), + 0.5 / (1 + errors) with `errors` (step 2).

    errors: name of the reward that counts, "chexprompt" or its stand-in "findings_errors". stand_ins: metric →
    another reward that takes its place (the composite's name then says so). weights: paths for the metrics that need
    them. options: by the name of the reward built.
    """
    taken = _stand_ins(stand_ins or {})
    shares = {taken.get(metric, metric): share for metric, share in PUBLISHED.items()}
    paths = {name: {"weights": dict(weights or {})} for name in PUBLISHED if name in shares and name != "bleu2"}
    swapped = ",".join(f"{metric}={name}" for metric, name in taken.items())
    name = f"published_mix[{swapped}]" if swapped else "published_mix"
    return Composite(_terms(make, _with(errors, shares), options, normalise, paths), group_size, name)


def minus_radcliq_v1(
    make: Make,
    group_size: int,
    *,
    weights: Paths | None = None,
    errors: str = "",
    options: Options | None = None,
    normalise: Normalise = "none",
) -> Composite:
    """-RadCliQ-v1, exactly; with `errors` + 0.5 / (1 + errors). Arguments as in `published_mix`."""
    paths = {"radcliq_v1": {"weights": dict(weights or {})}}
    return Composite(
        _terms(make, _with(errors, {"radcliq_v1": 1.0}), options, normalise, paths), group_size, "minus_radcliq_v1"
    )


def radcliq_v1(make: Make, *, weights: Paths, device: str = "cpu") -> Reward:
    """-RadCliQ-v1 from its three published sub-scores, as one reward. Raises MissingWeights, UnusableWeights."""
    from training.rewards.radcliq import RadCliQ

    subs = ("radgraph_combined", "bertscore", "sembscore")
    return RadCliQ(*(make(name, {"weights": weights, "device": device}) for name in subs))


def offline_composite(
    make: Make,
    group_size: int,
    *,
    shares: Mapping[str, float] | None = None,
    options: Options | None = None,
    normalise: Normalise = "group",
) -> Composite:
    """The rule-based mix (OFFLINE): nothing to download, no judge. `shares` adds terms or replaces their weights.

    Every figure in it rests on `model.findings` and on words: a stand-in for the published reward, not a version of it.
    """
    return Composite(_terms(make, OFFLINE | dict(shares or {}), options, normalise), group_size, "offline_composite")


def _stand_ins(stand_ins: Mapping[str, str]) -> dict[str, str]:
    unknown = sorted(stand_ins.keys() - PUBLISHED.keys())
    if unknown:
        raise ValueError(f"published_mix: {', '.join(unknown)} is no metric of it; it has {', '.join(PUBLISHED)}")
    if len(set(stand_ins.values())) < len(stand_ins):
        raise ValueError("published_mix: one stand-in cannot take two places, its weight would be double")
    return dict(stand_ins)


def _with(errors: str, shares: Mapping[str, float]) -> dict[str, float]:
    return {**shares, errors: ERROR_WEIGHT} if errors else dict(shares)


def _terms(
    make: Make,
    shares: Mapping[str, float],
    options: Options | None,
    normalise: Normalise,
    paths: Options | None = None,
) -> list[Term]:
    given = options or {}
    unknown = sorted(given.keys() - shares.keys())
    if unknown:
        raise ValueError(f"options for {', '.join(unknown)}, which is not in the mix of {', '.join(shares)}")
    known = paths or {}
    return [
        Term(make(name, {**known.get(name, {}), **given.get(name, {})}), share, normalise)
        for name, share in shares.items()
    ]
