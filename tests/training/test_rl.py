"""Reinforcement learning on TRL: what is sampled, what is left out, and that a killed run ends where it would have."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from training.config import RUNS, RlStage, load_run
from training.monitoring import Progress

pytest.importorskip("trl", reason="TRL is not installed; make setup")
pytest.importorskip("matplotlib", reason="matplotlib is not installed; make setup")

ROOT = Path(__file__).parent.parent.parent
NANO = ROOT / "model" / "checkpoints" / "unirg-cxr-nano"
STAGE = """
[[rl]]
name = "{name}"
prompts = 4
rollouts = 4
micro_batch = 8
learning_rate = 1e-3
max_new_tokens = 20
steps = {steps}
beta = {beta}
zero_variance = "{zero}"
save_every = 1
keep_checkpoints = 11
{stop}
  [[rl.rewards]]
  name = "bleu2"
  weight = 1.0
  [[rl.rewards]]
  name = "findings_errors"
  weight = 0.5
"""


SHORT_IS_WRONG = "stop = { window = 2, min_length_ratio = 0.99 }"


@pytest.fixture(scope="module")
def run_file(tmp_path_factory) -> Path:
    text = (RUNS / "nano-first.toml").read_text()
    small = {"singles": 24, "pairs": 12, "validation": 4}
    lines = [f"{key} = {small[key]}" if (key := line.split(" ")[0]) in small else line for line in text.splitlines()]
    stages = [
        STAGE.format(name="step1", steps=4, beta="0.0", zero="resample", stop=""),
        STAGE.format(name="step2", steps=1, beta="0.03", zero="drop", stop=""),
        STAGE.format(name="keep", steps=1, beta="0.0", zero="keep", stop=""),
        STAGE.format(name="stops", steps=4, beta="0.0", zero="drop", stop=SHORT_IS_WRONG),
    ]
    path = tmp_path_factory.mktemp("rl") / "small.toml"
    path.write_text("\n".join(lines) + "".join(stages))
    return path


def command(run_file: Path, stage: str, out: Path, source: Path = NANO) -> list[str]:
    folders = [run_file.parent / "work", source, out]
    return [sys.executable, "-m", "training.rl", str(run_file), stage, *map(str, folders)]


def environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "1", "HF_HUB_OFFLINE": "1"}


def finish(arguments: list[str]) -> None:
    done = subprocess.run(arguments, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.fixture(scope="module")
def trained(run_file: Path) -> Path:
    out = run_file.parent / "uninterrupted"
    finish(command(run_file, "step1", out))
    return out


def weights(folder: Path) -> dict[str, np.ndarray]:
    from safetensors.torch import load_file

    return {name: value.float().numpy() for name, value in load_file(folder / "model.safetensors").items()}


def test_a_killed_run_ends_with_the_same_weights(trained: Path, run_file: Path):
    out = run_file.parent / "killed"
    process = subprocess.Popen(command(run_file, "step1", out), cwd=ROOT, env=environment(),
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    while not (out / "trainer" / "checkpoint-2" / "trainer_state.json").exists():
        assert process.poll() is None, "ended before it could be killed"
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (out / "result.json").exists()
    (out / "trainer" / "checkpoint-9").mkdir()  # as a kill during saving leaves it
    finish(command(run_file, "step1", out))
    again, once = weights(out), weights(trained)
    assert all(np.array_equal(again[name], once[name]) for name in once)
    figures = [Progress(one).rows() for one in (out, trained)]
    assert [row["step"] for row in figures[0]] == [1, 2, 3, 4]
    assert [row["reward"] for row in figures[0]] == [row["reward"] for row in figures[1]]


def test_the_policy_moves_and_the_vision_tower_does_not(trained: Path):
    before, after = weights(NANO), weights(trained)
    moved = {name for name in after if not np.array_equal(before[name], after[name])}
    assert moved
    assert not any("visual" in name for name in moved)


def test_the_run_leaves_figures_a_page_and_what_it_cost(trained: Path):
    row = json.loads((trained / "progress.jsonl").read_text().splitlines()[-1])
    for name in (
        "reward", "reward/bleu2", "reward/findings_errors", "length_ratio", "no_finding_share", "duplicate_share",
        "recall/all", "entropy", "clip_ratio/high_mean", "frac_reward_zero_std", "cpu_seconds",
    ):  # fmt: skip
        assert name in row, name
    result = json.loads((trained / "result.json").read_text())
    assert (result["steps"], result["stopped"]) == (4, None)
    assert result["cpu_seconds"] > 0
    assert "<svg" in (trained / "report.html").read_text()
    assert list(trained.rglob("events.out.tfevents.*"))


def test_step_two_starts_from_step_one_and_keeps_near_it(trained: Path, run_file: Path):
    out = run_file.parent / "step2"
    finish(command(run_file, "step2", out, source=trained))
    row = json.loads((out / "progress.jsonl").read_text())
    assert row["kl"] == pytest.approx(0, abs=1e-4)


def test_a_broken_rule_ends_the_run_and_keeps_the_weights_from_before(run_file: Path):
    out = run_file.parent / "stops"
    finish(command(run_file, "stops", out))
    result = json.loads((out / "result.json").read_text())
    assert result["steps"] == 2
    assert result["stopped"]["rule"] == "length collapse"
    kept, before = weights(out), weights(NANO)
    assert all(np.array_equal(kept[name], before[name]) for name in kept)


def test_a_kill_behind_a_broken_rule_does_not_train_on(run_file: Path):
    once, out = run_file.parent / "stops", run_file.parent / "stops-killed"
    shutil.copytree(once, out)
    for lost in ("result.json", "model.safetensors"):  # killed when checkpoint-2 was whole
        (out / lost).unlink()
    finish(command(run_file, "stops", out))
    again, before = (json.loads((folder / "result.json").read_text()) for folder in (out, once))
    assert again["stopped"] == before["stopped"]
    assert again["steps"] == 2
    assert (out / "model.safetensors").read_bytes() == (once / "model.safetensors").read_bytes()


def stage(**changes) -> RlStage:
    return replace(load_run(RUNS / "nano-sites.toml").rl[0], prompts=12, rollouts=2, micro_batch=4, **changes)


def batch(advantages: list[float]) -> dict:
    import torch

    rows = len(advantages)
    return {
        "prompt_ids": torch.arange(rows)[:, None].repeat(1, 3),
        "prompt_mask": torch.tensor([[0, 1, 1]] * rows),
        "completion_ids": torch.arange(rows)[:, None].repeat(1, 4),
        "completion_mask": torch.tensor([[1, 1, 0, 0]] * rows),
        "advantages": torch.tensor(advantages),
        "num_items_in_batch": torch.tensor(2 * rows),
        "pixel_values": torch.arange(rows * 4)[:, None].float(),
        "image_grid_thw": torch.tensor([[1, 2, 2]] * rows),
        "num_images": [1] * rows,
        "mm_token_type_ids": torch.zeros(rows, 7),
    }


def test_groups_without_a_difference_are_left_out():
    from training.rl import informative

    kept = informative(batch([1, -1, 0, 0, 1e-5, -1e-5, 0.5, -0.5]), stage(), rows=8, parts=2)
    assert kept["prompt_ids"][:, 0].tolist() == [0, 1, 6, 7]
    assert kept["pixel_values"][:, 0].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 24, 25, 26, 27, 28, 29, 30, 31]
    assert kept["num_images"] == [1] * 4
    assert kept["prompt_ids"].shape == kept["completion_ids"].shape == (4, 2)
    assert kept["mm_token_type_ids"].shape == (4, 4)


def test_at_most_the_asked_rows_and_never_none():
    from training.rl import informative

    kept = informative(batch([1, -1, 1, -1, 1, -1]), stage(), rows=4, parts=2)
    assert kept["prompt_ids"][:, 0].tolist() == [0, 1, 2, 3]
    flat = informative(batch([0.0] * 6), stage(), rows=6, parts=3)
    assert len(flat["prompt_ids"]) == 3
    assert flat["completion_mask"].sum() == 0


def test_every_process_keeps_as_many_rows_as_the_fullest():
    from training.rl import informative

    kept = informative(batch([1, -1, 0, 0, 0, 0, 0, 0]), stage(), rows=8, parts=2, largest=lambda _: 5)
    assert kept["completion_mask"].any(1).tolist() == [True] * 2 + [False] * 4


MEAN = -(1 + 0.5) / 2  # of the two advantages of `rollouts_that_differ`, at the policy that sampled them
OF_LOSS = {"dapo": MEAN, "grpo": MEAN, "bnpo": MEAN, "dr_grpo": MEAN * 2 / 10}  # 2 of 10 tokens each


def rollouts_that_differ() -> dict:
    """Text alone, eight rows of two tokens; one group of two counts."""
    made = batch([1, 0.5, 0, 0, 0, 0, 0, 0])
    return {name: made[name] for name in made if name not in ("pixel_values", "image_grid_thw", "num_images")}


@pytest.mark.parametrize("parts", [1, 2, 8])
@pytest.mark.parametrize("loss", OF_LOSS)
def test_a_loss_does_not_depend_on_what_was_left_out_of_it(loss: str, parts: int, tmp_path: Path):
    from datasets import Dataset
    from transformers import AutoModelForImageTextToText, AutoProcessor
    from trl.trainer.utils import shuffle_sequence_dict, split_tensor_dict

    from training.rl import Grpo, Judge, composite, informative, settings

    small = replace(stage(loss=loss, beta=0.0, max_new_tokens=10), prompts=4, micro_batch=8 // parts)
    trainer = Grpo(
        small,
        model=AutoModelForImageTextToText.from_pretrained(NANO).train(),
        reward_funcs=Judge(composite(small), 2),
        args=settings(small, 1, tmp_path, 1, []),
        train_dataset=Dataset.from_list([{"prompt": "x"}]),
        processing_class=AutoProcessor.from_pretrained(NANO),
    )
    trainer.current_gradient_accumulation_steps = trainer.args.gradient_accumulation_steps
    kept = informative(rollouts_that_differ(), small, rows=8, parts=parts)
    kept["num_items_in_batch"] = kept["completion_mask"].sum()
    trainer._buffered_inputs = split_tensor_dict(shuffle_sequence_dict(kept), parts)
    total = sum(trainer._compute_loss(trainer.model, part).item() for part in trainer._buffered_inputs)
    assert total == pytest.approx(OF_LOSS[loss], rel=1e-4)


def test_film_processor_lays_out_what_the_checkpoints_own_does(run_file: Path):
    import torch
    from PIL import Image
    from transformers import AutoProcessor

    from model.prompting import build_prompt
    from training.examples import FilmStore
    from training.film_processor import FilmProcessor

    store = FilmStore(load_run(run_file).phantoms, run_file.parent / "work")
    own, quick = AutoProcessor.from_pretrained(NANO), FilmProcessor.over(NANO, store)
    prompts = [build_prompt("Cough."), build_prompt(None)]
    numbers = [[5], [3]]
    messages = [[{"role": "user", "content": [{"type": "image", "image": n}, {"type": "text", "text": p.text}]}]
                for p, (n,) in zip(prompts, numbers, strict=True)]  # fmt: skip
    texts = own.apply_chat_template([p.chat_messages() for p in prompts], tokenize=False, add_generation_prompt=True)
    assert quick.apply_chat_template(messages, add_generation_prompt=True) == texts
    images = [[Image.fromarray(film).convert("RGB")] for film in store.films([5, 3])]
    wanted = own(text=texts, images=images, return_tensors="pt", padding=True, padding_side="left")
    made = quick(text=texts, images=numbers, return_tensors="pt", padding=True)
    for key in ("input_ids", "attention_mask", "image_grid_thw", "mm_token_type_ids"):
        assert torch.equal(made[key], wanted[key]), key
    assert torch.allclose(made["pixel_values"], wanted["pixel_values"], atol=1e-6)
    tokenised = quick.apply_chat_template(messages, add_generation_prompt=True, tokenize=True, return_dict=True)
    assert tokenised["input_ids"][1] == wanted["input_ids"][1][wanted["attention_mask"][1] == 1].tolist()


def test_prompts_are_stratified_and_judged_by_what_is_shown(run_file: Path):
    from training.examples import FilmStore
    from training.monitoring import conditions
    from training.rl_data import phantom_questions

    data = load_run(run_file).phantoms
    store = FilmStore(data, run_file.parent / "work")
    asked = list(phantom_questions(stage(steps=30, abnormal_share=0.5, prior_dropout=0.4), data, store, 1))
    assert len(asked) == 30 * 12
    singles = stage(steps=30, abnormal_share=0.5, pair_share=0.0)
    many = replace(data, singles=200, rl_singles=0)  # enough for both kinds; no film is drawn
    shown = [bool(conditions(one.reference)) for one in phantom_questions(singles, many, store, 1)]
    assert 0.4 < np.mean(shown) < 0.6
    assert {len(one.images) for one in asked if one.has_prior} == {2}
    assert {len(one.images) for one in asked if not one.has_prior} == {1}
    alone = [one for one in asked if not one.has_prior]
    assert any("-pair-" not in one.study for one in alone)
    assert all("Prior frontal" not in one.text and not one.prior_report for one in alone)
    assert {one.asked for one in asked} == {"report", "findings"}
    assert all(("Impression:" in one.reference) == (one.asked == "report") for one in asked)
