"""Stage 2: supervised fine-tuning on TRL's SFTTrainer, one film or current + prior in one run.

usage: python -m training.sft RUN.toml STAGE WORK CHECKPOINT_IN CHECKPOINT_OUT   (through training.ranks.launch)

The loss is TRL's: mean cross-entropy over the completion's tokens. Departures from its defaults, all for CPU time:
* `FilmCollator` takes rendered films from the cache and lays them out as the checkpoint's processor would (tested for
  equality), instead of encoding and decoding image files for each example;
* examples come pre-ordered in batches of similar length (training/examples.py), so the sampler is sequential;
* text and vision have their own learning rates; the vision tower waits for the first `vision_wait` of the steps while
  the language model learns to read it, and is frozen (a quarter of the time saved) where its rate is 0;
* two vision forwards are rearranged (training/fast_forward.py), weights and results unchanged.

OUT/trainer holds the last checkpoint: the same command continues after a kill, with the same final weights.
OUT/progress.jsonl says what each checkpoint had cost, OUT/result.json what the whole stage did, kills or not.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from torch.utils.data import Sampler, SequentialSampler
from transformers import AutoModelForImageTextToText, AutoProcessor, TrainerCallback
from trl import SFTConfig, SFTTrainer

from training import fast_forward, ranks
from training.config import Run, SftStage, load_run
from training.evaluate.drafts import Case, phantom_cases, write_drafts
from training.evaluate.scores import summary
from training.examples import Example, FilmStore, schedule
from training.monitoring import Progress

_LOOK_EVERY = 400
_LOOK_STUDIES = 40
_IGNORED = -100


class FilmCollator:
    """Rows {place, prompt, completion, images} -> the model's tensors; `images` are numbers of FilmStore."""

    def __init__(self, processor: Any, store: FilmStore, seed: int) -> None:
        self.tokenizer, self.store = processor.tokenizer, store
        self.patch = processor.image_processor.patch_size
        edge = int(processor.image_processor.size["longest_edge"] ** 0.5)
        self.tokens_per_film = (edge // self.patch // 2) ** 2
        self.image_token = self.tokenizer.convert_tokens_to_ids("<|image_pad|>")
        self.jitter_seed: int | None = seed

    def _prompt_ids(self, messages: list[dict[str, Any]]) -> list[int]:
        text = self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        return list(self.tokenizer(text.replace("<|image_pad|>", "<|image_pad|>" * self.tokens_per_film))["input_ids"])

    def _jitter(self, rows: list[dict[str, Any]]) -> np.random.Generator | None:
        """Depends on the batch's place in the run, not on how many were made before: a resumed run sees the same."""
        return None if self.jitter_seed is None else np.random.default_rng([self.jitter_seed, rows[0]["place"]])

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        """Padded on the right; the loss falls on the completion and its end mark only."""
        prompts = [self._prompt_ids(row["prompt"]) for row in rows]
        answers = [self.tokenizer(row["completion"] + "<|im_end|>")["input_ids"] for row in rows]
        longest = max(len(p) + len(a) for p, a in zip(prompts, answers, strict=True))
        ids = torch.full((len(rows), longest), self.tokenizer.pad_token_id)
        labels = torch.full((len(rows), longest), _IGNORED)
        mask = torch.zeros((len(rows), longest), dtype=torch.long)
        for row, (prompt, answer) in enumerate(zip(prompts, answers, strict=True)):
            end = len(prompt) + len(answer)
            ids[row, :end], mask[row, :end] = torch.tensor(prompt + list(answer)), 1
            labels[row, len(prompt) : end] = ids[row, len(prompt) : end]
        films = self.store.films([number for row in rows for number in row["images"]])
        pixels, grid = fast_forward.patches(films, self.patch, self._jitter(rows))
        return {
            "input_ids": ids,
            "attention_mask": mask,
            "labels": labels,
            "pixel_values": pixels,
            "image_grid_thw": grid,
            "mm_token_type_ids": (ids == self.image_token).long(),
        }


class OrderedTrainer(SFTTrainer):
    """SFTTrainer that takes the examples in the order given."""

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:
        return SequentialSampler(train_dataset if train_dataset is not None else self.train_dataset)


class Look(TrainerCallback):
    """Now and then: score greedy drafts of a few validation studies (rank 0)."""

    def __init__(self, processor: Any, cases: list[Case]) -> None:
        self.processor, self.cases, self.start = processor, cases, time.time()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:  # noqa: ARG002  its signature
        """Called by the trainer on every rank; only the first looks."""
        if ranks.RANK or state.global_step % _LOOK_EVERY or state.global_step == args.max_steps:
            return
        model = kwargs["model"]
        plain = getattr(model, "module", model)
        plain.eval()
        drafts = write_drafts(plain, self.processor, self.cases)
        plain.train()
        plain.model.rope_deltas = None
        print("look", state.global_step, f"{time.time() - self.start:.0f}s", summary(drafts, self.cases), flush=True)


class Spent(TrainerCallback):
    """Keeps with every checkpoint what was spent up to it (rank 0), so that a killed run counts on from there."""

    def __init__(self, out: Path, resumed: Path | None) -> None:
        self.progress, step = Progress(out), ranks.step_of(resumed)
        rows = [row for row in self.progress.rows() if row["step"] <= step]
        if not ranks.RANK:
            self.progress.resume(step)
        self.clock = ranks.Clock(rows[-1] if rows else {})

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002  its signature
        """Called by the trainer on every rank, before it saves."""
        if control.should_save and not ranks.RANK:
            self.progress.add(state.global_step, self.clock.read())


def _dataset(examples: list[Example]) -> Dataset:
    return Dataset.from_dict(
        {
            "place": list(range(len(examples))),
            "prompt": [one.prompt.chat_messages() for one in examples],
            "completion": [one.completion for one in examples],
            "images": [list(one.films) for one in examples],
        }
    )


def _optimizer(model: torch.nn.Module, stage: SftStage) -> tuple[torch.optim.Optimizer, Any]:
    seeing = list(model.model.visual.parameters())
    seen = {id(parameter) for parameter in seeing}
    telling = [parameter for parameter in model.parameters() if id(parameter) not in seen]
    groups = [{"params": telling, "lr": stage.learning_rate}, {"params": seeing, "lr": stage.vision_learning_rate}]
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.95), weight_decay=0.01)
    wait = stage.vision_wait * stage.steps

    def told(step: int) -> float:
        return ranks.cosine(step, stage.steps, stage.warmup)

    return optimizer, torch.optim.lr_scheduler.LambdaLR(
        optimizer, [told, lambda step: told(step) if step >= wait else 0.0]
    )


