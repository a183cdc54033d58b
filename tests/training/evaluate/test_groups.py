"""Sites, subgroups and runs against each other, on tables small enough to check by eye."""

from __future__ import annotations

import copy

import pytest
from PIL import Image

from training.evaluate.cases import StudyCase
from training.evaluate.comparing import NotComparable, compare, leave_one_site_out
from training.evaluate.groups import Grouped, by_group, gaps, site_section, subgroup_section
from training.evaluate.resampling import mean

SCORES = [1.0, 0.5, 0.0, 0.5]


@pytest.fixture
def four():
    sexes, sites = ("F", "F", "M", "M"), ("north", "north", "lake", "harbour")
    return [
        StudyCase(name, name, site, picture, "Clear.", "", groups={"sex": sex, "race": "unknown"})
        for name, site, sex in zip("abcd", sites, sexes, strict=True)
    ]


def picture(size: int) -> Image.Image:
    return Image.new("L", (size, size))


def test_every_group_is_shown_with_its_n():
    whole = Grouped({"findings_f1": mean(SCORES)}, ["a", "b", "c", "d"])
    table = by_group(whole, ["x", "x", "x", "y"], seed=0, draws=50)
    assert table["x"]["findings_f1"]["value"] == 0.5
    assert table["y"] == {"studies": 1, "findings_f1": {"value": 0.5, "low": None, "high": None, "n": 1, "patients": 1}}


def test_gaps_name_worst_and_best_in_the_figure_s_own_direction():
    whole = Grouped({"findings_f1": mean(SCORES), "findings_errors": mean(SCORES)}, ["a", "b", "c", "d"])
    found = gaps(whole, ["F", "F", "M", "M"], seed=0, draws=200)
    higher, lower = found["findings_f1"]["all_groups"], found["findings_errors"]["all_groups"]
    assert (higher["value"], higher["worst"], higher["best"]) == (0.5, "M", "F")
    assert (lower["value"], lower["worst"], lower["best"]) == (0.5, "F", "M")
    assert higher["low"] == 0
    assert higher["high"] == 1
    assert found["findings_f1"]["large_groups"] is None


def test_subgroups_cover_every_attribute_also_an_unknown_one(four):
    section = subgroup_section(four, {"findings_f1": mean(SCORES)}, seed=0, draws=50)
    assert set(section) == {"sex", "race"}
    assert section["race"]["groups"]["unknown"]["studies"] == 4
    assert section["race"]["gaps"]["findings_f1"]["all_groups"] is None


def test_studies_of_an_unknown_group_have_no_part_in_the_gap():
    whole = Grouped({"findings_f1": mean([0.9, 0.5, 0.0])}, ["a", "b", "c"])
    found = gaps(whole, ["F", "M", "unknown"], seed=0, draws=50)["findings_f1"]["all_groups"]
    assert (found["value"], found["worst"], found["best"], found["n"]) == (pytest.approx(0.4), "M", "F", 2)


def test_seen_and_unseen_sites(four):
    section = site_section(four, {"findings_f1": mean(SCORES)}, ["north", "lake"], seed=0, draws=50)
    assert section["seen_unseen"]["unseen"]["studies"] == 1
    assert section["drop"]["findings_f1"]["value"] == pytest.approx(0.5 - 0.5)
    assert set(section["sites"]) == {"north", "lake", "harbour"}
    assert "drop" not in site_section(four, {"findings_f1": mean(SCORES)}, [], seed=0, draws=50)


def results(scores, trained=("north",), sites=("north", "lake"), split="reports"):
    return {
        "system": {"name": "s", "weights": "w"},
        "data": {"split": split},
        "figures": {"findings_f1": {}},
        "sites": {"trained_sites": list(trained)},
        "studies": [
            {"study": f"{site}{k}", "patient": f"{site}{k}", "site": site, "reference": "r",
             "scores": {"findings_f1": None if value is None else [value, 1.0]}}
            for site in sites for k, value in enumerate(scores[site])
        ],
    }  # fmt: skip


def test_two_runs_are_compared_on_what_both_judged():
    first = results({"north": [1.0, 0.8, None], "lake": [0.5]})
    second = results({"north": [0.5, 0.4, 0.1], "lake": [0.5]})
    found = compare(first, second, draws=200)
    row = found["figures"]["findings_f1"]
    assert (found["studies"], row["n"]) == (4, 3)
    assert row["value"] == pytest.approx((0.5 + 0.4 + 0.0) / 3)
    assert 0 < row["p_randomisation"] <= 1


def test_runs_that_cannot_be_compared_are_refused():
    run = results({"north": [1.0], "lake": [0.5]})
    with pytest.raises(NotComparable, match="findings"):
        compare(run, results({"north": [1.0], "lake": [0.5]}, split="findings"))
    with pytest.raises(NotComparable, match="no study in common"):
        compare(run, results({"x": [1.0]}, sites=("x",)))
    other = copy.deepcopy(run)
    other["studies"][0]["reference"] = "another"
    with pytest.raises(NotComparable, match="different references, such as north0"):
        compare(run, other)


def test_leave_one_site_out_sets_runs_that_saw_a_site_against_those_that_did_not():
    scores = {"north": [0.9, 0.7], "lake": [0.4, 0.6]}
    swapped = {"north": [0.5, 0.5], "lake": [0.8, 0.8]}
    found = leave_one_site_out([results(scores), results(swapped, trained=("lake",))])
    north, lake = found["sites"]["north"]["findings_f1"], found["sites"]["lake"]["findings_f1"]
    assert (north["seen"], north["unseen"]) == (pytest.approx(0.8), pytest.approx(0.5))
    assert north["drop"]["value"] == pytest.approx(0.3)
    assert lake["drop"]["value"] == pytest.approx(0.3)
    with pytest.raises(NotComparable, match="--trained-sites"):
        leave_one_site_out([results(scores, trained=())])
    with pytest.raises(NotComparable, match="same split"):
        leave_one_site_out([results(scores), results(swapped, trained=("lake",), split="findings")])


def test_the_same_studies_in_both_kinds_of_runs_are_drawn_together():
    scores = {"north": [k / 10 for k in range(10)], "lake": [0.5]}
    worse = {"north": [k / 10 - 0.25 for k in range(10)], "lake": [0.5]}
    runs = [results(scores), results(worse, trained=("lake",))]
    drop = leave_one_site_out(runs, draws=100)["sites"]["north"]["findings_f1"]["drop"]
    assert (drop["low"], drop["high"], drop["patients"]) == (pytest.approx(0.25), pytest.approx(0.25), 10)


def test_the_interval_is_of_so_many_draws():
    scores = {"north": [0.1 * k for k in range(9)], "lake": [0.1 * (k % 3) for k in range(9)]}
    swapped = {"north": [0.07 * (k % 4) for k in range(9)], "lake": [0.5] * 9}
    runs = [results(scores), results(swapped, trained=("lake",))]
    found = [leave_one_site_out(runs, draws=draws) for draws in (20, 20, 200)]
    assert found[0] == found[1]
    few, many = (one["sites"]["north"]["findings_f1"]["drop"] for one in found[1:])
    assert few["value"] == many["value"]
    assert few["low"] != many["low"]
