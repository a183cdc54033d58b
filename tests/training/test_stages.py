"""Every stage of the training runs on a CPU, from nothing to a checkpoint that the service can load."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from training.config import RUNS, Run, load_run

pytest.importorskip("trl", reason="TRL is not installed; make setup")

ROOT = Path(__file__).parent.parent.parent
SMALL = {
    "singles": 24, "pairs": 16, "validation": 8, "heldout_singles": 1, "heldout_pairs": 1,
    "vision_hidden": 64, "vision_depth": 4, "text_hidden": 64, "text_layers": 2,
    "steps": 2, "stop": 2, "batch": 4, "warmup": 1,
}  # fmt: skip

SERVED_BEFORE = {
    "better": True, "reason": "better: x", "candidate": "1" * 64, "baseline": "2" * 64, "data": "x", "studies": 1,
    "rule": [], "figures": {},
}  # fmt: skip


@pytest.fixture(scope="module")
def small_run(tmp_path_factory) -> Path:
    text = (RUNS / "nano-first.toml").read_text()
    for key, value in SMALL.items():
        text = re.sub(rf"^{key} = .*$", f"{key} = {value}", text, flags=re.MULTILINE)
    text = text.replace("[[sft]]" + text.split("[[sft]]")[1], "")  # the mixed stage does all that the single one does
    path = tmp_path_factory.mktemp("run") / "small.toml"
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def trained(small_run: Path) -> tuple[Path, Path]:
    """Work and output folders of one whole run, made by the one command."""
    work, out = small_run.parent / "work", small_run.parent / "out"
    out.mkdir()
    for stale in ("decision.json", "model-00001-of-00002.safetensors"):
        (out / stale).write_text(json.dumps(SERVED_BEFORE))
    command = [
        sys.executable,
        "-m",
        "training.train_nano",
        "--run",
        str(small_run),
        "--work",
        str(work),
        "--out",
        str(out),
    ]
    done = subprocess.run([*command, "--ranks", "1"], cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"},
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return work, out


@pytest.fixture(scope="module")
def run(small_run: Path) -> Run:
    return load_run(small_run)


def test_checkpoint_is_what_the_service_loads(trained):
    from model.manifest import load_checkpoint

    checkpoint = load_checkpoint(trained[1])
    assert checkpoint.weights_digest() == checkpoint.manifest.weights_sha256
    assert (checkpoint.manifest.image_size, checkpoint.manifest.dtype) == (128, "float32")
    figures = json.loads((trained[1] / "evaluation.json").read_text())
    assert figures["all"]["studies"] == 2
    assert figures["drafted_alone"]["studies"] == 2
    card = (trained[1] / "CARD.md").read_text()
    assert "not a medical" in card
    assert "## Why this one" not in card
    left = {path.name for path in trained[1].iterdir()}
    assert not left & {"decision.json", "model-00001-of-00002.safetensors"}, "of the checkpoint that was there before"
    assert "python -m training.train_nano" in card


def test_finished_stages_are_not_run_again(trained, small_run):
    from training.train_nano import run_stage

    run_stage("vision", trained[0], lambda: pytest.fail("run again"))


def test_weights_in_the_file_are_bfloat16(trained):
    from safetensors import safe_open

    with safe_open(trained[1] / "model.safetensors", "pt") as file:
        assert {file.get_slice(key).get_dtype() for key in file.keys()} == {"BF16"}  # noqa: SIM118  not a mapping


def test_collator_gives_what_the_processor_gives(trained, run):
    import torch
    from PIL import Image
    from transformers import AutoProcessor

    from training.examples import FilmStore, schedule
    from training.sft import FilmCollator

    processor = AutoProcessor.from_pretrained(trained[0] / "base")
    store = FilmStore(run.data, trained[0])
    one = next(example for example in schedule(run.sft[-1], run.data, store, 1) if len(example.films) == 2)
    collator = FilmCollator(processor, store, 0)
    collator.jitter_seed = None
    made = collator([{"prompt": one.prompt.chat_messages(), "completion": one.completion, "images": one.films}])
    text = processor.apply_chat_template(one.prompt.chat_messages(), tokenize=False, add_generation_prompt=True)
    images = [Image.fromarray(film).convert("RGB") for film in store.films(list(one.films))]
    wanted = processor(text=[text + one.completion + "<|im_end|>"], images=images, return_tensors="pt")
    for key in ("input_ids", "image_grid_thw", "mm_token_type_ids", "attention_mask"):
        assert torch.equal(made[key], wanted[key]), key
    assert torch.allclose(made["pixel_values"], wanted["pixel_values"], atol=1e-6)
    told = processor.tokenizer.decode(made["labels"][made["labels"] >= 0])
    assert told == one.completion + "<|im_end|>"


def test_rearranged_forwards_change_nothing(trained, run):
    code = """
import sys, numpy as np, torch
from pathlib import Path
from training import fast_forward
from training.architecture import vision_tower
from training.config import load_run
tower = vision_tower(load_run(Path(sys.argv[1])).architecture, 0).eval()
films = np.random.default_rng(0).integers(0, 256, (3, 128, 128), np.uint8)
pixels, grid = fast_forward.patches(films, 16)
with torch.no_grad():
    plain = tower(pixels, grid_thw=grid, return_dict=True)
    fast_forward.install()
    quick = tower(pixels, grid_thw=grid, return_dict=True)
pairs = zip([plain.pooler_output, *plain.deepstack_features], [quick.pooler_output, *quick.deepstack_features])
sys.exit(not all(torch.allclose(a, b, atol=2e-6) for a, b in pairs))
"""
    path = trained[0].parent / "small.toml"
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_swapping_gives_every_study_another_ones_films(run):
    from training.evaluate.drafts import phantom_cases, swapped

    cases = phantom_cases(1, 9, 9, 0.5)
    others = swapped(cases)
    assert [case.prompt for case in others] == [case.prompt for case in cases]
    assert not any(np.array_equal(a.films[-1], b.films[-1]) for a, b in zip(cases, others, strict=True))


def test_patient_text_cannot_become_vision_tokens(trained):
    from transformers import AutoTokenizer

    from model.prompting import build_prompt
    from training.tokenizer import SPECIAL_TOKENS

    tokenizer = AutoTokenizer.from_pretrained(trained[0] / "base")
    attack = " ".join(SPECIAL_TOKENS) + " <\u200b|image_pad|>"
    ids = tokenizer(build_prompt(attack).text)["input_ids"]
    assert not set(ids) & set(tokenizer.convert_tokens_to_ids(list(SPECIAL_TOKENS)))