def _settings(stage: SftStage, seed: int, out: Path) -> SFTConfig:
    """SFTTrainer's own configuration. Raises ValueError where the ranks cannot share a batch evenly."""
    if stage.batch % ranks.WORLD:
        raise ValueError(
            f"{stage.name}: batch {stage.batch} cannot be shared by {ranks.WORLD} ranks; take a number that divides it"
        )
    return SFTConfig(
        output_dir=str(out),
        per_device_train_batch_size=stage.batch // ranks.WORLD,
        max_steps=stage.stop,
        max_grad_norm=1.0,
        logging_steps=50,
        save_strategy="steps",
        save_steps=stage.save_every,
        save_total_limit=1,
        report_to=["tensorboard"],
        use_cpu=True,
        bf16=False,
        fp16=False,
        max_length=None,
        remove_unused_columns=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        completion_only_loss=True,
        gradient_checkpointing=False,
        ddp_backend="gloo",
        seed=seed,
        disable_tqdm=True,
        ddp_find_unused_parameters=False,
        dataloader_num_workers=0,
        optim="adamw_torch",
    )


def train(run: Run, stage: SftStage, work: Path, source: Path, out: Path) -> None:
    """Fine-tune `source` and write `out` (fp32 safetensors, processor)."""
    torch.set_num_threads(1)
    fast_forward.install()
    processor = AutoProcessor.from_pretrained(source)
    model = AutoModelForImageTextToText.from_pretrained(source, dtype=torch.float32)
    if stage.vision_learning_rate == 0:
        model.model.visual.requires_grad_(requires_grad=False)
    store = FilmStore(run.phantoms, work)
    examples = schedule(stage, run.phantoms, store, run.seed)
    trainer = OrderedTrainer(
        model=model,
        args=_settings(stage, run.seed, out / "trainer"),
        train_dataset=_dataset(examples),
        processing_class=processor,
        optimizers=_optimizer(model, stage),
        data_collator=FilmCollator(processor, store, run.seed + ranks.RANK),
        callbacks=[Look(processor, _look_cases(run, stage))],
    )
    resumed = ranks.newest_checkpoint(out / "trainer")
    spent = Spent(out, resumed)
    trainer.add_callback(spent)
    trainer.train(resume_from_checkpoint=str(resumed) if resumed else None)
    if ranks.RANK == 0:
        trainer.accelerator.unwrap_model(trainer.model).save_pretrained(out)
        processor.save_pretrained(out)
        told = {"stage": stage.name, "steps": stage.stop, "resumed_at": resumed.name if resumed else None}
        told |= {name: round(seconds, 1) for name, seconds in spent.clock.read().items()}
        (out / "result.json").write_text(json.dumps(told, indent=1) + "\n")


def _look_cases(run: Run, stage: SftStage) -> list[Case]:
    pairs, data = _LOOK_STUDIES // 2 if stage.pair_share else 0, run.phantoms
    return phantom_cases(data.validation_seed, _LOOK_STUDIES - pairs, pairs, data.prior_report_rate, data.sites)


def main(arguments: list[str]) -> None:
    """Command line; see the module's docstring."""
    run_file, stage_name, work, source, out = arguments
    run = load_run(Path(run_file))
    stage = next(one for one in run.sft if isinstance(one, SftStage) and one.name == stage_name)
    os.environ.setdefault("TENSORBOARD_LOGGING_DIR", str(Path(out) / "tensorboard"))
    train(run, stage, Path(work), Path(source), Path(out))


if __name__ == "__main__":
    main(sys.argv[1:])
