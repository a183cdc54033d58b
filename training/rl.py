"""Stage 3: reinforcement learning from report rewards, GRPO on TRL's GRPOTrainer.

usage: python -m training.rl RUN.toml STAGE WORK CHECKPOINT_IN CHECKPOINT_OUT   (through training.ranks.launch)

The algorithm is UniRG's (arXiv 2601.17151): for each prompt `rollouts` reports are sampled, each gets one scalar from
the composite of training/rewards, its advantage is its distance from the group's mean, and the clipped policy gradient
has a raised upper clip. Step 1 has no KL term; step 2 starts from the step-1 policy, adds the error term
0.5 / (1 + errors) and a KL of 0.03 to that policy (TRL loads the reference from CHECKPOINT_IN).
Ours, since the paper does not say or the nano network needs it:
* the upper clip is 0.28 (DAPO's), rollouts are sampled at temperature 1;
* groups whose rollouts all earn the same teach nothing: they are left out of the loss and its normaliser ("drop"), or
  more prompts are generated than needed and the first ones that differ are kept ("resample", DAPO's idea);
* prompts are stratified by what the film shows, pairs sometimes lose their prior (training/rl_data.py);
* a reward that cannot judge is None: such a completion has no advantage, and does not count in its group's mean;
* vision and chat tokens are never sampled: an image token in a completion would not match any image;
* the vision tower is frozen, films come from the cache (training/film_processor.py).

OUT/trainer holds checkpoints and TensorBoard files, OUT/progress.jsonl the figures of each step, OUT/report.html shows
them, OUT/result.json says how the run ended. The same command continues after a kill, with the same final weights.
"""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import AutoModelForImageTextToText, PrinterCallback, TrainerCallback
from trl import GRPOConfig, GRPOTrainer
from trl.trainer.utils import split_pixel_values_by_grid, unsplit_pixel_values_by_grid

from training import fast_forward, ranks, run_report
from training.config import RlStage, Run, load_run
from training.examples import FilmStore
from training.film_processor import FilmProcessor
from training.monitoring import Progress, reward_figures, watch
from training.rewards.batch import Reward
from training.rewards.catalogue import build
from training.rl_data import Question, phantom_questions, prompts_in, prompts_per_step, samples, steps_of
from training.shared_prompts import SharedPrompts
from training.stop_rules import broken, last_good_checkpoint

NEVER_SAMPLED = (
    *("<|im_start|>", "<|vision_start|>", "<|vision_end|>"),
    *("<|vision_pad|>", "<|image_pad|>", "<|video_pad|>"),
)
_DIFFER_SCALED, _DIFFER_RAW = 1e-3, 1e-6  # below, a group's advantages are rounding


class Judge:
    """The reward function: completions and columns in, one number per completion out, None where it cannot judge."""

    __name__ = "composite"

    def __init__(self, reward: Reward, rollouts: int) -> None:
        self.reward, self.rollouts = reward, rollouts

    def __call__(self, completions: Sequence[Any], log_metric: Any, **columns: Any) -> list[float | None]:
        """Called by GRPOTrainer with whole groups in order."""
        batch = samples(completions, columns)
        scored = self.reward(batch)
        for name, value in {**watch(batch, self.rollouts), **reward_figures(scored)}.items():
            if math.isfinite(value):
                log_metric(name, value)
        return [None if math.isnan(value) else float(value) for value in scored.values]


def composite(stage: RlStage) -> Reward:
    """The stage's reward. Raises UnknownReward, ValueError for a mix that must not be trained on."""
    terms = [
        {"reward": one.name, "weight": one.weight, "normalise": one.normalise, "options": dict(one.options)}
        for one in stage.rewards
    ]
    return build("composite", {"group_size": stage.rollouts, "terms": terms})


def informative(
    batch: dict[str, Any], stage: RlStage, rows: int, parts: int, largest: Callable[[int], int] = int
) -> dict[str, Any]:
    """At most `rows` rows of groups whose rewards differ, and as many that count nothing as make a multiple of `parts`.

    batch: what GRPOTrainer made of one generation, n rows in groups of `rollouts`. largest: of a count over all
    processes, which must keep equally many. Padding that no kept row needs goes.
    """
    least = _DIFFER_RAW if stage.scale_rewards == "none" else _DIFFER_SCALED
    differ = (batch["advantages"].view(-1, stage.rollouts).abs() > least).any(1).repeat_interleave(stage.rollouts)
    alive, flat = differ.nonzero().flatten()[:rows], (~differ).nonzero().flatten()
    filler = flat[: max(parts, math.ceil(largest(len(alive)) / parts) * parts) - len(alive)]
    batch["completion_mask"][filler] = 0
    batch["advantages"][filler] = 0
    kept = _rows(split_pixel_values_by_grid(batch), torch.cat([alive, filler]).tolist())
    return unsplit_pixel_values_by_grid(_trimmed(kept))


