"""Supervised fine-tuning of a network that exists on the studies of a manifest, on TRL's SFTTrainer.

usage: accelerate launch --config_file training/accelerate/zero3.yaml -m training.manifest_sft RUN.toml STAGE OUT

The loss is the mean cross-entropy of the completion's tokens. Films are read when a batch is made, by the loader's
processes. OUT gets the network in Hugging Face layout (LoRA: merged, with the adapter beside it), OUT/trainer the last
checkpoint: the same command continues after a kill. OUT/progress.jsonl says what each checkpoint had cost,
OUT/result.json what the whole stage did.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import torch
from trl import SFTConfig, SFTTrainer

from training import policy, ranks
from training.config import BadRunConfig, Checkpoint, Manifest, Run, SftEpochs, load_run
from training.manifest_prompts import Shown, film, prompts, training_rows
from training.sft import Spent

_IGNORED = -100
_LOADERS = 4  # processes per GPU that decode films


class PromptCollator:
    """Rows of manifest_prompts -> the model's tensors, padded on the right; the loss falls on the answer alone.

    max_length: tokens of prompt, images and answer; a longer answer loses its end.
    """

    def __init__(self, processor: Any, image_size: int, max_length: int) -> None:
        self.processor, self.tokenizer = processor, processor.tokenizer
        self.image_size, self.max_length = image_size, max_length
        self.image_token = self.tokenizer.convert_tokens_to_ids("<|image_pad|>")

    def _prompt_ids(self, row: dict[str, Any], tokens_per_film: int) -> list[int]:
        content = [{"type": "image"} for _ in row["images"]] + [{"type": "text", "text": row["prompt"][0]["content"]}]
        text = self.processor.apply_chat_template(
            [{"role": "user", "content": content}], tokenize=False, add_generation_prompt=True
        )
        return list(self.tokenizer(text.replace("<|image_pad|>", "<|image_pad|>" * tokens_per_film))["input_ids"])

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        """input_ids, attention_mask, labels, mm_token_type_ids [B, T]; pixel_values, image_grid_thw of all films."""
        films = [film(path, self.image_size) for row in rows for path in row["images"]]
        seen = self.processor.image_processor(images=films, return_tensors="pt")
        per_film = int(seen["image_grid_thw"][0].prod()) // self.processor.image_processor.merge_size**2
        asked = [self._prompt_ids(row, per_film) for row in rows]
        answers = [list(self.tokenizer(row["reference"] + "<|im_end|>")["input_ids"]) for row in rows]
        answers = [answer[: max(0, self.max_length - len(ask))] for ask, answer in zip(asked, answers, strict=True)]
        longest = max(len(ask) + len(answer) for ask, answer in zip(asked, answers, strict=True))
        ids = torch.full((len(rows), longest), self.tokenizer.pad_token_id)
        labels, mask = torch.full_like(ids, _IGNORED), torch.zeros_like(ids)
        for place, (ask, answer) in enumerate(zip(asked, answers, strict=True)):
            end = len(ask) + len(answer)
            ids[place, :end], mask[place, :end] = torch.tensor(ask + answer), 1
            labels[place, len(ask) : end] = ids[place, len(ask) : end]
        return {
            "input_ids": ids,
            "attention_mask": mask,
            "labels": labels,
            "mm_token_type_ids": (ids == self.image_token).long(),
            "pixel_values": seen["pixel_values"],
            "image_grid_thw": seen["image_grid_thw"],
        }


def parts_of_batch(stage: SftEpochs, processes: int) -> int:
    """Parts of micro_batch examples that each process takes. Raises BadRunConfig where they do not come out even."""
    parts, left = divmod(stage.batch, stage.micro_batch * processes)
    if left or not parts:
        raise BadRunConfig(
            f"{stage.name}: batch {stage.batch} cannot be shared by {processes} processes in parts of "
            f"{stage.micro_batch}; choose another micro_batch or number of processes"
        )
    return parts


def settings(stage: SftEpochs, checkpoint: Checkpoint, seed: int, folder: Path, *, validated: bool) -> SFTConfig:
    """SFTTrainer's own configuration. Raises BadRunConfig where the processes cannot share a batch evenly."""
    cuda = torch.cuda.is_available()
    return SFTConfig(
        output_dir=str(folder),
        per_device_train_batch_size=stage.micro_batch,
        per_device_eval_batch_size=stage.micro_batch,
        gradient_accumulation_steps=parts_of_batch(stage, ranks.WORLD),
        num_train_epochs=stage.epochs,
        learning_rate=stage.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=stage.warmup_ratio,
        weight_decay=stage.weight_decay,
        max_grad_norm=1.0,
        logging_steps=10,
        save_strategy="steps",
        save_steps=stage.save_every,
        save_total_limit=2,
        eval_strategy="steps" if validated else "no",
        eval_steps=stage.save_every,
        report_to=["tensorboard"],
        use_cpu=not cuda,
        bf16=cuda,
        max_length=None,
        remove_unused_columns=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        completion_only_loss=True,
        gradient_checkpointing=checkpoint.gradient_checkpointing,
        ddp_backend="gloo" if ranks.WORLD > 1 and not cuda else None,
        ddp_find_unused_parameters=False,
        dataloader_num_workers=_LOADERS if cuda else 0,
        seed=seed,
        disable_tqdm=True,
    )


