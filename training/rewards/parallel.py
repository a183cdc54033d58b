"""A slow reward over several processes; the order of samples, and every figure, is as if it ran in one."""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import Self

import numpy as np

from training.rewards.batch import Reward, RewardOutage, Sample, Scores

_WORKER: list[Reward] = []  # the reward of this worker process, unpickled once


class Parallel:
    """Judges chunks of a batch in `workers` processes that live until `close()`.

    reward: picklable, and a function of one sample at a time (never a Composite that normalises in groups: a chunk
    may cut a group). Workers come from a fork server, so neither threads nor CUDA of the trainer are inherited.
    A worker that dies (out of memory, say) raises RewardOutage; the next call starts new ones.
    """

    def __init__(self, reward: Reward, workers: int, chunk: int = 16) -> None:
        if workers < 1 or chunk < 1:
            raise ValueError(f"parallel {reward.name}: workers ({workers}) and chunk ({chunk}) must be at least 1")
        self.name = reward.name
        self.never_alone = bool(getattr(reward, "never_alone", False))
        self._reward, self._workers, self._chunk = reward, workers, chunk
        self._pool: ProcessPoolExecutor | None = None

    def __call__(self, batch: Sequence[Sample]) -> Scores:
        """As the wrapped reward. Raises RewardOutage where a worker died, else what the reward raised."""
        chunks = [batch[start : start + self._chunk] for start in range(0, len(batch), self._chunk)]
        if len(chunks) < 2:
            return self._reward(batch)
        try:
            return _joined(list(self._started().map(_judge, chunks)))
        except BrokenProcessPool as died:
            self.close()
            raise RewardOutage(f"{self.name}: a worker process died; look at its memory first") from died

    def close(self) -> None:
        """End the workers; safe to call twice."""
        if self._pool:
            self._pool.shutdown(cancel_futures=True)
        self._pool = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            context = multiprocessing.get_context("forkserver")
            self._pool = ProcessPoolExecutor(self._workers, context, _receive, (self._reward,))
        return self._pool


def _receive(reward: Reward) -> None:
    _WORKER[:] = [reward]


def _judge(chunk: Sequence[Sample]) -> Scores:
    return _WORKER[0](chunk)


def _joined(parts: Sequence[Scores]) -> Scores:
    names = dict.fromkeys(name for part in parts for name in part.components)
    return Scores(
        np.concatenate([part.values for part in parts]),
        {name: np.concatenate([part.components.get(name, _nan(part)) for part in parts]) for name in names},
    )


def _nan(part: Scores) -> np.ndarray:
    return np.full(part.values.shape, np.nan)
