"""Reinforcement learning of a network that exists on the studies of a manifest, by the algorithm of training/rl.py.

usage: accelerate launch --config_file training/accelerate/zero3.yaml -m training.manifest_rl RUN.toml STAGE OUT

Where the stage names a vllm_url, a `trl vllm-serve` generates and gets the new weights after every step; without one
the policy generates itself. Every study that has a prior film is shown with it (`pair_share` is for phantoms), but for
`prior_dropout`, from which studies whose reference compares are exempt. OUT is laid out as by training/rl.py, the
network in Hugging Face layout, LoRA adapters merged.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from accelerate import PartialState
from transformers import PrinterCallback

from training import policy, ranks, run_report
from training.config import BadRunConfig, Checkpoint, Manifest, RlStage, Run, load_run
from training.manifest_prompts import Shown, abnormal, film, prompts, stratified, training_rows
from training.monitoring import Progress
from training.rl import NEVER_SAMPLED, Grpo, Judge, Watch, composite, settings
from training.rl_data import steps_of
from training.stop_rules import last_good_checkpoint


class FilmGrpo(Grpo):
    """Grpo whose rows name films by path: each is read once per generation."""

    def __init__(self, stage: RlStage, image_size: int, **options: Any) -> None:
        self.image_size = image_size
        super().__init__(stage, **options)

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        seen = [{**row, "images": [film(path, self.image_size) for path in row["images"]]} for row in inputs]
        return super()._generate_and_score_completions(seen)


def _sources(run: Run) -> tuple[Manifest, Checkpoint]:
    if run.manifest is None or run.checkpoint is None:
        raise BadRunConfig(f"{run.name}: this command needs a [manifest] and a [checkpoint]; phantoms: training.rl")
    return run.manifest, run.checkpoint


def build(run: Run, stage: RlStage, out: Path) -> tuple[FilmGrpo, Watch, Path | None]:
    """The stage's trainer, its watch, and the checkpoint to go on from. Raises BadRunConfig, BadManifest."""
    manifest, checkpoint = _sources(run)
    rows = training_rows(manifest)
    with PartialState().main_process_first():
        order = stratified(stage, abnormal(rows, out / "abnormal.npy"), run.seed)
    processor = policy.processor(checkpoint, manifest.image_size)
    never = processor.tokenizer.convert_tokens_to_ids(list(NEVER_SAMPLED))
    arguments = settings(stage, run.seed, out / "trainer", steps_of(stage, rows.num_rows), never)
    arguments.gradient_checkpointing = checkpoint.gradient_checkpointing
    resumed = ranks.newest_checkpoint(out / "trainer")
    watch = Watch(stage, Progress(out), ranks.step_of(resumed))
    shown = Shown(stage.findings_share, stage.prior_dropout)
    trainer = FilmGrpo(
        stage,
        manifest.image_size,
        model=policy.load(checkpoint),
        reward_funcs=Judge(composite(stage), stage.rollouts),
        args=arguments,
        train_dataset=prompts(rows, manifest, shown, run.seed, order),
        processing_class=processor,
        callbacks=[watch],
        peft_config=policy.lora(checkpoint),
    )
    trainer.remove_callback(PrinterCallback)
    return trainer, watch, resumed


def train(run: Run, stage: RlStage, out: Path) -> None:
    """Train the policy checkpoint.path and write `out`: after a broken stop rule, the last weights from before it."""
    trainer, watch, resumed = build(run, stage, out)
    checkpoint = _sources(run)[1]
    if not watch.stop:
        trainer.train(resume_from_checkpoint=str(resumed) if resumed else None)
    stop = watch.stop
    good = (last_good_checkpoint(out / "trainer", stop) or Path(checkpoint.path)) if stop else None
    if not stop:
        policy.write(trainer, checkpoint, out)
    if ranks.RANK:
        return
    if good:
        policy.write_again(checkpoint, good, trainer.processing_class, out)
    last = watch.rows[-1]
    result = {
        "stage": stage.name,
        "steps": int(last["step"]),
        "processes": ranks.WORLD,
        "wall_seconds": round(last["wall_seconds"]),
        "stopped": {"rule": stop.rule, "reason": stop.reason, "weights_of": str(good)} if stop else None,
    }
    (out / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    run_report.write(out, f"{run.name}: {stage.name}")


def main(arguments: list[str]) -> None:
    """Command line; see the module's docstring."""
    run_file, stage_name, out = arguments
    run = load_run(Path(run_file))
    stage = next((one for one in run.rl if one.name == stage_name), None)
    if stage is None:
        raise BadRunConfig(f"{run_file} has no [[rl]] {stage_name}")
    os.environ.setdefault("TENSORBOARD_LOGGING_DIR", str(Path(out) / "tensorboard"))
    train(run, stage, Path(out))


if __name__ == "__main__":
    main(sys.argv[1:])
