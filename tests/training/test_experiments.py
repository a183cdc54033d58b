"""The arms' scores are counted from drafts; their table says how sure it is."""

from __future__ import annotations

import json

import pytest

from training.config import RUNS, load_run

pytest.importorskip("trl", reason="TRL is not installed; make setup")

from training.experiments import ARMS
from training.experiments_scores import columns_of, held_out, looks
from training.experiments_table import difference, figure, load, tables, text

DATA = load_run(RUNS / "nano-sites.toml").phantoms


@pytest.fixture(scope="module")
def rows():
    return looks(held_out(DATA, 6), 1.0)


def result(arm: str, columns: dict, seed: int = 1) -> str:
    return json.dumps({"run": "x", "seed": seed, "arm": arm, "source": "", "cpu_seconds": 5, "scores": columns})


def test_arms_start_from_and_are_measured_by_earlier_ones():
    known: set[str] = {""}
    for arm in ARMS:
        assert {arm.source, *arm.costs, arm.like} <= known, arm.name
        known.add(arm.name)
    stages = {one.name for one in (*load_run(RUNS / "nano-sites.toml").sft, *load_run(RUNS / "nano-sites.toml").rl)}
    assert {name for arm in ARMS for name in arm.stages} <= stages


def test_every_site_and_every_kind_of_prior_is_looked_at(rows):
    assert {row.case.study.site for row in rows} == {*DATA.sites, DATA.unseen_site}
    kinds = [row.condition for row in rows]
    assert [kinds.count(name) for name in ("given", "none", "wrong")] == [24, 12, 12]
    for row in rows:
        films, told = len(row.case.films), "Prior frontal" in row.case.prompt.text
        assert (films == 2) == told == (row.case.study.prior is not None and row.condition != "none")
    wrong, right = (next(r for r in rows if r.condition == kind and r.case.study.prior) for kind in ("wrong", "given"))
    assert wrong.sample.study == right.sample.study
    assert wrong.sample.reference == right.sample.reference
    assert wrong.sample.prior_report != right.sample.prior_report


def test_perfect_and_silent_drafts_are_the_ends_of_the_scale(rows, tmp_path):
    perfect = columns_of(rows, [row.sample.reference for row in rows])
    silent = columns_of(rows, [""] * len(rows))
    assert perfect["found_hit"] == perfect["found_said"] == perfect["found_true"]
    assert sum(silent["found_said"]) == 0
    assert figure(perfect, "findings F1")["value"] == figure(perfect, "change F1")["value"] == 1
    assert figure(silent, "change F1")["value"] == 0
    better = difference(perfect, silent, "1/(1+errors)")
    assert better["low"] > 0.5
    (tmp_path / "seed-1-sft.json").write_text(result("sft", silent))
    (tmp_path / "seed-1-rl_step1.json").write_text(result("rl_step1", perfect))
    told = tables(tmp_path)
    assert set(load(tmp_path)) == {"sft", "rl_step1"}
    assert told["against_sft"]["unseen site"]["rl_step1"][1]["findings F1"]["value"] == 1
    assert "| rl_step1 | 1 | 18 | 1.000" in text(told)


def test_arms_scored_on_different_studies_are_not_compared(rows):
    one = columns_of(rows, [""] * len(rows))
    other = {**one, "study": [f"{name}x" for name in one["study"]]}
    with pytest.raises(ValueError, match="different studies"):
        difference(one, other, "errors")
