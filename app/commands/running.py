"""`unirg worker` and `unirg relay`: processes put together from their parts."""

from __future__ import annotations

import signal
import threading

from celery import Celery

from app import telemetry
from app.bootstrap import Deps, connect
from app.bootstrap.stages import draft_model, pixel_reader, use_cases
from app.completeness.handlers import CompleteStudies
from app.config import Settings
from app.errors import ConfigError
from app.relay import Relay
from app.worker import JobRunner, bind, celery_app, consume


def run_worker(settings: Settings, concurrency: int) -> None:
    """Until a signal ends it. With the in-memory broker the relay is a thread of this process."""
    deps = connect(settings, "worker")
    telemetry.serve_metrics(settings.metrics.host, settings.metrics.worker_port)
    pixels = pixel_reader(concurrency)
    pixels.warm()
    celery = celery_app(settings)
    model = draft_model(settings)
    bind(celery, JobRunner(deps.database, deps.clock, use_cases(deps, pixels, model)))
    threading.Thread(target=model.warm, name="warm", daemon=True).start()
    stop = threading.Event()
    if _embedded(settings):
        threading.Thread(target=_relay(deps, celery).run, args=(stop,), name="relay", daemon=True).start()
    try:
        consume(celery, concurrency)
    finally:
        stop.set()
        pixels.close()
        deps.close()


def run_relay(settings: Settings) -> None:
    """Until a signal ends it. Raises ConfigError with the in-memory broker."""
    if _embedded(settings):
        message = "broker.url is memory://, where the relay runs inside the worker; start `unirg worker` alone."
        raise ConfigError(message)
    deps = connect(settings, "relay")
    telemetry.serve_metrics(settings.metrics.host, settings.metrics.relay_port)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    _relay(deps, celery_app(settings)).run(stop)
    deps.close()


def _embedded(settings: Settings) -> bool:
    return settings.broker.url.get_secret_value().startswith("memory:")


def _relay(deps: Deps, celery: Celery) -> Relay:
    def publish(task: str, job_id: str, token: str) -> None:
        celery.send_task(task, args=[job_id, token], queue=task.split(".", 1)[0])

    return Relay(deps.database, deps.clock, deps.store, CompleteStudies(deps.database, deps.clock), publish)
