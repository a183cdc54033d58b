"""Run configurations are data: each file parses, a wrong key is refused by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from training.config import RUNS, BadRunConfig, load_run


@pytest.mark.parametrize("path", sorted(RUNS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_run_parses(path: Path):
    run = load_run(path)
    if run.data is None:
        return
    seeds = {run.data.single_seed, run.data.pair_seed, run.data.validation_seed, run.data.heldout_seed}
    assert len(seeds) == 4, "held-out studies must not share a seed with training"
    assert run.architecture.image_size % (2 * run.architecture.patch) == 0
    assert run.sft[-1].pair_share > 0


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[vision]", "[vision]\nstpes = 3", "stpes"),
        ("singles = ", "single = ", "singles"),
        ("patch = 16", 'patch = "16"', "architecture.patch: Input should be a valid integer"),
        ("seed = 20261122", "seed = 20261122\nextra = 1", "extra"),
        ("pair_share = 0.0", "pair_share = 1.5", "pair_share: Input should be less than or equal to 1"),
        ("[vision]", "[[rl]]\nname = 'x'\n[vision]", "rl.0.rewards: Field required"),
        ("[architecture]", "[checkpoint]", r"checkpoint.path: Field required"),
        ("seed = 20261122", "seed =", "is not TOML"),
    ],
)
def test_wrong_keys_are_named(tmp_path: Path, old: str, new: str, message: str):
    text = (RUNS / "nano-first.toml").read_text()
    path = tmp_path / "run.toml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(BadRunConfig, match=message):
        load_run(path)


RL = """
[[rl]]
name = "step1"
prompts = 4
rollouts = 4
micro_batch = 8
learning_rate = 1e-4
max_new_tokens = 32
steps = 2
  [[rl.rewards]]
  name = "bleu2"
  weight = 1
"""


def test_a_stage_too_short_for_its_stop_rules_needs_no_checkpoint_from_before_them(tmp_path: Path):
    path = tmp_path / "run.toml"
    path.write_text((RUNS / "nano-first.toml").read_text() + RL.replace("steps = 2", "steps = 2\nsave_every = 1"))
    assert load_run(path).rl[0].stop.window > 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("steps = 2", "steps = 0", "steps or epochs"),
        ("steps = 2", "steps = 2\nepochs = 1.0", "steps or epochs"),
        ("micro_batch = 8", "micro_batch = 3", "micro_batch 3"),
        ("weight = 1", "weight = 1\n  normalise = 'z'", "normalise"),
        ("steps = 2", "steps = 2\nstop = { max_kl = -1.0 }", "max_kl"),
        ("steps = 2", "steps = 21\nstop = { window = 21 }", "keep_checkpoints must be 4 or more"),
        ("steps = 2", "epochs = 1.0\nsave_every = 1\nkeep_checkpoints = 10", "keep_checkpoints must be 11 or more"),
    ],
)
def test_wrong_rl_stages_are_refused(tmp_path: Path, old: str, new: str, message: str):
    path = tmp_path / "run.toml"
    whole = (RUNS / "nano-first.toml").read_text() + RL
    path.write_text(whole)
    assert load_run(path).rl[0].epsilon_high == 0.28
    path.write_text((RUNS / "nano-first.toml").read_text() + RL.replace(old, new, 1))
    with pytest.raises(BadRunConfig, match=message):
        load_run(path)


def test_a_run_has_one_source_of_studies_and_of_weights(tmp_path: Path):
    path = tmp_path / "run.toml"
    parts = {
        "data": '[manifest]\npath = "m"\nimage_root = "i"\nimage_size = 512\n',
        "weights": '[checkpoint]\npath = "c"\n',
        "sft": '[[sft]]\nname = "s"\nepochs = 3.0\nbatch = 256\nmicro_batch = 1\nlearning_rate = 5e-5\n'
        "warmup_ratio = 0.03\nweight_decay = 0.01\nmax_length = 2048\n",
    }
    path.write_text('name = "x"\nseed = 1\n' + "".join(parts.values()))
    run = load_run(path)
    assert run.manifest is not None
    assert run.manifest.image_size == 512
    with pytest.raises(BadRunConfig, match="needs phantom"):
        _ = run.phantoms
    with pytest.raises(BadRunConfig, match="architecture"):
        _ = run.sizes
    path.write_text('name = "x"\nseed = 1\n' + parts["weights"])
    with pytest.raises(BadRunConfig, match="one of them"):
        load_run(path)


@pytest.mark.parametrize(("window", "every", "kept"), [(20, 10, 3), (11, 10, 3), (1, 5, 2), (7, 3, 4)])
def test_what_is_accepted_keeps_a_checkpoint_from_before_a_broken_window(window: int, every: int, kept: int):
    stage = load_run(RUNS / "nano-sites.toml").rl[0]
    accepted = replace(stage, save_every=every, keep_checkpoints=kept, stop=replace(stage.stop, window=window))
    for stopped in range(every * kept, 200):
        saved = range(every, stopped + 1, every)[-accepted.keep_checkpoints :]
        assert saved[0] <= stopped - accepted.stop.window, stopped
