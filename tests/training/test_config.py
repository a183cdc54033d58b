"""Run configurations are data: each file parses, a wrong key is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.config import RUNS, BadRunConfig, load_run


@pytest.mark.parametrize("path", sorted(RUNS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_run_parses(path: Path):
    run = load_run(path)
    seeds = {run.data.single_seed, run.data.pair_seed, run.data.validation_seed, run.data.heldout_seed}
    assert len(seeds) == 4, "held-out studies must not share a seed with training"
    assert run.architecture.image_size % (2 * run.architecture.patch) == 0
    assert run.sft[-1].pair_share > 0


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[vision]", "[vision]\nstpes = 3", "stpes"),
        ("singles = ", "single = ", "singles"),
        ("patch = 16", 'patch = "16"', "patch must be int"),
        ("seed = 20261122", "seed = 20261122\nextra = 1", "extra"),
    ],
)
def test_wrong_keys_are_named(tmp_path: Path, old: str, new: str, message: str):
    text = (RUNS / "nano-first.toml").read_text()
    path = tmp_path / "run.toml"
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(BadRunConfig, match=message):
        load_run(path)