def counting(parts: Sequence[dict[str, Any]], loss: str) -> torch.Tensor:
    """Share, 0 … 1, of what `loss` takes the mean over that is no filler: rows, or of BNPO parts."""
    real = torch.stack([part["completion_mask"].any(1) for part in parts])
    return (real.any(1) if loss == "bnpo" else real).float().mean()


def _rows(batch: dict[str, Any], kept: list[int]) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    for name, value in batch.items():
        if isinstance(value, list):
            chosen[name] = [value[row] for row in kept]
        else:
            chosen[name] = value[kept] if isinstance(value, torch.Tensor) and value.ndim else value
    return chosen


def _trimmed(batch: dict[str, Any]) -> dict[str, Any]:
    width = batch["prompt_ids"].shape[1]
    start = int(batch["prompt_mask"].any(0).int().argmax())
    end = max(1, int(batch["completion_mask"].any(0).sum()))
    spans = {"prompt_ids": slice(start, None), "prompt_mask": slice(start, None)}
    spans["mm_token_type_ids"] = slice(start, width + end)
    for name, value in batch.items():
        if isinstance(value, torch.Tensor) and value.ndim == 2:
            batch[name] = value[:, spans.get(name, slice(end))]
    return batch


class Grpo(GRPOTrainer):
    """GRPOTrainer that leaves groups without a difference out of the loss and of what it is divided by."""

    def __init__(self, stage: RlStage, **options: Any) -> None:
        self.stage = stage
        super().__init__(**options)

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        batch = super()._generate_and_score_completions(inputs)
        if self.stage.zero_variance == "keep":
            return batch
        rows = self.stage.prompts * self.stage.rollouts // self.accelerator.num_processes
        batch = informative(batch, self.stage, rows, self.args.steps_per_generation, self._largest)
        batch["num_items_in_batch"] = self.accelerator.gather(batch["completion_mask"].sum()).sum()
        return batch

    def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> torch.Tensor:
        loss: torch.Tensor = super()._compute_loss(model, inputs)
        if self.stage.zero_variance == "keep" or self.stage.loss == "dapo":  # DAPO divides by tokens, filler has none
            return loss
        share = self.accelerator.gather(counting(self._buffered_inputs, self.stage.loss)[None]).mean()
        return loss / share.clamp(min=torch.finfo(share.dtype).eps)

    def _largest(self, count: int) -> int:
        return int(self.accelerator.gather(torch.tensor([count], device=self.accelerator.device)).max())


class SharedGrpo(SharedPrompts, Grpo):
    """Grpo on a CPU: a prompt is computed once for all its rollouts (training/shared_prompts.py)."""


class Watch(TrainerCallback):
    """Writes each step's figures to the progress file (rank 0), and ends the run when a stop rule is broken.

    stop: set from the start where a killed run had broken a rule by its checkpoint: then there is nothing to train.
    """

    def __init__(self, stage: RlStage, progress: Progress, resumed: int) -> None:
        self.stage, self.progress = stage, progress
        self.rows = [row for row in progress.rows() if row["step"] <= resumed]
        if not ranks.RANK:
            progress.resume(resumed)
        self.stop = broken(self.rows, stage.stop)
        self.clock = ranks.Clock(self.rows[-1] if self.rows else {})

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any], **_: Any) -> None:  # noqa: ARG002  its signature
        """Called by the trainer after every optimiser step."""
        if "reward" not in logs:
            return
        figures = {
            name: value for name, value in {**logs, **self.clock.read()}.items() if isinstance(value, int | float)
        }
        self.rows.append({"step": state.global_step, **figures})
        if not ranks.RANK:
            self.progress.add(state.global_step, figures)
            told = ("reward", "length_ratio", "recall/all", "entropy", "frac_reward_zero_std", "wall_seconds")
            print("rl", state.global_step, {k: round(figures[k], 4) for k in told if k in figures}, flush=True)
        self.stop = broken(self.rows, self.stage.stop)
        control.should_training_stop = control.should_training_stop or self.stop is not None


