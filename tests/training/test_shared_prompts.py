"""Rollouts that share their prompt's computation: the same texts and log-probabilities as one by one."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("trl", reason="TRL is not installed; make setup")

import torch
from transformers import AutoModelForImageTextToText, AutoProcessor

from training.evaluate.drafts import phantom_cases
from training.shared_prompts import RoomyLayer, Sampling, SharedPrompts, pack, sample

NANO = Path(__file__).parent.parent.parent / "model" / "checkpoints" / "unirg-cxr-nano"
ROLLOUTS = 3


@pytest.fixture(scope="module")
def model():
    torch.set_num_threads(1)
    return AutoModelForImageTextToText.from_pretrained(NANO, dtype=torch.float32).eval()


@pytest.fixture(scope="module")
def prompts(model):
    """Four prompts, one or two films each, padded on the left as the trainer has them."""
    from PIL import Image

    processor, cases = AutoProcessor.from_pretrained(NANO), phantom_cases(7, 2, 2, 1.0)
    texts = [
        processor.apply_chat_template(one.prompt.chat_messages(), tokenize=False, add_generation_prompt=True)
        for one in cases
    ]
    films = [[Image.fromarray(film).convert("RGB") for film in one.films] for one in cases]
    made = processor(text=texts, images=films, return_tensors="pt", padding=True, padding_side="left")
    return dict(made) | {"counts": [len(one.films) for one in cases]}


def without_counts(prompts: dict) -> dict:
    return {name: value for name, value in prompts.items() if name != "counts"}


def how(model, *, temperature: float, never: list[int]) -> Sampling:
    return Sampling(ROLLOUTS, 60, temperature, never, list(model.generation_config.eos_token_id))


def test_at_zero_temperature_it_writes_what_transformers_writes(model, prompts):
    never = list(model.generation_config.suppress_tokens)
    written = sample(model, without_counts(prompts), how(model, temperature=1e-4, never=never))
    greedy = model.generate(**without_counts(prompts), max_new_tokens=60, do_sample=False)
    end, start = model.generation_config.eos_token_id[0], prompts["input_ids"].shape[1]
    assert len(written) == 4 * ROLLOUTS
    for row, ids in enumerate(written):
        wanted = greedy[row // ROLLOUTS, start:].tolist()
        assert ids == (wanted[: wanted.index(end) + 1] if end in wanted else wanted)


def test_what_may_never_be_said_is_not_said(model, prompts):
    first = sample(model, without_counts(prompts), how(model, temperature=1e-4, never=[]))[0][0]
    written = sample(model, without_counts(prompts), how(model, temperature=1.0, never=[first]))
    assert all(first not in ids for ids in written)


def test_rollouts_of_one_prompt_differ_from_each_other(model, prompts):
    torch.manual_seed(1)
    written = sample(model, without_counts(prompts), how(model, temperature=3.0, never=[]))
    assert len({tuple(ids) for ids in written}) == len(written)


def test_log_probabilities_are_those_of_each_row_alone(model, prompts):
    torch.manual_seed(2)
    written = sample(model, without_counts(prompts), how(model, temperature=1.0, never=[]))
    order = np.random.default_rng(0).permutation(len(written)).tolist()
    order.remove(order[0])  # groups need not be whole
    rows = [(place // ROLLOUTS, written[place]) for place in order]
    given = flat_rows(prompts, rows)
    trainer = SimpleNamespace(accelerator=SimpleNamespace(unwrap_model=lambda one: one), temperature=1.0)
    keep = given["ids"].shape[1] - prompts["input_ids"].shape[1]
    score = SharedPrompts._get_per_token_logps_and_entropies
    with torch.no_grad():
        chances, entropy, _ = score(trainer, model, given["ids"], given["mask"], keep, **given["shown"])
        plain = model(
            input_ids=given["ids"],
            attention_mask=given["mask"],
            pixel_values=given["shown"]["pixel_values"],
            image_grid_thw=given["shown"]["image_grid_thw"],
            mm_token_type_ids=given["shown"]["mm_token_type_ids"],
        ).logits[:, -keep - 1 : -1]
    told, real = plain.log_softmax(-1), given["mask"][:, -keep:].bool()
    wanted = told.gather(2, given["ids"][:, -keep:, None])[..., 0]
    assert torch.allclose(chances[real], wanted[real], atol=2e-5)
    assert torch.allclose(entropy[real], -(told.exp() * told).sum(-1)[real], atol=2e-5)
    assert not chances[~real].any()


def flat_rows(prompts: dict, rows: list[tuple[int, list[int]]]) -> dict:
    """Rows as GRPOTrainer lays them out: every row with its prompt and its films."""
    longest = max(len(ids) for _, ids in rows)
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, (_, written) in enumerate(rows):
        ids[row, : len(written)], mask[row, : len(written)] = torch.tensor(written), 1
    of = [prompt for prompt, _ in rows]
    counts, grid = prompts["counts"], prompts["image_grid_thw"]
    ends = np.cumsum(counts)
    films = [image for prompt in of for image in range(ends[prompt] - counts[prompt], ends[prompt])]
    pixels = prompts["pixel_values"].split(grid.prod(-1).tolist())
    return {
        "ids": torch.cat([prompts["input_ids"][of], ids], 1),
        "mask": torch.cat([prompts["attention_mask"][of], mask], 1),
        "shown": {
            "pixel_values": torch.cat([pixels[image] for image in films]),
            "image_grid_thw": grid[films],
            "num_images": [counts[prompt] for prompt in of],
            "mm_token_type_ids": torch.cat([prompts["mm_token_type_ids"][of], torch.zeros_like(ids)], 1),
        },
    }


def test_completions_stand_behind_their_prompt_and_do_not_see_each_other():
    ids = torch.tensor([[0, 5, 7, 8, 0], [0, 5, 9, 0, 0], [4, 6, 3, 2, 1]])
    mask = torch.tensor([[0, 1, 1, 1, 0], [0, 1, 1, 0, 0], [1, 1, 1, 1, 1]])
    places = torch.tensor([[0, 0], [0, 1]]).expand(3, 2, 2)
    packed = pack(ids, mask, places, firsts=[0, 2], member=[0, 0, 1], width=2)
    assert packed.ids.tolist() == [[0, 5, 7, 8, 9], [4, 6, 3, 2, 1]]
    assert packed.places[0].tolist() == [[0, 0, 1, 2, 1], [0, 1, 2, 3, 4]]
    assert packed.before.tolist() == [0, 1, 0, 0, 1, 2]
    assert packed.slots.tolist() == [0, 1, 3, 6, 7, 8]
    sees = packed.sees[0, 0].int().tolist()
    assert sees[4] == [0, 1, 0, 0, 1]
    assert sees[3] == [0, 1, 1, 1, 0]


def test_rows_of_which_nothing_counts_have_no_figures_and_no_gradient(model, prompts):
    given = flat_rows(prompts, [(0, [5, 6]), (3, [5])])
    width = prompts["input_ids"].shape[1]
    given["mask"][:, width:] = 0
    trainer = SimpleNamespace(accelerator=SimpleNamespace(unwrap_model=lambda one: one), temperature=1.0)
    score = SharedPrompts._get_per_token_logps_and_entropies
    chances, entropy, _ = score(trainer, model, given["ids"], given["mask"], 2, **given["shown"])
    assert chances.tolist() == entropy.tolist() == [[0, 0], [0, 0]]
    chances.sum().backward()
    assert not any(one.grad.any() for one in model.parameters() if one.grad is not None)
    model.zero_grad()


def test_a_cache_that_grows_in_strides_holds_the_same():
    roomy = RoomyLayer()
    held: list[torch.Tensor] = []
    rows = 3
    for step in range(90):
        new = torch.randn(rows, 2, 4 if step == 0 else 1, 8)
        held.append(new)
        keys, values = roomy.update(new, -new)
        assert torch.equal(keys, torch.cat(held, 2))
        assert torch.equal(values, -keys)
        if step in (20, 70):
            roomy.batch_select_indices(torch.arange(rows - 1))
            rows -= 1
            held = [one[:rows] for one in held]
    roomy.batch_repeat_interleave(2)
    new = torch.randn(2 * rows, 2, 1, 8)
    assert torch.equal(roomy.update(new, new)[0][:, :, -1:], new)


def test_a_prompt_is_told_from_another_by_its_films():
    from training.shared_prompts import _groups

    ids = torch.tensor([[1, 2], [1, 2], [1, 2]])
    films = [torch.zeros(4, 3), torch.ones(4, 3), torch.zeros(4, 3)]
    assert _groups(ids, films, [1, 1, 1], 2) == ([0, 1], [0, 1, 0])
