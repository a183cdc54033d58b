"""The arms' scores are counted from drafts; their table says how sure it is."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from training.config import RUNS, load_run

pytest.importorskip("trl", reason="TRL is not installed; make setup")

from training.experiments import ARMS, _arguments, _stage, result_path
from training.experiments_scores import columns_of, held_out, looks
from training.experiments_table import PUBLISHED_MIX, contrast_text, contrasts, difference, figure, load, tables, text

DATA = load_run(RUNS / "nano-sites.toml").phantoms


@pytest.fixture(scope="module")
def rows():
    return looks(held_out(DATA, 6), 1.0)


def result(arm: str, columns: dict, seed: int = 1) -> str:
    stages = {"compare": {"cpu_seconds": 5, "wall_seconds": 5, "steps": 10}}
    told = {"run": "x", "seed": seed, "arm": arm, "source": "", "cpu_seconds": 5, "stages": stages}
    return json.dumps({**told, "scores": columns})


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
    assert [kinds.count(name) for name in ("given", "none", "wrong", "copied")] == [24, 12, 12, 12]
    for row in rows:
        films, told = len(row.case.films), "Prior frontal" in row.case.prompt.text
        assert (films == 2) == told == (row.case.study.prior is not None and row.condition != "none")
    wrong, right = (next(r for r in rows if r.condition == kind and r.case.study.prior) for kind in ("wrong", "given"))
    assert wrong.sample.study == right.sample.study
    assert wrong.sample.reference == right.sample.reference
    assert wrong.sample.prior_report != right.sample.prior_report


def test_pairs_beyond_the_first_are_read_as_they_are_and_in_no_contrast_of_priors(tmp_path):
    rows = looks(held_out(DATA, 6), 1.0, thrice=4)
    kinds = [row.condition for row in rows]
    assert [kinds.count(name) for name in ("given", "none", "wrong", "copied")] == [24, 8, 8, 8]
    perfect = columns_of(rows, [row.text or row.sample.reference for row in rows])
    (tmp_path / "seed-1-sft.json").write_text(result("sft", perfect))
    told = contrasts(tmp_path)["priors"]["sft"][1]
    assert (
        told["true prior less copied report"]["errors"]["n"]
        == told["true prior less without prior"]["errors"]["n"]
        == 8
    )


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


def test_a_copied_report_is_worse_than_a_right_one_and_states_no_change(rows, tmp_path):
    perfect = columns_of(rows, [row.text or row.sample.reference for row in rows])
    for arm in ("sft", "rl_step1"):
        (tmp_path / f"seed-1-{arm}.json").write_text(result(arm, perfect))
    told = contrasts(tmp_path)
    against = told["priors"]["sft"][1]["true prior less copied report"]
    assert against["1/(1+errors)"]["low"] > 0
    assert against["change F1"]["value"] == 1
    assert against["change errors"]["high"] < 0
    assert told["drops"]["rl_step1"][1]["drop less that of sft"]["errors"]["value"] == 0
    assert told["subgroups"]["sex"]["sft"][1]["gap"]["findings F1"]["value"] == 0
    assert set(told["subgroups"]["build"]["sft"][1]) >= {"average", "gap"}
    assert "| sft | 1 | true prior less copied report |" in contrast_text(told)


def test_seeds_are_pooled_study_by_study(rows, tmp_path):
    """Two seeds that wrote the same are no more certain than one; two that differ are pooled to their mean."""
    perfect = columns_of(rows, [row.text or row.sample.reference for row in rows])
    silent = columns_of(rows, [row.text for row in rows])
    for seed, columns in ((1, perfect), (2, perfect)):
        (tmp_path / f"seed-{seed}-sft.json").write_text(result("sft", silent, seed))
        (tmp_path / f"seed-{seed}-rl_step1.json").write_text(result("rl_step1", columns, seed))
    against = tables(tmp_path)["against_sft"]["seen sites"]["rl_step1"]
    assert against["all"]["errors"]["low"] == pytest.approx(against[1]["errors"]["low"])
    assert against["all"]["errors"]["n"] == 2 * against[1]["errors"]["n"]
    (tmp_path / "seed-2-rl_step1.json").write_text(result("rl_step1", silent, 2))
    seeds = tables(tmp_path)["figures"]["seen sites"]["rl_step1"]
    mean = (seeds[1]["errors"]["value"] + seeds[2]["errors"]["value"]) / 2
    assert seeds["all"]["errors"]["value"] == pytest.approx(mean)


def test_the_composite_is_set_against_each_reward_alone(rows, tmp_path):
    perfect = columns_of(rows, [row.text or row.sample.reference for row in rows])
    silent = columns_of(rows, [row.text for row in rows])
    arms = {"rl_step1": perfect, "rl_all_terms": silent, "rl_bleu2": silent, "rl_findings_f1": perfect}
    for arm, columns in arms.items():
        (tmp_path / f"seed-1-{arm}.json").write_text(result(arm, columns))
    told = contrasts(tmp_path)["composite less one reward"]
    won = told["rl_bleu2"][1]["composite less it"]
    assert won["findings F1"]["value"] == won["aggregate"]["value"] == pytest.approx(1)
    assert won["aggregate"]["low"] > 0.5
    assert told["rl_findings_f1"][1]["composite less it"]["aggregate"]["value"] == 0
    title = "composite with the error term less it"
    assert told["rl_bleu2"][1][title]["aggregate"]["value"] == 0
    assert told["rl_findings_f1"][1][title]["aggregate"]["high"] < -0.5
    assert "rl_findings_errors" not in told


@pytest.mark.parametrize("lacking", [{1}, {2}, {1, 2}])
def test_files_from_before_a_column_have_no_figure_of_it(rows, tmp_path, lacking: set[int]):
    perfect = columns_of(rows, [row.text or row.sample.reference for row in rows])
    before = {name: values for name, values in perfect.items() if name != "sentence_similarity"}
    for seed in (1, 2):
        for arm in ("sft", "rl_step1"):
            columns = before if seed in lacking else perfect
            (tmp_path / f"seed-{seed}-{arm}.json").write_text(result(arm, columns, seed))
    drop = contrasts(tmp_path)["drops"]["rl_step1"]
    for seed in lacking:
        missing = drop[seed]["drop less that of sft"]["sentence similarity"]
        assert missing == {"value": None, "low": None, "high": None}
    told = tables(tmp_path)["figures"]["seen sites"]["sft"]
    assert told["all"]["sentence similarity"]["n"] == told["all"]["errors"]["n"] * (2 - len(lacking)) / 2
    json.dumps((drop, told), allow_nan=False)


def test_the_published_mix_is_counted_of_stand_ins_by_the_papers_weights():
    """Two of three statements said, of four true; and a study of which neither report states anything."""
    counts = {f"{kind}_{part}": [0, 0] for kind in ("found", "change") for part in ("hit", "said", "true")}
    counts |= {"found_hit": [2, 0], "found_said": [3, 0], "found_true": [2, 0], "change_true": [2, 0]}
    scores = {"study": ["a", "b"], "sentence_similarity": [0.5, 1.0], "findings_f1": [0.8, 1.0], **counts}
    first, second = 0.370 * 0.5 + 0.253 * 0.8 + 0.377 * 4 / 7, 1.0
    assert figure(scores, PUBLISHED_MIX)["value"] == pytest.approx((first + second) / 2)


def test_an_arm_may_take_its_rewards_from_another_stage():
    run, options = load_run(_arguments([]).run), _arguments([])
    every = next(one for one in ARMS if one.name == "rl_all_terms")
    stage = _stage(run, every, "step1", options, 1)
    step1, step2 = run.rl
    assert stage == replace(step1, rewards=step2.rewards)
    assert {"findings_errors"} == {one.name for one in step2.rewards} - {one.name for one in step1.rewards}


def test_comparing_where_no_prior_was_given_is_counted(rows, tmp_path):
    drafts = ["Findings: Unchanged right effusion. Impression: No change."] * len(rows)
    (tmp_path / "seed-1-sft.json").write_text(result("sft", columns_of(rows, drafts)))
    assert contrasts(tmp_path)["compares without prior"]["sft"][1]["all"]["compares"]["value"] == 1


def test_a_budget_is_told_by_result_files_where_the_weights_are_gone(tmp_path):
    options = _arguments(["--work", str(tmp_path / "work"), "--results", str(tmp_path)])
    for arm in ("sft", "rl_step1", "rl_step2"):
        path = result_path(options, arm, 1)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(result(arm, {}))
    more_sft = next(one for one in ARMS if one.name == "more_sft")
    assert _stage(load_run(options.run), more_sft, "compare", options, 1).steps == 10 + 20
    assert _stage(load_run(options.run), replace(more_sft, longer=False), "compare", options, 1).steps == 20
