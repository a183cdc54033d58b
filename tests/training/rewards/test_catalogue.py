"""Rewards by name, as a TOML file asks for them."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from training import rewards
from training.config import RUNS, load_run
from training.rewards.batch import Reward, Sample, scores
from training.rewards.cache import Cached
from training.rewards.catalogue import REWARDS, build, names, takes
from training.rewards.compositions import ERROR_WEIGHT, OFFLINE, minus_radcliq_v1, published_mix
from training.rewards.mix import Composite
from training.rewards.weights import MissingWeights

PAIR = [Sample(text, "Small right pleural effusion.", has_prior=False) for text in ("Right effusion.", "Clear.")]


@pytest.mark.parametrize("name", REWARDS)
def test_every_name_leads_to_something_that_makes_a_reward(name: str):
    """Read, not imported: the judges' modules import torch."""
    module, attribute = REWARDS[name].split(":")
    tree = ast.parse((Path(rewards.__file__).parent / f"{module}.py").read_text())
    assert attribute in {node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}


@pytest.mark.parametrize("name", ["bleu2", "findings_f1", "agreement", "prior_claims", "length", "repetition"])
def test_rewards_by_rule_take_no_options(name: str):
    reward = build(name)
    assert isinstance(reward, Reward)
    assert reward.name == name
    assert len(reward(PAIR).values) == 2


def test_a_composite_is_a_table():
    table = tomllib.loads("""
        [reward]
        group_size = 2
        patience = 3
        [[reward.terms]]
        reward = "findings_f1"
        weight = 0.7
        normalise = "group"
        required = true
        options = { uncertain = "present" }
        [[reward.terms]]
        reward = "bleu2"
        weight = 0.3
    """)["reward"]
    mixed = build("composite", table)
    assert isinstance(mixed, Composite)
    assert (mixed.patience, mixed.terms[0].required, mixed.terms[0].reward.uncertain) == (3, True, "present")
    assert mixed(PAIR).values[0] > mixed(PAIR).values[1]


def test_named_mixes_are_built_by_name_with_stand_ins_said():
    options = tomllib.loads("""
        group_size = 2
        errors = "findings_errors"
        [stand_ins]
        bertscore = "length"
        sembscore = "agreement"
        radgraph_combined = "findings_f1"
        [options.findings_f1]
        uncertain = "present"
    """)
    mixed = build("published_mix", options)
    assert isinstance(mixed, Composite)
    assert mixed.name == "published_mix[bertscore=length,sembscore=agreement,radgraph_combined=findings_f1]"
    parts = mixed(PAIR)
    of = parts.components
    expected = 0.370 * of["length"] + 0.253 * of["agreement"] + 0.377 * of["findings_f1"] + 0.5 * of["findings_errors"]
    assert parts.values == pytest.approx(expected)


def make(name: str, options: dict):
    """Every reward a constant, so that weights are seen."""

    class One:
        def __call__(self, batch):
            return scores([1.0] * len(batch))

    reward = One()
    reward.name, reward.options = name, options
    return reward


def test_the_published_mix_has_the_published_weights():
    paths = {"distilroberta": "/weights/d"}
    judge = {"chexprompt": {"judgements": "c"}}
    mixed = published_mix(make, 2, weights=paths, errors="chexprompt", options=judge)
    assert mixed.name == "published_mix"
    weights = {term.reward.name: term.weight for term in mixed.terms}
    assert weights == {
        "bleu2": 0, "bertscore": 0.370, "sembscore": 0.253, "radgraph_combined": 0.377, "chexprompt": ERROR_WEIGHT
    }  # fmt: skip
    given = {term.reward.name: term.reward.options for term in mixed.terms}
    assert given["bertscore"] == {"weights": paths}
    assert given["bleu2"] == {}
    assert given["chexprompt"] == {"judgements": "c"}
    assert mixed(PAIR).values == pytest.approx(1.5)


def test_exact_radcliq_is_another_mix():
    mixed = minus_radcliq_v1(make, 2, weights={"a": "b"}, errors="findings_errors")
    assert [(term.reward.name, term.weight) for term in mixed.terms] == [("radcliq_v1", 1), ("findings_errors", 0.5)]


