"""The composite: exact sums, normalising in the group, and what a missing judgement does."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from training.rewards.batch import RewardUnusable, Sample, Scores
from training.rewards.mix import Composite, Term, combine

GROUP = [Sample(f"prediction {i}", "reference", has_prior=False) for i in range(4)]


class Fixed:
    """Hands out the given values, in order of the samples."""

    def __init__(self, name: str, *values: float):
        self.name, self.values = name, np.array(values, dtype=np.float64)

    def __call__(self, batch):
        return Scores(self.values[: len(batch)], {"half": self.values[: len(batch)] / 2})


class Broken:
    name = "broken"

    def __init__(self, error: Exception):
        self.error = error

    def __call__(self, batch):  # noqa: ARG002
        raise self.error


nan = np.nan
A = Fixed("a", 0.0, 1.0, 0.5, 0.5)
B = Fixed("b", 10.0, 10.0, 30.0, 50.0)


def test_raw_terms_are_the_weighted_sum_exactly():
    mixed = Composite([Term(A, 0.370), Term(B, 0.377)], 4)(GROUP)
    assert mixed.values == pytest.approx(0.370 * A.values + 0.377 * B.values)
    assert mixed.components["a"].tolist() == A.values.tolist()
    assert mixed.components["b/half"].tolist() == (B.values / 2).tolist()
    assert not mixed.components["missing_weight"].any()


def test_normalised_terms_count_alike_whatever_their_scale():
    mixed = Composite([Term(A, 1, "group"), Term(Fixed("b", *(1000 * A.values)), 1, "group")], 4)(GROUP)
    z = (A.values - A.values.mean()) / A.values.std()
    assert mixed.values == pytest.approx(2 * z)


def test_each_group_is_normalised_by_itself():
    easy = Fixed("a", 0.8, 1.0, 0.0, 0.2)
    other = [Sample("x", "another reference", has_prior=False)] * 2
    values = Composite([Term(easy, 1, "group")], 2)([*GROUP[:2], *other]).values
    assert values == pytest.approx([-1, 1, -1, 1])


def test_a_group_that_agrees_gets_no_noise():
    flat = Fixed("flat", 0.5, 0.5 + 1e-9, 0.5, 0.5)
    assert np.abs(Composite([Term(flat, 1, "group")], 4)(GROUP).values).max() < 1e-5


def test_a_missing_term_gives_no_advantage_and_no_punishment():
    """Two samples alike in everything judged; of one, the low-scoring term is missing."""
    low = Fixed("low", nan, 0.1, 0.1, 0.1)
    high = Fixed("high", 0.9, 0.9, 0.9, 0.9)
    values = Composite([Term(low, 0.5), Term(high, 0.5)], 4)(GROUP).values
    assert values == pytest.approx(0.5)


def test_weights_are_renormalised_over_what_is_present():
    values = Composite([Term(A, 1), Term(Fixed("b", nan, nan, 0.0, 1.0), 1)], 4)(GROUP).values
    # a: centre 0.5, distances -.5 .5 0 0; b: centre 0.5, distances - - -.5 .5
    assert values == pytest.approx([1 - 1.0, 1 + 1.0, 1 - 0.5, 1 + 0.5])


def test_a_term_missing_everywhere_drops_out():
    gone = Fixed("gone", nan, nan, nan, nan)
    mixed = Composite([Term(A, 0.25), Term(gone, 0.75)], 4)(GROUP)
    assert mixed.values == pytest.approx(A.values)
    assert mixed.components["missing_weight"] == pytest.approx(0.75)


def test_a_sample_is_dropped_without_any_or_without_a_required_term():
    nothing = Composite([Term(Fixed("a", nan, 0.0, 1.0, 1.0), 1), Term(Fixed("log", 1, 1, 1, 1), 0)], 4)(GROUP)
    assert nothing.missing.tolist() == [True, False, False, False]
    needed = Composite([Term(A, 1), Term(Fixed("b", 1.0, nan, 1.0, 1.0), 1, required=True)], 4)(GROUP)
    assert needed.missing.tolist() == [False, True, False, False]


def test_a_term_of_weight_nought_is_logged_and_not_counted():
    mixed = Composite([Term(A, 1), Term(B, 0)], 4)(GROUP)
    assert mixed.values == pytest.approx(A.values)
    assert mixed.components["b"].tolist() == B.values.tolist()


def test_an_outage_is_missing_and_said(caplog: pytest.LogCaptureFixture):
    judge = Broken(TimeoutError("judge did not answer"))
    with caplog.at_level(logging.WARNING):
        mixed = Composite([Term(A, 1), Term(judge, 1)], 4)(GROUP)
    assert mixed.values == pytest.approx(2 * A.values)
    assert mixed.components["broken/outage"].tolist() == [1, 1, 1, 1]
    assert np.isnan(mixed.components["broken"]).all()
    assert "judge did not answer" in caplog.text


def test_an_outage_of_a_required_judge_drops_the_batch():
    assert Composite([Term(A, 1), Term(Broken(OSError()), 1, required=True)], 4)(GROUP).missing.all()


def test_an_outage_that_lasts_ends_the_run():
    mix = Composite([Term(A, 1), Term(Broken(OSError("refused")), 1)], 4, patience=3)
    mix(GROUP)
    mix(GROUP)
    with pytest.raises(RewardUnusable, match=r"3 batches in a row.*refused"):
        mix(GROUP)


class Silent:
    """Asks others: for each call, what is unanswered in it (1, 0, or NaN where nothing was asked)."""

    name = "silent"

    def __init__(self, *calls: list[float]):
        self.calls = list(calls)

    def __call__(self, batch):  # noqa: ARG002
        unanswered = np.array(self.calls.pop(0), dtype=np.float64)
        return Scores(np.where(unanswered == 1, nan, 0.5), {"unanswered": unanswered})


@pytest.mark.parametrize(
    ("calls", "ends"),
    [
        ([[1, 1, 1, 1], [1, 1, 1, 1]], True),
        ([[1, 1, nan, nan], [nan] * 4, [nan, 1, nan, nan]], True),
        ([[1, 1, 1, 1], [1, 1, 1, 0], [1, 1, 1, 1]], False),
        ([[nan] * 4, [nan] * 4, [nan] * 4], False),
    ],
)
def test_silence_is_an_outage_unless_something_was_answered(calls: list[list[float]], ends: bool):
    mix = Composite([Term(A, 1), Term(Silent(*calls), 1)], 4, patience=2)
    for _ in calls[:-1]:
        mix(GROUP)
    if ends:
        with pytest.raises(RewardUnusable, match="silent failed 2 batches in a row"):
            mix(GROUP)
    else:
        mix(GROUP)


@pytest.mark.parametrize("judge", [Broken(OSError("refused")), Silent(*[[1, 1, 1, 1]] * 4)], ids=["broken", "silent"])
def test_an_outage_of_what_is_only_logged_ends_nothing(judge):
    mix = Composite([Term(A, 1), Term(judge, 0)], 4, patience=2)
    for _ in range(4):
        assert mix(GROUP).values == pytest.approx(A.values)


def test_what_waiting_cannot_mend_is_not_masked():
    with pytest.raises(RewardUnusable, match="weights are absent"):
        Composite([Term(A, 1), Term(Broken(RewardUnusable("weights are absent")), 1)], 4)(GROUP)


def test_values_of_the_wrong_length_are_an_outage():
    short = Fixed("short", 1.0)
    assert Composite([Term(A, 1), Term(short, 1)], 4)(GROUP).components["short/outage"].all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Composite([Term(A, 1), Term(A, 1)], 4), "names must differ"),
        (lambda: Composite([Term(A, 0)], 4), "no term has a weight"),
        (lambda: Composite([Term(A, 1, "group")], 1), "takes 2 or more"),
        (lambda: Term(A, -1), "weight must be 0 or more"),
        (lambda: Term(A, 1, "batch"), "normalise is one of"),
        (lambda: Term(A, 1, floor=0), "floor must be more than 0"),
        (lambda: Composite([Term(A, 1)], 3)(GROUP), "not whole groups of 3"),
        (lambda: Composite([Term(A, 1)], 2)([GROUP[0], Sample("x", "y", has_prior=False)]), "different references"),
    ],
)
def test_what_cannot_be_meant_is_refused(make, message: str):
    with pytest.raises(ValueError, match=message):
        make()


def test_any_pattern_of_gaps_leaves_finite_values():
    rng = np.random.default_rng(7)
    kinds = [(1, "none"), (2, "group"), (3, "none")]
    terms = [Term(Fixed(str(k), 0), weight, kind) for k, (weight, kind) in enumerate(kinds)]
    for _ in range(200):
        raw = rng.normal(size=(3, 12))
        raw[rng.random(raw.shape) < 0.5] = nan
        values, share = combine(raw, terms, 4)
        assert (np.isnan(values) == np.isnan(raw).all(0)).all()
        assert ((share >= 0) & (share <= 1)).all()
