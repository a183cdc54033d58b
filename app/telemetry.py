"""Logs without patients (LAW 7) and metrics without labels that grow.

Log events are JSON with an allow-list of keys: what is not on it is dropped, and an exception leaves its type and
place but not its message, because parsers put values into messages.
"""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import MutableMapping
from typing import Any

import structlog
from prometheus_client import Counter, Gauge, Histogram, start_http_server

from app.config import LogSettings

ALLOWED = frozenset(
    """
    event level timestamp logger process pid port host task job_id study_id attempt attempts error exception peer
    status state stage outcome seconds count reason code backend checkpoint signal exit_code method route version
    how where errno ae_title
    """.split()  # noqa: SIM905 - one word each
)
QUIET = {"pynetdicom": logging.CRITICAL, "pydicom": logging.CRITICAL, "PIL": logging.ERROR, "httpx": logging.WARNING}
QUIET |= {"uvicorn.access": logging.CRITICAL, "alembic": logging.WARNING, "celery": logging.WARNING}

Entry = MutableMapping[str, Any]

_RESULTS = {0x0000: "stored", 0xA700: "out_of_resources", 0xA900: "mismatch"}
instances_received = Counter("cxr_instances_received", "Objects received over C-STORE and STOW-RS.", ["result"])
associations = Gauge("cxr_associations", "Associations now open.", ["state"])
associations_rejected = Counter("cxr_associations_rejected", "Associations refused.", ["reason"])
associations_ended = Counter("cxr_associations_ended", "Associations by how they ended.", ["how"])
echoes = Counter("cxr_echoes", "C-ECHO requests answered.")
received_bytes = Counter("cxr_received_bytes", "Bytes of data sets received.")
stage_seconds = Histogram(
    "cxr_study_stage_seconds", "Time of one job.", ["stage"], buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 180)
)
jobs_run = Counter("cxr_jobs", "Jobs by how they ended.", ["task", "outcome"])
oldest_pending = Gauge("cxr_oldest_pending_seconds", "Age of the oldest study without a draft.", ["priority"])
outbox_oldest = Gauge("cxr_outbox_oldest_seconds", "Age of the oldest message not yet handed to the broker.")
dead_letters = Gauge("cxr_dead_letter", "Jobs that gave up and wait for a person.")
critical_results = Gauge(
    "cxr_critical_results", "Critical results that nobody was told of yet: in time (open) or overdue.", ["state"]
)
studies_by_state = Gauge("cxr_studies", "Studies by state.", ["state"])
storage_free = Gauge("cxr_storage_free_ratio", "Free share of the object store's file system.")
audit_chain_ok = Gauge("cxr_audit_chain_ok", "1 while the audit chain verifies.")
drafts = Counter("cxr_draft", "Drafts by outcome.", ["outcome"])
guard_flags = Counter("cxr_guard_flags", "Guardrail flags by class.", ["class"])
sentence_decisions = Counter("cxr_sentence_decisions", "What readers did with draft sentences.", ["decision"])
lock_conflicts = Counter("cxr_lock_conflicts", "Claims refused because somebody else held the study.")
http_requests = Counter("cxr_http_requests", "HTTP requests.", ["method", "route", "status"])
http_seconds = Histogram("cxr_http_request_seconds", "Time of HTTP requests.", ["method", "route"])


def count_instance(status: int, size: int) -> None:
    """One object that came in, by the DIMSE status it was answered; size in bytes."""
    instances_received.labels(_RESULTS.get(status, "refused")).inc()
    received_bytes.inc(size)


def configure_logging(settings: LogSettings, process: str) -> None:
    """Route everything, ours and the libraries', through one scrubbed stream on standard error."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _describe_exception,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderer: Any = structlog.dev.ConsoleRenderer() if settings.format == "console" else _json()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder(), _foreign],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, _scrub, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.level.upper())
    structlog.contextvars.bind_contextvars(process=process)
    for name, level in QUIET.items():
        logging.getLogger(name).setLevel(level)


def _json() -> Any:
    return structlog.processors.JSONRenderer(sort_keys=True)


def _scrub(_logger: Any, _name: str, entry: Entry) -> Entry:
    return {key: value for key, value in entry.items() if key in ALLOWED}


def _foreign(_logger: Any, _name: str, entry: Entry) -> Entry:
    """A library's message may quote values: below warning only its logger's name is kept."""
    record = entry.get("_record")
    entry["logger"] = getattr(record, "name", "")
    return entry


def _describe_exception(_logger: Any, _name: str, entry: Entry) -> Entry:
    info = entry.pop("exc_info", None)
    if not info:
        return entry
    error = info if isinstance(info, BaseException) else (info[1] if isinstance(info, tuple) else sys.exc_info()[1])
    if error is not None:
        frames = traceback.extract_tb(error.__traceback__)[-3:]
        places = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames))
        entry["exception"] = f"{type(error).__name__} at {places}"
    return entry


def log() -> Any:
    """The logger; event names are constants, values are ids and numbers."""
    return structlog.get_logger()


def serve_metrics(host: str, port: int | None) -> int | None:
    """/metrics for a process without HTTP of its own; returns the port, None where off."""
    if port is None:
        return None
    server, _thread = start_http_server(port, addr=host)
    return int(server.server_port)
