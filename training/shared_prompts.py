"""GRPO over a network that lives in this process: what the rollouts of one prompt share is computed once.

The numbers are those of GRPOTrainer's own generation and scoring (tested), in another order: a prompt is read once and
its cache is repeated for its rollouts; rows that have ended leave the batch; and to score them, the completions of one
prompt stand one after the other behind it, each blind to its neighbours, at the positions it would have alone.
Prompts here are twice as long as reports and there are eight rollouts, so most of the work was repetition.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import torch
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

_ROOM = 64  # tokens a cache grows by
_CROWD = 0.8  # of the rows still being written: below, the ended ones are dropped


class RoomyLayer(DynamicLayer):
    """A cache layer that grows in strides: DynamicLayer copies everything for every token."""

    keys: torch.Tensor
    values: torch.Tensor

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, *_: Any, **__: Any) -> tuple[Any, Any]:
        """Keys and values [rows, heads, tokens so far, width], with the new ones behind."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        before = 0 if self.keys.numel() == 0 else self.keys.shape[-2]
        self.keys = _behind(self.keys, key_states, before)
        self.values = _behind(self.values, value_states, before)
        return self.keys, self.values


def _behind(held: torch.Tensor, new: torch.Tensor, before: int) -> torch.Tensor:
    """`held` with `new` behind it: in place where the memory that `held` looks at goes on, else in a larger one."""
    rows, heads, tokens, width = new.shape
    end = before + tokens
    whole = held._base  # noqa: SLF001  the memory a view looks at, torch's only name for it
    if whole is None or whole.dim() != new.dim() or whole.shape[0] != rows or whole.shape[2] < end:
        whole = new.new_empty(rows, heads, end + _ROOM, width)
        if before:
            whole[:, :, :before] = held
    whole[:, :, before:end] = new
    return whole[:, :, :end]


@dataclass(frozen=True)
class Sampling:
    """How completions are drawn: `never` and `ends` are token ids."""

    rollouts: int
    max_new_tokens: int
    temperature: float
    never: list[int]
    ends: list[int]


@torch.no_grad()
def sample(model: Any, prompts: dict[str, torch.Tensor], how: Sampling) -> list[list[int]]:
    """`rollouts` completions of each prompt, in order, each up to and with its end mark.

    prompts: input_ids and attention_mask [prompts, P] padded on the left, mm_token_type_ids, pixel_values,
    image_grid_thw, as the processor makes them.
    """
    places = _places(model, prompts)
    cache = DynamicCache(config=model.config.text_config)
    cache.layers = [RoomyLayer() for _ in cache.layers]
    out = model(**prompts, position_ids=places, past_key_values=cache, use_cache=True, logits_to_keep=1)
    cache.batch_repeat_interleave(how.rollouts)
    logits = out.logits[:, -1].repeat_interleave(how.rollouts, 0)
    mask = prompts["attention_mask"].repeat_interleave(how.rollouts, 0)
    place = places[0, :, -1].repeat_interleave(how.rollouts) + 1
    written: list[list[int]] = [[] for _ in range(len(mask))]
    rows, going = torch.arange(len(mask)), torch.ones(len(mask), dtype=torch.bool)
    ends = torch.tensor(how.ends)
    for _ in range(how.max_new_tokens):
        logits = logits / how.temperature
        logits[:, how.never] = -torch.inf
        token = torch.multinomial(logits.softmax(-1), 1)[:, 0]
        for row, one in zip(rows[going].tolist(), token[going].tolist(), strict=True):
            written[row].append(one)
        going &= ~torch.isin(token, ends)
        if not going.any():
            break
        if going.float().mean() < _CROWD:
            rows, token, place, mask = rows[going], token[going], place[going], mask[going]
            cache.batch_select_indices(going.nonzero().flatten())
            going = going[going]
        mask = torch.cat([mask, mask.new_ones(len(mask), 1)], 1)
        step = {"input_ids": token[:, None], "attention_mask": mask, "position_ids": place.expand(3, -1)[..., None]}
        logits = model(**step, past_key_values=cache, use_cache=True).logits[:, -1]
        place = place + 1
    return written


