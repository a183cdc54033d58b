"""The run's TOML file as verl's settings: hyper-parameters and rewards stand there, for TRL and for verl alike.

usage: python -m training.verl.settings RUN.toml STAGE DATA NODES GPUS_PER_NODE    prints Hydra overrides, one a line

What verl has no word for is refused where the run would not be the one in the file, else told on standard error.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from training.config import BadRunConfig, RlStage, Run, load_run

# What a batch's loss is divided by, in verl's words. bnpo and dapo differ over processes only, where verl is global.
_LOSS = {
    "dapo": "token-mean",
    "bnpo": "token-mean",
    "grpo": "seq-mean-token-mean",
    "dr_grpo": "seq-mean-token-sum-norm",
}
_SCHEDULE = {"constant_with_warmup": "constant", "cosine": "cosine"}


def stage_of(run: Run, name: str) -> RlStage:
    """The stage, if verl can run it. Raises BadRunConfig."""
    stage = next((one for one in run.rl if one.name == name), None)
    if stage is None or run.manifest is None or run.checkpoint is None:
        raise BadRunConfig(f"{run.name}: verl takes a [manifest], a [checkpoint] and [[rl]] {name}")
    if any(term.normalise == "group" for term in stage.rewards):
        raise BadRunConfig(f"{name}: verl hands completions over one by one; normalise terms with training.manifest_rl")
    if stage.scale_rewards == "batch" or stage.zero_variance == "resample":
        raise BadRunConfig(f"{name}: scale_rewards batch and zero_variance resample are training.manifest_rl's alone")
    if stage.schedule not in _SCHEDULE:
        raise BadRunConfig(f"{name}: verl has the schedules {', '.join(_SCHEDULE)}, not {stage.schedule}; choose one")
    if run.checkpoint.lora_rank and run.checkpoint.lora_dropout:
        raise BadRunConfig(f"{run.name}: verl's adapters have no dropout; set checkpoint.lora_dropout to 0")
    return stage


def differs(run: Run, name: str) -> list[str]:
    """What verl does otherwise than the run file says, a sentence each. Raises BadRunConfig."""
    stage, checkpoint = stage_of(run, name), run.checkpoint
    told = []
    if checkpoint and checkpoint.freeze_vision and not checkpoint.lora_rank:
        told.append(
            "checkpoint.freeze_vision: verl 0.9 trains the vision tower with the rest (with LoRA it stays as it is)"
        )
    if stage.zero_variance == "drop":
        told.append(
            "zero_variance drop: groups without a difference get the advantage 0; their tokens count in the mean"
        )
    return told


def overrides(run: Run, name: str, data: Path, *, nodes: int, gpus: int) -> dict[str, Any]:
    """Dotted key of verl's configuration -> value. data: the folder prepare.py wrote. Raises BadRunConfig."""
    stage = stage_of(run, name)
    actor, rollout = "actor_rollout_ref.actor", "actor_rollout_ref.rollout"
    return {
        "data.train_files": str(data / "train.parquet"),
        "data.val_files": str(data / "validate.parquet"),
        "data.train_batch_size": stage.prompts,
        "data.max_response_length": stage.max_new_tokens,
        "data.seed": run.seed,
        **_model(run),
        f"{actor}.ppo_mini_batch_size": stage.prompts,
        f"{actor}.ppo_epochs": stage.iterations,
        f"{actor}.optim.lr": stage.learning_rate,
        f"{actor}.optim.lr_warmup_steps": stage.warmup,
        f"{actor}.optim.lr_scheduler_type": _SCHEDULE[stage.schedule],
        f"{actor}.optim.weight_decay": stage.weight_decay,
        f"{actor}.clip_ratio": stage.epsilon,
        f"{actor}.clip_ratio_low": stage.epsilon,
        f"{actor}.clip_ratio_high": stage.epsilon_high,
        f"{actor}.loss_agg_mode": _LOSS[stage.loss],
        f"{actor}.use_kl_loss": stage.beta > 0,
        f"{actor}.kl_loss_coef": stage.beta,
        f"{rollout}.n": stage.rollouts,
        f"{rollout}.temperature": stage.temperature,
        f"{rollout}.top_p": stage.top_p,
        "algorithm.norm_adv_by_std_in_grpo": stage.scale_rewards == "group",
        "trainer.total_epochs": 1,  # the data holds the whole run
        "trainer.save_freq": stage.save_every,
        "trainer.max_actor_ckpt_to_keep": stage.keep_checkpoints,
        "trainer.nnodes": nodes,
        "trainer.n_gpus_per_node": gpus,
        "trainer.experiment_name": f"{run.name}-{stage.name}",
    }


def _model(run: Run) -> dict[str, Any]:
    checkpoint = run.checkpoint
    if checkpoint is None:
        raise BadRunConfig(f"{run.name}: verl starts from a [checkpoint]")
    model = "actor_rollout_ref.model"
    made = {
        f"{model}.path": checkpoint.path,
        f"{model}.enable_gradient_checkpointing": checkpoint.gradient_checkpointing,
        f"{model}.lora_rank": checkpoint.lora_rank,
    }
    if checkpoint.lora_rank:  # as training/policy.py: on the language model alone, alpha twice the rank unless given
        made[f"{model}.lora_alpha"] = checkpoint.lora_alpha or 2 * checkpoint.lora_rank
        made[f"{model}.exclude_modules"] = ".*visual.*"
    return made


def main(arguments: list[str]) -> None:
    """Command line; see the module's docstring."""
    run_file, stage, data, nodes, gpus = arguments
    run = load_run(Path(run_file))
    made = overrides(run, stage, Path(data), nodes=int(nodes), gpus=int(gpus))
    for one in differs(run, stage):
        print(f"{stage}: {one}", file=sys.stderr)
    print("\n".join(f"{key}={json.dumps(value)}" for key, value in made.items()))


if __name__ == "__main__":
    main(sys.argv[1:])
