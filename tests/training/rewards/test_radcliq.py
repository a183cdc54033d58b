"""RadCliQ against its published anchors, and the paper's own table recomputed."""

from __future__ import annotations

import numpy as np
import pytest

from training.rewards.batch import Sample, scores
from training.rewards.radcliq import TABLE_1, V1, RadCliQ, inverse_of_mean, main, printed_range, radcliq_v0, radcliq_v1


def test_published_anchors():
    assert radcliq_v1(1, 1, 1) == pytest.approx(-1.441, abs=5e-4)
    assert radcliq_v1(0, 0, 0) == pytest.approx(2.450, abs=5e-4)
    assert radcliq_v1(0.3397, 0.5421, 0.6355) == pytest.approx(0.5000, abs=5e-5)


def test_slopes_are_coefficient_over_spread():
    base = radcliq_v1(0, 0, 0)
    assert base - radcliq_v1(1, 0, 0) == pytest.approx(1.245216, abs=1e-5)
    assert base - radcliq_v1(0, 1, 0) == pytest.approx(1.650845, abs=1e-5)
    assert base - radcliq_v1(0, 0, 1) == pytest.approx(0.994772, abs=1e-5)
    assert V1(0.2, 0.3, 0.4, 0.0) == V1(0.2, 0.3, 0.4, 1.0)  # BLEU has no effect


def test_version_0_by_hand():
    at_mean = radcliq_v0(0.539838, 0.631255, 0.771680, 0.460737)
    assert at_mean == pytest.approx(1.641667)
    assert radcliq_v0(0.539838 + 0.301834, 0.631255, 0.771680, 0.460737) == pytest.approx(1.641667 - 0.479625)
    assert radcliq_v0(0.539838, 0.631255, 0.771680, 0.460737 + 0.303367) == pytest.approx(1.641667 + 0.216586)


@pytest.mark.parametrize("row", TABLE_1)
def test_paper_table_1_from_its_own_columns(row):
    bertscore, sembscore, radgraph, printed = TABLE_1[row]
    computed = inverse_of_mean(radcliq_v1(radgraph, bertscore, sembscore))
    assert computed == pytest.approx(printed, abs=0.003)
    low, high = printed_range(bertscore, sembscore, radgraph)
    # Three decimals in the columns explain three rows in full; "RL only" lies 0.0006 beyond what they can explain.
    beyond = max(low - (printed + 0.0005), (printed - 0.0005) - high)
    assert beyond <= (0.0007 if row == "RL only" else 0)


def test_command_prints_the_table(capsys):
    main()
    shown = capsys.readouterr().out
    assert [line.split()[-5] for line in shown.splitlines()[1:]] == ["0.625", "0.962", "0.950", "1.110"]
    assert "1.1100" in shown


def test_corpus_figure_is_one_over_the_mean_never_the_mean_of_inverses():
    assert inverse_of_mean([0.5, 1.5]) == pytest.approx(1.0)
    assert np.mean(1 / np.array([0.5, 1.5])) == pytest.approx(4 / 3)
    assert inverse_of_mean([-1.441, 2.45]) == pytest.approx(1 / 0.5045)  # one report below zero is no matter


def test_corpus_figure_at_or_below_zero_is_undefined():
    assert inverse_of_mean([-1.441, -1.0]) is None
    assert inverse_of_mean([0.0]) is None


@pytest.mark.parametrize("values", [[], [1.0, np.nan], [np.inf]])
def test_corpus_figure_refuses_nothing_and_missing(values):
    with pytest.raises(ValueError, match="1/RadCliQ is of a corpus"):
        inverse_of_mean(values)


class Given:
    """A sub-score as computed elsewhere."""

    def __init__(self, *values: float | None) -> None:
        self.values = values

    def __call__(self, batch):
        return scores(self.values[: len(batch)])


def samples(count: int) -> list[Sample]:
    return [Sample("Clear.", "Clear.", has_prior=False)] * count


def test_reward_is_the_negation_and_missing_where_a_part_is():
    reward = RadCliQ(Given(1.0, 0.0, 0.5), Given(1.0, 0.0, None), Given(1.0, 0.0, 0.5))
    found = reward(samples(3))
    assert reward.name == "radcliq_v1"
    assert found.values[:2] == pytest.approx([1.441, -2.450], abs=5e-4)
    assert list(found.missing) == [False, False, True]
    assert found.components["radcliq_v1"][:2] == pytest.approx(-found.values[:2])
    assert set(found.components) == {"radcliq_v1", "radgraph_combined", "bertscore", "sembscore"}


def test_reward_ranks_across_zero_where_an_inverse_would_not():
    reward = RadCliQ(Given(0.9, 0.5), Given(0.9, 0.6), Given(0.9, 0.7))
    better, worse = reward(samples(2)).components["radcliq_v1"]
    assert better < 0 < worse
    assert 1 / better < 1 / worse  # inverted, the better report would rank below
    assert reward(samples(2)).values[0] > reward(samples(2)).values[1]


def test_version_0_takes_bleu():
    reward = RadCliQ(Given(0.5), Given(0.6), Given(0.7), bleu=Given(0.3))
    assert reward.name == "radcliq_v0"
    assert reward(samples(1)).values == pytest.approx(-radcliq_v0(0.5, 0.6, 0.7, 0.3))