def _places(model: Any, prompts: dict[str, torch.Tensor]) -> torch.Tensor:
    """Positions [3, prompts, P] of a prompt's tokens in time, height and width."""
    given = {name: prompts[name] for name in ("input_ids", "attention_mask", "mm_token_type_ids", "image_grid_thw")}
    return model.model.get_rope_index(**given)[0]


@dataclass(frozen=True)
class Packed:
    """Completions behind their prompts: [prompts, L] token ids, places [3, prompts, L], who sees whom.

    before: for each completion token, flat, the column of the logits (P - 1 and on) that foretells it; at: its row
    of the packed batch; slots: where its figures go in [completions, C], flat.
    """

    ids: torch.Tensor
    places: torch.Tensor
    sees: torch.Tensor
    at: torch.Tensor
    before: torch.Tensor
    slots: torch.Tensor


def pack(
    ids: torch.Tensor, mask: torch.Tensor, places: torch.Tensor, firsts: list[int], member: list[int], width: int
) -> Packed:
    """Token ids and mask [completions, width + C]; row i is behind the prompt of row firsts[member[i]]."""
    lengths = mask[:, width:].sum(1).tolist()
    starts, taken = [], [0] * len(firsts)
    for length, group in zip(lengths, member, strict=True):
        starts.append(taken[group])
        taken[group] += length
    total = width + max(1, *taken)
    packed = ids.new_zeros(len(firsts), total)
    where = places.new_zeros(3, len(firsts), total)
    owner = torch.full((len(firsts), total), -2)
    packed[:, :width], where[:, :, :width] = ids[firsts, :width], places
    owner[:, :width] = torch.where(mask[firsts, :width] > 0, -1, -2)
    at: list[int] = []
    before: list[int] = []
    slots: list[int] = []
    for row, (length, group, start) in enumerate(zip(lengths, member, starts, strict=True)):
        span = slice(width + start, width + start + length)
        packed[group, span] = ids[row, width : width + length]
        where[:, group, span] = places[0, group, -1] + 1 + torch.arange(length)
        owner[group, span] = row
        at += [group] * length
        before += [0, *range(start + 1, start + length)][:length]
        slots += range(row * (ids.shape[1] - width), row * (ids.shape[1] - width) + length)
    earlier = torch.ones(total, total, dtype=torch.bool).tril()
    own = (owner[:, None, :] == -1) | (owner[:, :, None] == owner[:, None, :])
    numbers = (torch.tensor(one, dtype=torch.long) for one in (at, before, slots))
    return Packed(packed, where, (own & earlier)[:, None], *numbers)


def _groups(
    ids: torch.Tensor, films: list[torch.Tensor], num_images: list[int], width: int
) -> tuple[list[int], list[int]]:
    """The first row of each distinct prompt (text and films), and for every row the number of its prompt."""
    number: dict[bytes, int] = {}
    firsts: list[int] = []
    member: list[int] = []
    image = 0
    for row, count in enumerate(num_images):
        shown = hashlib.sha1(ids[row, :width].numpy().tobytes(), usedforsecurity=False)
        for film in films[image : image + count]:
            shown.update(film.numpy().tobytes())
        image += count
        key = shown.digest()
        if key not in number:
            number[key] = len(firsts)
            firsts.append(row)
        member.append(number[key])
    return firsts, member


