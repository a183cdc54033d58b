"""GRPO's advantage where some rewards are missing: registered with verl as `grpo_missing`.

verl imports training.verl.registration in every process (runtime_env.yaml), which calls `register`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch


def group_advantages(scores: torch.Tensor, groups: np.ndarray, *, by_deviation: bool) -> torch.Tensor:
    """Float [n]: distance from the mean of the group's present scores, over their deviation where asked.

    scores: float [n], NaN where missing; groups: the prompt of each. 0 where the score is missing, alone in its group,
    or where the group does not differ: such a completion moves nothing.
    """
    advantages = torch.zeros_like(scores)
    for prompt in np.unique(groups):
        members = torch.as_tensor(np.flatnonzero(groups == prompt), device=scores.device)
        present = members[~scores[members].isnan()]
        if len(present) < 2:
            continue
        distance = scores[present] - scores[present].mean()
        spread = scores[present].std()
        advantages[present] = distance / (spread + 1e-6) if by_deviation and spread > 1e-6 else distance
    return advantages


def grpo_missing(
    token_level_rewards: torch.Tensor,
    response_mask: torch.Tensor,
    index: np.ndarray,
    config: Any = None,
    **_: Any,
) -> tuple[torch.Tensor, torch.Tensor]:
    """As verl calls it: [n, T] rewards (the score stands on one token) and mask -> advantages and returns [n, T]."""
    scaled = config is None or bool(config.norm_adv_by_std_in_grpo)
    with torch.no_grad():
        found = group_advantages(token_level_rewards.sum(-1), np.asarray(index), by_deviation=scaled)
        spread = found.unsqueeze(-1) * response_mask
    return spread, spread


def register() -> None:
    """Tell verl, where it is installed whole; importing this module elsewhere only defines the functions."""
    from verl.trainer.ppo.core_algos import register_adv_est

    register_adv_est("grpo_missing")(grpo_missing)
