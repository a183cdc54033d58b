"""Each way of collapsing stops the run by name, and only a lasting one does."""

from __future__ import annotations

import pytest

from training.config import StopRules
from training.stop_rules import RULES, Stop, broken, last_good_checkpoint

HEALTHY = {
    "length_ratio": 1.0, "no_finding_share": 0.1, "no_finding_share_reference": 0.1, "duplicate_share": 0.2,
    "duplicate_share_reference": 0.15, "entropy": 0.1, "kl": 0.01,
}  # fmt: skip
COLLAPSED = {
    "length collapse": {"length_ratio": 0.4},
    "length inflation": {"length_ratio": 2.5},
    "no finding": {"no_finding_share": 0.6},
    "duplicates": {"duplicate_share": 0.8},
    "entropy collapse": {"entropy": 0.0001},
    "left the reference policy": {"kl": 2.0},
}
LIMITS = StopRules(window=4)


def steps(*rows: dict[str, float]) -> list[dict[str, float]]:
    return [{"step": i + 1, **HEALTHY, **row} for i, row in enumerate(rows)]


def test_every_rule_is_tested():
    assert set(COLLAPSED) == set(RULES)


@pytest.mark.parametrize("name", RULES)
def test_a_lasting_collapse_is_named(name: str):
    stop = broken(steps({}, {}, *[COLLAPSED[name]] * 4), LIMITS)
    assert stop is not None
    assert (stop.rule, stop.step, stop.last_good) == (name, 6, 2)
    assert "steps 3 to 6" in stop.reason


@pytest.mark.parametrize("name", RULES)
def test_one_odd_step_and_a_short_run_stop_nothing(name: str):
    mild = {key: (value + 3 * HEALTHY[key]) / 4 for key, value in COLLAPSED[name].items()}
    assert broken(steps({}, {}, mild, {}, {}, {}), LIMITS) is None
    assert broken(steps(*[COLLAPSED[name]] * 3), LIMITS) is None


def test_a_limit_of_zero_and_a_missing_figure_never_stop():
    free = StopRules(
        window=2, min_length_ratio=0.0, max_length_ratio=0.0, max_no_finding_excess=0.0, max_duplicate_excess=0.0,
        min_entropy=0.0, max_kl=0.0,
    )  # fmt: skip
    for row in COLLAPSED.values():
        assert broken(steps(row, row), free) is None
    assert broken([{"step": 1}, {"step": 2}], StopRules(window=2)) is None


def test_many_normal_films_are_no_collapse():
    normal = {"no_finding_share": 0.7, "no_finding_share_reference": 0.65}
    assert broken(steps(*[normal] * 5), LIMITS) is None


def test_the_last_checkpoint_before_the_window_is_kept(tmp_path):
    for step in (10, 20, 30):
        (tmp_path / f"checkpoint-{step}").mkdir()
    assert last_good_checkpoint(tmp_path, Stop("x", "x", 30, 21)) == tmp_path / "checkpoint-20"
    assert last_good_checkpoint(tmp_path, Stop("x", "x", 10, 9)) is None