class SharedPrompts:
    """Goes before GRPOTrainer among a trainer's bases. Raises ValueError for settings its sampling does not know."""

    args: Any  # this and what follows: GRPOTrainer's own
    accelerator: Any
    model: Any
    processing_class: Any
    temperature: float
    max_completion_length: int
    eos_token_ids: set[int]

    def __init__(self, *given: Any, never: list[int], **options: Any) -> None:
        super().__init__(*given, **options)
        if self.args.top_p < 1 or self.args.use_vllm:
            raise ValueError("shared prompts take top_p = 1 and no vLLM server")
        self.never = never

    def _generate_single_turn(
        self, prompt_ids: Any, images: Any, multimodal_fields: Any, num_generations: int, *_: Any, **__: Any
    ) -> tuple[list[list[int]], None]:
        """GRPOTrainer gives each prompt once per rollout; the first of each is read."""
        firsts = list(range(0, len(prompt_ids), num_generations))
        pixels, grid = multimodal_fields["pixel_values"], multimodal_fields["image_grid_thw"]
        kinds = multimodal_fields["mm_token_type_ids"]
        prompts = {
            "input_ids": _padded([prompt_ids[row] for row in firsts], self.processing_class.tokenizer.pad_token_id),
            "attention_mask": _padded([[1] * len(prompt_ids[row]) for row in firsts], 0),
            "mm_token_type_ids": _padded([kinds[row] for row in firsts], 0),
            **_shown(_films(pixels, grid), grid, [len(row) for row in images], firsts),
        }
        how = Sampling(
            num_generations, self.max_completion_length, self.temperature, self.never, list(self.eos_token_ids)
        )
        return sample(self.accelerator.unwrap_model(self.model), prompts, how), None

    def _get_per_token_logps_and_entropies(
        self, model: Any, input_ids: torch.Tensor, attention_mask: torch.Tensor, logits_to_keep: int, **given: Any
    ) -> tuple[torch.Tensor, torch.Tensor, None]:
        """Log-probabilities and entropies [completions, C] of the completions' tokens, 0 where there is none."""
        width, counts, grid = input_ids.shape[1] - logits_to_keep, given["num_images"], given["image_grid_thw"]
        films = _films(given["pixel_values"], grid)
        firsts, member = _groups(input_ids, films, counts, width)
        shown = _shown(films, grid, counts, firsts)
        prompts = {
            "input_ids": input_ids[firsts, :width],
            "attention_mask": attention_mask[firsts, :width],
            "mm_token_type_ids": given["mm_token_type_ids"][firsts, :width],
        }
        places = _places(self.accelerator.unwrap_model(model), prompts | shown)
        packed = pack(input_ids, attention_mask, places, firsts, member, width)
        seen = {"input_ids": packed.ids, "attention_mask": packed.sees, "position_ids": packed.places, **shown}
        out = model(**seen, use_cache=False, logits_to_keep=packed.ids.shape[1] - width + 1)
        told = (out.logits[packed.at, packed.before] / self.temperature).log_softmax(-1)
        said = input_ids[:, width:].reshape(-1)[packed.slots]
        none = told.new_zeros(input_ids.shape[0] * logits_to_keep)
        chances = none.index_put((packed.slots,), told.gather(1, said[:, None])[:, 0])
        entropy = none.index_put((packed.slots,), -(told.exp() * told).sum(-1))
        return chances.view(-1, logits_to_keep), entropy.view(-1, logits_to_keep), None


def _padded(rows: list[list[int]], empty: int) -> torch.Tensor:
    longest = max(map(len, rows))
    return torch.tensor([[empty] * (longest - len(row)) + list(row) for row in rows])


def _films(pixels: torch.Tensor, grid: torch.Tensor) -> list[torch.Tensor]:
    return list(pixels.split(grid.prod(-1).tolist()))


def _shown(
    films: list[torch.Tensor], grid: torch.Tensor, counts: list[int], rows: list[int]
) -> dict[str, torch.Tensor]:
    """The films of some rows, where row i has counts[i] of them."""
    ends = torch.tensor(counts).cumsum(0).tolist()
    numbers = [image for row in rows for image in range(ends[row] - counts[row], ends[row])]
    return {"pixel_values": torch.cat([films[image] for image in numbers]), "image_grid_thw": grid[numbers]}
