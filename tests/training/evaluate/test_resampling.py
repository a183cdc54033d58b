"""Statistics against numbers worked out by hand, and intervals that cover."""

from __future__ import annotations

import numpy as np
import pytest

from training.evaluate.resampling import (
    Ratio,
    gap,
    interval,
    inverse_mean,
    mean,
    paired,
    replicates,
    unpaired,
)


def ratio(numerator, denominator) -> Ratio:
    return Ratio(np.array(numerator, float), np.array(denominator, float))


def people(count: int) -> list[str]:
    return [f"p{k}" for k in range(count)]


def test_the_mean_leaves_out_what_was_not_judged():
    found = mean([1.0, None, 3.0])
    assert found.value == 2.0
    assert found.judged.tolist() == [True, False, True]


def test_micro_f1_is_a_ratio_of_sums_and_no_mean_of_ratios():
    # 2 TP: 2, 0; said + true: 4, 2 -> 2/6, where the mean of 2/4 and 0 would be 1/4.
    assert ratio([2, 0], [4, 2]).value == pytest.approx(1 / 3)


def test_one_over_the_mean_is_not_the_mean_of_inverses():
    # Published anchors: -1.441 (perfect) and 2.450 (nothing): mean .5045, 1/mean 1.982.
    assert inverse_mean([-1.441, 2.450]).value == pytest.approx(1 / 0.5045)


def test_a_single_patient_has_no_interval():
    found = interval(mean([1.0, 2.0]), ["p", "p"], seed=0)
    assert (found.value, found.low, found.n, found.patients) == (1.5, None, 2, 1)


def test_two_patients_give_the_three_possible_samples():
    drawn = replicates(mean([0.0, 1.0]), people(2), seed=0, draws=4000)
    assert set(drawn) == {0.0, 0.5, 1.0}
    assert np.mean(drawn == 0.5) == pytest.approx(0.5, abs=0.03)


def test_studies_of_a_patient_are_drawn_together():
    # Two patients with two equal studies each: the same three samples, never .25 or .75.
    drawn = replicates(mean([0.0, 0.0, 1.0, 1.0]), ["a", "a", "b", "b"], seed=0)
    assert set(drawn) == {0.0, 0.5, 1.0}


def test_the_interval_of_a_mean_is_that_of_the_normal_law():
    rng = np.random.default_rng(1)
    values = rng.normal(size=400)
    found = interval(mean(values), people(400), seed=2, draws=4000)
    half = 1.96 * values.std() / 20
    assert found.low == pytest.approx(values.mean() - half, abs=0.01)
    assert found.high == pytest.approx(values.mean() + half, abs=0.01)


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(3)
    covered = 0
    for trial in range(200):
        found = interval(mean(rng.random(40)), people(40), seed=trial, draws=400)
        covered += found.low <= 0.5 <= found.high
    assert 0.89 <= covered / 200 <= 0.985


def test_one_over_a_mean_that_may_be_zero_has_no_interval():
    found = interval(inverse_mean([-1.0, 1.2, -0.9, 1.1]), people(4), seed=0)
    assert found.value == pytest.approx(10)
    assert found.low is found.high is None


def test_the_interval_of_one_over_a_safe_mean_is_the_inverse_of_the_mean_s():
    values = np.random.default_rng(4).normal(1.0, 0.2, 200)
    plain, inverse = interval(mean(values), people(200), seed=5), interval(inverse_mean(values), people(200), seed=5)
    assert inverse.low == pytest.approx(1 / plain.high, rel=1e-3)
    assert inverse.high == pytest.approx(1 / plain.low, rel=1e-3)


def test_same_seed_same_interval_and_chunks_do_not_matter():
    values = np.arange(30.0)
    assert interval(mean(values), people(30), seed=9) == interval(mean(values), people(30), seed=9)


def test_equal_systems_do_not_differ():
    values = mean([0.1, 0.5, 0.9, 0.3])
    found = paired(values, values, people(4), seed=0)
    assert (found.value, found.low, found.high, found.p_bootstrap, found.p_randomisation) == (0, 0, 0, 1, 1)


def test_randomisation_of_three_clear_wins_counts_the_two_extreme_assignments_of_eight():
    found = paired(mean([1.0, 1.0, 1.0]), mean([0.0, 0.0, 0.0]), people(3), seed=0, draws=8000)
    assert found.value == 1
    assert found.p_randomisation == pytest.approx(2 / 8, abs=0.02)


def test_a_constant_gain_is_significant_where_the_systems_vary_much_more():
    base = np.random.default_rng(6).normal(size=100)
    found = paired(mean(base + 0.1), mean(base), people(100), seed=0)
    assert found.value == pytest.approx(0.1)
    assert found.low == pytest.approx(0.1)
    assert found.p_bootstrap < 0.002
    assert found.p_randomisation < 0.002


def test_noise_is_seldom_significant():
    rng = np.random.default_rng(7)
    hits = [
        paired(mean(rng.normal(size=30)), mean(rng.normal(size=30)), people(30), seed=k, draws=300).p_randomisation
        for k in range(120)
    ]
    assert np.mean(np.array(hits) < 0.05) < 0.12


def test_only_studies_judged_by_both_are_compared():
    found = paired(mean([1.0, None, 5.0]), mean([0.0, 9.0, 4.0]), people(3), seed=0)
    assert (found.value, found.n) == (1.0, 2)


def test_micro_f1_is_compared_by_its_sums():
    found = paired(ratio([2, 2], [2, 4]), ratio([0, 2], [2, 4]), people(2), seed=0)
    assert found.value == pytest.approx(4 / 6 - 2 / 6)


def test_the_gap_is_largest_minus_smallest_with_all_n():
    groups = {"F": (mean([1.0, 1.0]), ["a", "b"]), "M": (mean([0.25, 0.75]), ["c", "d"]), "?": (mean([]), [])}
    found = gap(groups, seed=0)
    assert (found.value, found.n, found.patients) == (0.5, 4, 4)
    assert found.low == pytest.approx(0.25)
    assert found.high == pytest.approx(0.75)


def test_patients_of_both_sets_are_drawn_once_for_both():
    values = np.random.default_rng(8).normal(size=50)
    near, far = mean([*(values + 0.5), None]), mean(values)
    found = unpaired((near, people(51)), (far, people(50)), seed=0, draws=200)
    assert (found.low, found.high, found.patients) == (pytest.approx(0.5), pytest.approx(0.5), 50)
    alone = unpaired((near, people(51)), (far, [f"q{k}" for k in range(50)]), seed=0, draws=200)
    assert alone.high - alone.low > 0.3
    partly = unpaired((near, people(51)), (far, [f"p{k + 25}" for k in range(50)]), seed=0, draws=200)
    assert (partly.n, partly.patients) == (100, 75)
    assert partly.high - partly.low > 0.1


def test_seen_minus_unseen_of_different_studies():
    found = unpaired((mean([1.0] * 5), people(5)), (mean([0.5] * 5), people(5)), seed=0)
    assert (found.value, found.low, found.high, found.n) == (0.5, 0.5, 0.5, 10)