def _sources(run: Run) -> tuple[Manifest, Checkpoint]:
    if run.manifest is None or run.checkpoint is None:
        raise BadRunConfig(f"{run.name}: this command needs a [manifest] and a [checkpoint]; phantoms: training.sft")
    return run.manifest, run.checkpoint


def build(run: Run, stage: SftEpochs, out: Path) -> SFTTrainer:
    """The stage's trainer. Raises BadRunConfig, BadManifest."""
    manifest, checkpoint = _sources(run)
    arguments = settings(stage, checkpoint, run.seed, out / "trainer", validated=bool(manifest.validation))
    processor = policy.processor(checkpoint, manifest.image_size)
    held_out = training_rows(manifest, "validate").slice(0, manifest.validation) if manifest.validation else None
    return SFTTrainer(
        model=policy.load(checkpoint),
        args=arguments,
        train_dataset=prompts(training_rows(manifest), manifest, Shown(), run.seed),
        eval_dataset=None if held_out is None else prompts(held_out, manifest, Shown(), run.seed),
        processing_class=processor,
        data_collator=PromptCollator(processor, manifest.image_size, stage.max_length),
        peft_config=policy.lora(checkpoint),
    )


def train(run: Run, stage: SftEpochs, out: Path) -> None:
    """Fine-tune checkpoint.path and write `out`."""
    trainer, resumed = build(run, stage, out), ranks.newest_checkpoint(out / "trainer")
    spent = Spent(out, resumed)
    trainer.add_callback(spent)
    trainer.train(resume_from_checkpoint=str(resumed) if resumed else None)
    policy.write(trainer, _sources(run)[1], out)
    if not ranks.RANK:
        told = {
            "stage": stage.name,
            "steps": trainer.state.global_step,
            "wall_seconds": round(spent.clock.read()["wall_seconds"]),
        }
        told |= {"processes": ranks.WORLD, "resumed_at": resumed.name if resumed else None}
        (out / "result.json").write_text(json.dumps(told, indent=1) + "\n")


def main(arguments: list[str]) -> None:
    """Command line; see the module's docstring."""
    run_file, stage_name, out = arguments
    run = load_run(Path(run_file))
    stage = next((one for one in run.sft if one.name == stage_name), None)
    if not isinstance(stage, SftEpochs):
        raise BadRunConfig(f"{run_file} has no [[sft]] {stage_name} over a manifest")
    os.environ.setdefault("TENSORBOARD_LOGGING_DIR", str(Path(out) / "tensorboard"))
    train(run, stage, Path(out))


if __name__ == "__main__":
    main(sys.argv[1:])
