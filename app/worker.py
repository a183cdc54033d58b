"""The worker: Celery brings a job id and a token; the job's row says the rest (LAW 1).

The broker's delivery is at least once and sometimes never; the claim makes "twice" harmless and the reconciler
makes "never" late. So results, retries and dead letters live in the database and Celery's are switched off.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from celery import Celery

from app import telemetry
from app.config import Settings
from app.db import jobs
from app.db.dead_letters import bury
from app.db.session import Database, unit_of_work
from app.errors import ClaimLost, IllegalTransition, ServiceError
from app.ports import Clock

UseCase = Callable[[jobs.Claim], None]
RENEW_SECONDS = jobs.LEASE.total_seconds() / 4
VISIBILITY_SECONDS = 3 * int(jobs.RUN_LIMIT.total_seconds())


@dataclass(frozen=True, slots=True)
class JobRunner:
    """Claims a job, runs its use case, settles how it ended."""

    database: Database
    clock: Clock
    use_cases: Mapping[str, UseCase]

    def run(self, job_id: str, token: str) -> None:
        """Run one job; a message that is out of date does nothing."""
        with unit_of_work(self.database, self.clock) as uow:
            claim = jobs.claim(uow.session, uow.now, job_id, token)
        if claim is None:
            return
        started = time.monotonic()
        outcome = self._attempt(claim)
        telemetry.stage_seconds.labels(claim.task.split(".")[0]).observe(time.monotonic() - started)
        telemetry.jobs_run.labels(claim.task, outcome).inc()

    def _attempt(self, claim: jobs.Claim) -> str:
        try:
            with self._renewed(claim):
                self.use_cases[claim.task](claim)
        except (ClaimLost, IllegalTransition) as error:
            self._drop(claim, error)
            return "dropped"
        except ServiceError as error:
            return self._settle(claim, error, error.message, retry=error.retry)
        except Exception as error:  # noqa: BLE001 - a fault of ours: tried again, then a dead letter that names its type
            return self._settle(claim, error, f"internal error ({type(error).__name__})", retry=True)
        return "done"

    @contextmanager
    def _renewed(self, claim: jobs.Claim) -> Iterator[None]:
        """A thread says that the attempt is under way, until it ends or has had its time."""
        over = threading.Event()
        renewing = threading.Thread(target=self._renew, args=(claim, over), name="renew", daemon=True)
        renewing.start()
        try:
            yield
        finally:
            over.set()
            renewing.join()

    def _renew(self, claim: jobs.Claim, over: threading.Event) -> None:
        ends = time.monotonic() + jobs.RUN_LIMIT.total_seconds()
        while not over.wait(RENEW_SECONDS) and time.monotonic() < ends:
            try:
                with unit_of_work(self.database, self.clock) as uow:
                    jobs.renew(uow.session, uow.now, claim)
            except ServiceError as error:  # the next round may reach the database again
                telemetry.log().warning("renewal_failed", job_id=claim.job_id, error=type(error).__name__)

    def _drop(self, claim: jobs.Claim, error: ServiceError) -> None:
        telemetry.log().info("job_dropped", task=claim.task, job_id=claim.job_id, error=type(error).__name__)
        with unit_of_work(self.database, self.clock) as uow:
            jobs.drop(uow.session, claim)

    def _settle(self, claim: jobs.Claim, error: Exception, words: str, *, retry: bool) -> str:
        telemetry.log().warning(
            "job_failed", task=claim.task, job_id=claim.job_id, attempt=claim.attempts, exc_info=error
        )
        with unit_of_work(self.database, self.clock) as uow:
            uow.study(claim.study_id)  # the study is locked before its jobs, as everywhere
            dead = jobs.fail(uow.session, uow.now, claim, words, retry=retry)
            if dead is not None:
                bury(uow, dead)
        return "dead" if dead is not None else "retry"


def celery_app(settings: Settings) -> Celery:
    """Celery as the broker's reader and writer, with everything off that would make it a second truth."""
    url = settings.broker.url.get_secret_value()
    app = Celery("unirg", broker=url)
    app.conf.update(
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        worker_soft_shutdown_timeout=30,
        worker_cancel_long_running_tasks_on_connection_loss=True,
        broker_connection_retry_on_startup=True,
        task_publish_retry=False,
        broker_transport_options=_transport_options(url),
    )
    return app


def _transport_options(url: str) -> dict[str, object]:
    if url.startswith("memory:"):
        return {"polling_interval": 0.02}
    return {"visibility_timeout": VISIBILITY_SECONDS, "socket_timeout": 10, "socket_connect_timeout": 5}


def bind(app: Celery, runner: JobRunner) -> None:
    """Give each use case its Celery name."""
    for name in runner.use_cases:
        app.task(runner.run, name=name, bind=False)


def consume(app: Celery, concurrency: int) -> None:
    """Run the worker in this process until a signal ends it."""
    worker = app.Worker(
        pool="threads",
        concurrency=concurrency,
        queues=["priors", "drafting", "delivery", "evidence"],
        loglevel="WARNING",
        without_gossip=True,
        without_mingle=True,
        without_heartbeat=True,
        optimization="fair",
        quiet=True,
    )
    worker.start()
    raise SystemExit(worker.exitcode or 0)