def settings(stage: RlStage, seed: int, folder: Path, steps: int, never: list[int]) -> GRPOConfig:
    """GRPOTrainer's own configuration. Raises ValueError where the processes cannot share the prompts evenly."""
    generated, kept = prompts_per_step(stage) * stage.rollouts, stage.prompts * stage.rollouts
    parts = math.ceil(kept / (stage.micro_batch * ranks.WORLD))
    if stage.prompts % ranks.WORLD or kept % (parts * ranks.WORLD):
        raise ValueError(f"{stage.name}: {stage.prompts} prompts, parts of {stage.micro_batch}, {ranks.WORLD} ranks")
    cuda = torch.cuda.is_available()
    served = {"use_vllm": True, "vllm_mode": "server", "vllm_server_base_url": stage.vllm_url} if stage.vllm_url else {}
    never_key = {"logit_bias": dict.fromkeys(never, -100.0)} if stage.vllm_url else {"suppress_tokens": never}
    return GRPOConfig(
        output_dir=str(folder),
        per_device_train_batch_size=generated // (parts * ranks.WORLD),
        gradient_accumulation_steps=parts,
        steps_per_generation=parts,
        num_generations=stage.rollouts,
        num_iterations=stage.iterations,
        max_completion_length=stage.max_new_tokens,
        max_steps=steps,
        learning_rate=stage.learning_rate,
        lr_scheduler_type=stage.schedule,
        warmup_steps=stage.warmup,
        weight_decay=stage.weight_decay,
        adam_beta2=0.95,
        max_grad_norm=1.0,
        temperature=stage.temperature,
        top_p=stage.top_p,
        beta=stage.beta,
        epsilon=stage.epsilon,
        epsilon_high=stage.epsilon_high,
        loss_type=stage.loss,
        scale_rewards=stage.scale_rewards,
        generation_kwargs=never_key,
        shuffle_dataset=False,
        remove_unused_columns=False,
        logging_steps=1,
        save_strategy="steps",
        save_steps=stage.save_every,
        save_total_limit=stage.keep_checkpoints,
        report_to=["tensorboard"],
        use_cpu=not cuda,
        bf16=cuda,
        gradient_checkpointing=cuda,
        ddp_backend="gloo" if ranks.WORLD > 1 and not cuda else None,
        ddp_find_unused_parameters=False,
        seed=seed,
        disable_tqdm=True,
        **served,
    )


def _trainer(run: Run, stage: RlStage, work: Path, source: Path, out: Path) -> tuple[Grpo, Watch, Path | None]:
    store = FilmStore(run.phantoms, work)
    processor = FilmProcessor.over(source, store, jitter_seed=run.seed)
    questions: list[Question] = list(phantom_questions(stage, run.phantoms, store, run.seed))
    model = AutoModelForImageTextToText.from_pretrained(source, dtype=torch.float32)
    model.model.visual.requires_grad_(requires_grad=False)
    never = processor.tokenizer.convert_tokens_to_ids(list(NEVER_SAMPLED))
    resumed = ranks.newest_checkpoint(out / "trainer")
    steps = steps_of(stage, prompts_in(run.phantoms))
    callback = Watch(stage, Progress(out), ranks.step_of(resumed))
    alone = not stage.vllm_url and stage.top_p == 1  # all that SharedPrompts knows how to sample
    kind = partial(SharedGrpo, never=never) if alone else Grpo
    trainer = kind(
        stage,
        model=model,
        reward_funcs=Judge(composite(stage), stage.rollouts),
        args=settings(stage, run.seed, out / "trainer", steps, never),
        train_dataset=Dataset.from_list([one.row() for one in questions]),
        processing_class=processor,
        callbacks=[callback],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer, callback, resumed


def train(run: Run, stage: RlStage, work: Path, source: Path, out: Path) -> None:
    """Train the policy `source` and write `out`: after a broken stop rule, the last weights from before it."""
    torch.set_num_threads(1)
    fast_forward.install()
    trainer, callback, resumed = _trainer(run, stage, work, source, out)
    if not callback.stop:
        trainer.train(resume_from_checkpoint=str(resumed) if resumed else None)
    if ranks.RANK:
        return
    model, stop = trainer.accelerator.unwrap_model(trainer.model), callback.stop
    good = last_good_checkpoint(out / "trainer", stop) or source if stop else None
    if good:
        model = AutoModelForImageTextToText.from_pretrained(good, dtype=torch.float32)
    model.save_pretrained(out)
    trainer.processing_class.save_pretrained(out)
    last = callback.rows[-1]
    ended = {"rule": stop.rule, "reason": stop.reason, "weights_of": good.name if good else ""} if stop else None
    result = {
        "stage": stage.name,
        "steps": int(last["step"]),
        "cpu_seconds": round(last["cpu_seconds"], 1),
        "wall_seconds": round(last["wall_seconds"], 1),
        "stopped": ended,
    }
    (out / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    run_report.write(out, f"{run.name}: {stage.name}")


def main(arguments: list[str]) -> None:
    """Command line; see the module's docstring."""
    run_file, stage_name, work, source, out = arguments
    run = load_run(Path(run_file))
    stage = next(stage for stage in run.rl if stage.name == stage_name)
    os.environ.setdefault("TENSORBOARD_LOGGING_DIR", str(Path(out) / "tensorboard"))
    train(run, stage, Path(work), Path(source), Path(out))


if __name__ == "__main__":
    main(sys.argv[1:])
