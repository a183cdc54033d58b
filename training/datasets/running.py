"""Where shards are worked on: in this process, in several, or on Ray Data. All call the same functions."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import Any, TypeVar

from training.datasets.problems import BadSource

Job = TypeVar("Job")


def in_processes(work: Callable[[Job], int], jobs: Sequence[Job], workers: int) -> Iterator[int]:
    """Results as they come; `work` and the jobs are pickled. One worker: in this process."""
    if workers <= 1 or len(jobs) <= 1:
        yield from map(work, jobs)
        return
    with ProcessPoolExecutor(min(workers, len(jobs)), mp_context=get_context("spawn")) as pool:
        pending = [pool.submit(work, job) for job in jobs]
        try:
            for done in as_completed(pending):
                yield done.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def row_worker(work: Callable[[Job], int], fetch: Callable[[int], Job]) -> Callable[[dict[str, Any]], dict[str, int]]:
    """What Ray Data maps over its rows {"place": …}; gives {"studies": …}. fetch: the job at a place."""

    def on_row(row: dict[str, Any]) -> dict[str, int]:
        return {"studies": work(fetch(int(row["place"])))}

    return on_row


def on_ray(work: Callable[[Job], int], jobs: Sequence[Job], workers: int) -> Iterator[int]:
    """Results as they come, one Ray Data task per job, at most `workers` at a time (0: one per CPU of the cluster).

    Joins the cluster of RAY_ADDRESS, or starts one on this machine. The collection and the output must be on storage
    that every node sees under the same path. Raises BadSource where Ray is not installed.
    """
    try:
        import ray
    except ImportError as error:
        raise BadSource("Ray is not installed; pip install 'ray[data]', or leave engine = \"processes\"") from error
    if not jobs:
        return
    if not ray.is_initialized():
        if os.environ.get("RAY_ADDRESS"):
            ray.init(log_to_driver=False)  # a cluster has its own number of CPUs
        else:
            ray.init(log_to_driver=False, include_dashboard=False, num_cpus=workers or None)
    stored = [ray.put(job) for job in jobs]
    places = ray.data.from_items([{"place": place} for place in range(len(jobs))], override_num_blocks=len(jobs))
    strategy = ray.data.TaskPoolStrategy(size=workers) if workers else None
    done = places.map(row_worker(work, lambda place: ray.get(stored[place])), compute=strategy)
    for row in done.iter_rows():
        yield int(row["studies"])
