"""Stage 1: supervised pretraining of the vision tower on the phantoms' labels.

usage: python -m training.vision RUN.toml WORK     (through training.ranks.launch for several processes)

A from-scratch SFT does not become image-conditioned in the CPU time we have, so the tower first learns to see: one
learned query per label attends over the merged visual tokens (and, with less weight, over each deepstack
output, which the language model also reads), binary cross-entropy. The head is thrown away; each merger is
then scaled to one output RMS so that no level drowns the others. Reads films from WORK/cache, writes WORK/vision.pt.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy
from transformers.models.qwen3_vl.modeling_qwen3_vl import Qwen3VLVisionModel

from training import fast_forward, ranks
from training.architecture import vision_tower
from training.config import Run, VisionStage, load_run
from training.phantom.findings import LABELS
from training.phantom.studies import cached_films, labels, studies

_OUTPUT_RMS = 0.2
_DEEPSTACK_WEIGHT = 0.3
_LOOK_EVERY = 100


class LabelHead(nn.Module):
    """One attention query per label over the visual tokens of one level."""

    def __init__(self, width: int, tokens: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.query = nn.Parameter(torch.randn(len(LABELS), width) * 0.02)
        self.key = nn.Linear(width, width)
        self.weight = nn.Parameter(torch.randn(len(LABELS), width) * 0.05)
        self.bias = nn.Parameter(torch.full((len(LABELS),), -2.0))
        self.place = nn.Parameter(torch.zeros(tokens, width))
        self.tokens, self.width = tokens, width

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """[images * tokens, width] -> logits [images, LABELS]."""
        seen = self.norm(features.view(-1, self.tokens, self.width))
        attention = torch.softmax((self.key(seen + self.place) @ self.query.T) * 4 / self.width**0.5, 1)
        return (torch.einsum("bnl,bnh->blh", attention, seen) * self.weight).sum(-1) + self.bias


class Films:
    """Current films with labels: singles and, of pairs, the current one."""

    def __init__(self, run: Run, work: Path) -> None:
        data = run.phantoms
        folder, sites = work / "cache", data.sites
        counts = data.rendered(with_prior=False), data.rendered(with_prior=True)
        single = cached_films(folder, data.single_seed, counts[0], with_prior=False, sites=sites)
        pair = cached_films(folder, data.pair_seed, counts[1], with_prior=True, sites=sites)
        self.films = (single[: data.singles], pair[: data.pairs])
        self.labels = np.concatenate(
            [
                labels(studies(data.single_seed, data.singles, with_prior=False, sites=sites)),
                labels(studies(data.pair_seed, data.pairs, with_prior=True, sites=sites)),
            ]
        )

    def batch(self, rows: np.ndarray) -> tuple[np.ndarray, torch.Tensor]:
        """uint8 films [rows, size, size] and float labels [rows, LABELS]."""
        single, pair = self.films
        picked = [single[r, 0] if r < len(single) else pair[r - len(single), 1] for r in rows]
        return np.stack(picked), torch.as_tensor(self.labels[rows]).float()


def levels(tower: Qwen3VLVisionModel, films: np.ndarray, rng: np.random.Generator | None) -> list[torch.Tensor]:
    """Merged features [images * tokens, width] of the top and of each deepstack level."""
    pixels, grid = fast_forward.patches(films, tower.config.patch_size, rng)
    out = tower(pixels, grid_thw=grid, return_dict=True)
    return [out.pooler_output, *out.deepstack_features]


@torch.no_grad()
def f1_by_label(
    tower: Qwen3VLVisionModel, head: nn.Module, films: np.ndarray, truth: np.ndarray
) -> tuple[float, list[float]]:
    """Micro-F1 over all labels and F1 of each, threshold 0."""
    logits = [head(levels(tower, films[i : i + 100], None)[0]) for i in range(0, len(films), 100)]
    said, true = torch.cat(logits).numpy() > 0, truth.astype(bool)
    hit, total = (said & true).sum(0), said.sum(0) + true.sum(0)
    return float(2 * hit.sum() / max(1, total.sum())), (2 * hit / np.maximum(1, total)).round(3).tolist()


@torch.no_grad()
def _equalise(tower: Qwen3VLVisionModel, films: np.ndarray) -> None:
    for merger, features in zip([tower.merger, *tower.deepstack_merger_list], levels(tower, films, None), strict=True):
        scale = _OUTPUT_RMS / features.pow(2).mean().sqrt()
        merger.linear_fc2.weight *= scale
        merger.linear_fc2.bias *= scale


def _batches(count: int, stage: VisionStage, seed: int) -> Iterator[np.ndarray]:
    """This rank's share of every batch: all films once in random order, then again."""
    order = np.random.default_rng(seed)
    queue: list[int] = []
    for _ in range(stage.steps):
        if len(queue) < stage.batch:
            queue = order.permutation(count).tolist()
        yield np.sort(np.array([queue.pop() for _ in range(stage.batch)])[ranks.RANK :: ranks.WORLD])


def _validation(run: Run, work: Path) -> tuple[np.ndarray, np.ndarray]:
    data = run.phantoms
    films = cached_films(work / "cache", data.validation_seed, data.validation, with_prior=False, sites=data.sites)
    return films[:, 0], labels(studies(data.validation_seed, data.validation, with_prior=False, sites=data.sites))


def train(run: Run, work: Path) -> None:
    """Train and write WORK/vision.pt; prints validation micro-F1 every 100 steps."""
    ranks.join()
    fast_forward.install()
    stage, sizes = run.seeing, run.sizes
    tower = vision_tower(sizes, run.seed)
    tokens = (sizes.image_size // sizes.patch // 2) ** 2
    heads = nn.ModuleList([LabelHead(sizes.text_hidden, tokens) for _ in range(1 + len(tower.deepstack_merger_list))])
    data, (seen, truth) = Films(run, work), _validation(run, work)
    parameters = [*tower.parameters(), *heads.parameters()]
    optimizer = torch.optim.AdamW(parameters, betas=(0.9, 0.98), weight_decay=stage.weight_decay)
    jitter, start = np.random.default_rng([run.seed, ranks.RANK]), time.time()
    for step, rows in enumerate(_batches(len(data.labels), stage, run.seed)):
        for group in optimizer.param_groups:
            group["lr"] = stage.learning_rate * ranks.cosine(step, stage.steps, stage.warmup)
        films, wanted = data.batch(rows)
        logits = [head(level) for head, level in zip(heads, levels(tower, films, jitter), strict=True)]
        losses = [cross_entropy(one, wanted) for one in logits]
        (losses[0] + _DEEPSTACK_WEIGHT * sum(losses[1:])).backward()
        ranks.average_gradients(parameters)
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if ranks.RANK == 0 and ((step + 1) % _LOOK_EVERY == 0 or step + 1 == stage.steps):
            micro, each = f1_by_label(tower, heads[0], seen, truth)
            told = dict(zip(LABELS, each, strict=True))
            print(
                f"vision {step + 1} loss {losses[0].item():.4f} {time.time() - start:.0f}s F1 {micro:.3f}",
                told,
                flush=True,
            )
    if ranks.RANK == 0:
        _equalise(tower, data.batch(np.arange(min(64, len(data.labels))))[0])
        torch.save(tower.state_dict(), work / "vision.pt")


if __name__ == "__main__":
    train(load_run(Path(sys.argv[1])), Path(sys.argv[2]))
