"""verl's custom reward function: the rewards of the run's TOML file, one completion at a time, judged in batches.

verl calls `compute_score` once per completion, from many coroutines of one process; what waits is judged together, so
that the learnt metrics run in batches and the judge is asked in parallel. UNIRG_RL_RUN names the TOML file,
UNIRG_RL_STAGE the stage. Ray gives these processes no GPU, so learnt metrics run on UNIRG_RL_REWARD_DEVICE, by default
the CPU, whatever the file says (a mix made by name, such as published_mix, takes no device and stays on the CPU).
A completion that cannot be judged has the score NaN: missing, says advantage.py. So
has one of which any weighted term is missing: its group is not in this process, and the level of the other terms alone
would pay for breaking a low-scoring one, or cost.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from training.config import load_run
from training.rewards.batch import Reward, Sample
from training.rewards.catalogue import build, takes
from training.verl.settings import stage_of

_LARGEST = 64  # completions judged at once
_GATHER = 0.05  # seconds in which others may join a batch


@dataclass
class Desk:
    """Completions that wait for one reward, and the coroutine that judges them."""

    reward: Reward
    waiting: list[tuple[Sample, asyncio.Future[dict[str, float]]]] = field(default_factory=list)
    at_work: asyncio.Task[None] | None = None

    async def judge(self, sample: Sample) -> dict[str, float]:
        """Score and components of one completion. Raises RewardUnusable: the run must stop."""
        answer: asyncio.Future[dict[str, float]] = asyncio.get_running_loop().create_future()
        self.waiting.append((sample, answer))
        if self.at_work is None or self.at_work.done():
            self.at_work = asyncio.create_task(self._work())
        return await answer

    async def _work(self) -> None:
        await asyncio.sleep(_GATHER)
        while self.waiting:
            batch, self.waiting = self.waiting[:_LARGEST], self.waiting[_LARGEST:]
            try:
                scored = await asyncio.to_thread(self.reward, [sample for sample, _ in batch])
            except Exception as failure:  # noqa: BLE001 - it is theirs who asked
                for _, answer in batch:
                    answer.set_exception(failure)
                continue
            for place, (_, answer) in enumerate(batch):
                parts = {name: float(column[place]) for name, column in scored.components.items() if "/" not in name}
                answer.set_result({"score": float(scored.values[place]), **parts})


def reward_of(run_file: Path, name: str) -> Reward:
    """The stage's composite, of groups of one, NaN where a weighted term is missing.

    Raises BadRunConfig, UnknownReward, RewardUnusable.
    """
    stage = stage_of(load_run(run_file), name)
    device = os.environ.get("UNIRG_RL_REWARD_DEVICE", "cpu")
    terms = [
        {
            "reward": one.name,
            "weight": one.weight,
            "required": one.weight > 0,
            "options": one.options | ({"device": device} if takes(one.name, "device") else {}),
        }
        for one in stage.rewards
    ]
    # Each of recipe.yaml's eight workers judges an eighth of a step, and a dead judge fails so fast that completions
    # come one by one: so many batches are eight steps, as with TRL, or more. Till then what is missing moves nothing.
    patience = stage.prompts * stage.rollouts
    return build("composite", {"group_size": 1, "patience": patience, "terms": terms})


@cache
def _desk() -> Desk:
    return Desk(reward_of(Path(os.environ["UNIRG_RL_RUN"]), os.environ["UNIRG_RL_STAGE"]))


async def compute_score(
    data_source: str, solution_str: str, ground_truth: str, extra_info: dict[str, Any], **_: Any
) -> dict[str, float]:
    """The signature is verl's; {"score": NaN where missing, "missing": 0 or 1, each term by name}."""
    made = await _desk().judge(
        Sample(
            prediction=solution_str.strip(),
            reference=ground_truth,
            has_prior=bool(extra_info["has_prior"]),
            prior_report=extra_info["prior_report"] or None,
            asked=extra_info["asked"],
            dataset=data_source,
            study=extra_info["study"],
        )
    )
    return {**made, "missing": float(np.isnan(made["score"]))}