def test_radcliq_is_made_of_its_published_sub_scores():
    asked = []

    def note(name: str, options: dict):
        asked.append((name, options))
        return make(name, options)

    import training.rewards.compositions as named

    values = named.radcliq_v1(note, weights={"x": "y"})(PAIR).values
    assert [name for name, _ in asked] == ["radgraph_combined", "bertscore", "sembscore"]
    assert values == pytest.approx(1.441, abs=5e-4), "a perfect match, negated"


def test_the_offline_weights_are_one_whole():
    assert sum(OFFLINE.values()) == pytest.approx(1)


WEIGHED = ("bertscore", "sembscore", "radgraph_combined", "radgraph_simple", "ratescore", "green", "radcliq_v1")


@pytest.mark.parametrize("name", [*WEIGHED, "minus_radcliq_v1"])
def test_absent_weights_say_what_to_fetch(name: str):
    with pytest.raises(MissingWeights, match=r"No path is given for .* Fetch it from .* to any local path"):
        build(name, {} if name in WEIGHED else {"group_size": 2})


def test_the_advice_is_taken_by_a_run_file(tmp_path: Path):
    """What the error says is what `[[rl.rewards]]` accepts; the next error is about the path."""
    with pytest.raises(MissingWeights) as told:
        build("bertscore")
    [option] = re.findall(r"`options = (.*?)` of the \[\[rl.rewards\]\]", str(told.value))
    text = (RUNS / "unirg-cxr-8b-rl-1.toml").read_text()
    head, _, _ = text.partition("  [[rl.rewards]]")
    table = f'[[rl.rewards]]\nname = "bertscore"\nweight = 1.0\noptions = {option.replace("PATH", repr("/none"))}\n'
    path = tmp_path / "run.toml"
    path.write_text(head + table)
    [term] = load_run(path).rl[0].rewards
    with pytest.raises(MissingWeights, match="/none does not exist"):
        build(term.name, term.options)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("blue2", {}, "no reward is called 'blue2'; known are.*bleu2"),
        ("length", {"platau": 2}, "unknown option platau; options are plateau, slack, name"),
        ("bertscore", {"wieghts": {}}, "unknown option wieghts; options are weights"),
        ("chexprompt", {}, "missing option judgements"),
        ("radgraph_simple", {"weights": {}, "variant": "partial"}, "unknown option variant"),
        ("offline_composite", {}, "missing option group_size"),
        ("composite", {"terms": []}, "missing option group_size"),
        ("composite", {"group_size": 2, "terms": [{"reward": "bleu2"}]}, "a term has reward, weight"),
        ("bleu2", {"cache": "x.sqlite"}, "cache and cache_version go together"),
        ("published_mix", {"group_size": 2, "stand_ins": {"rouge": "bleu2"}}, "rouge is no metric of it"),
        ("offline_composite", {"group_size": 2, "options": {"rouge": {}}}, "options for rouge"),
    ],
)
def test_wrong_names_and_options_are_told(name: str, options: dict, message: str):
    with pytest.raises(ValueError, match=message):
        build(name, options)


def test_every_name_is_listed():
    assert {"composite", "published_mix", "minus_radcliq_v1", "offline_composite", "bleu2", "green"} <= set(names())


def test_any_reward_can_be_cached_and_shared_out(tmp_path: Path):
    options = {"workers": 2, "chunk": 1, "cache": str(tmp_path / "c.sqlite"), "cache_version": "1"}
    reward = build("findings_errors", options)
    assert isinstance(reward, Cached)
    np.testing.assert_array_equal(reward(PAIR).values, build("findings_errors")(PAIR).values)
    reward.reward.close()


def test_nothing_heavy_is_imported_by_asking_for_rules():
    code = (
        "import sys; from training.rewards.catalogue import build; "
        "build('offline_composite', {'group_size': 2}); "
        "sys.exit(', '.join({'torch', 'transformers', 'trl', 'vllm'} & sys.modules.keys()) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_reward_tells_which_options_it_has():
    assert takes("bertscore", "device")
    assert takes("radcliq_v1", "device")
    assert not takes("findings_f1", "device")
    assert not takes("published_mix", "device")
    assert not takes("no such reward", "device")
