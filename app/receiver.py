"""The receiver process: the storage SCP with the real sink. It stays light: no pixels, no model, no HTTP framework."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass

from app import telemetry
from app.bootstrap import connect, instance_sink, scp_settings
from app.config import Settings
from app.errors import ServiceError
from app.intake.scp import StorageScp

STOP = frozenset({signal.SIGTERM, signal.SIGINT})
STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Counted:
    """ScpObserver: Prometheus counters; a status or a reason is the only label."""

    def connection_refused(self, reason: str) -> None:
        """Before any association."""
        telemetry.associations_rejected.labels(reason).inc()

    def association_rejected(self, reason: str) -> None:
        """A-ASSOCIATE-RJ."""
        telemetry.associations_rejected.labels(reason).inc()

    def association_opened(self) -> None:
        """One more open."""
        telemetry.associations.labels("open").inc()

    def association_closed(self, how: str) -> None:
        """One fewer open."""
        telemetry.associations.labels("open").dec()
        telemetry.associations_ended.labels(how).inc()

    def echoed(self) -> None:
        """C-ECHO."""
        telemetry.echoes.inc()

    def instance(self, status: int, size: int) -> None:
        """C-STORE; size in bytes."""
        telemetry.count_instance(status, size)


def run(settings: Settings) -> None:
    """Until a signal ends it; with dicom.processes > 1 as so many processes on one port."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {*STOP, signal.SIGCHLD})
    if settings.dicom.processes == 1:
        _serve(settings)
        return
    children = {_fork(settings) for _ in range(settings.dicom.processes)}
    _watch(children)


def _serve(settings: Settings) -> None:
    deps = connect(settings, "receiver")
    telemetry.serve_metrics(settings.metrics.host, settings.metrics.receiver_port)
    scp = StorageScp(scp_settings(deps), instance_sink(deps), Counted())
    scp.start()
    signal.sigwait(STOP)
    scp.stop(STOP_SECONDS)
    deps.close()


def _fork(settings: Settings) -> int:
    pid = os.fork()
    if pid == 0:
        metrics = settings.metrics.model_copy(update={"receiver_port": None})
        _serve(settings.model_copy(update={"metrics": metrics}))
        os._exit(0)
    return pid


def _watch(children: set[int]) -> None:
    """All or none: a child that ends by itself ends the receiver, and whoever supervises starts it again."""
    number = signal.sigwait({*STOP, signal.SIGCHLD})
    for pid in children:
        os.kill(pid, signal.SIGTERM)
    for pid in children:
        os.waitpid(pid, 0)
    if number == signal.SIGCHLD:
        message = "A receiver process ended by itself; its log says why."
        raise ServiceError(message)
