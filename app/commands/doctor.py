"""`unirg doctor`: every condition of a working service, each with what to do about it."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from app.config import PeerSettings, Settings
from app.errors import ServiceError
from model.manifest import BadCheckpoint

MARKS = {"ok": "[green]ok[/green]", "warning": "[yellow]warning[/yellow]", "failed": "[red]failed[/red]"}
FREE_BYTES = 5 << 30


@dataclass(frozen=True, slots=True)
class Check:
    """state: ok, warning or failed; advice: what to do, empty where nothing is."""

    name: str
    state: str
    finding: str
    advice: str = ""

    def as_json(self) -> dict[str, Any]:
        """For --json."""
        return asdict(self)


def examine(settings: Settings) -> list[Check]:
    """All checks, none of which changes anything."""
    checks = [
        _guard("database", lambda: _database(settings), "Start the database, or correct database.url."),
        _guard("broker", lambda: _broker(settings), "Start Redis, or correct broker.url."),
        _guard("storage", lambda: _storage(settings.storage.path), "Correct storage.path or its permissions."),
        _guard("model", lambda: _model(settings), "Correct model.checkpoint, or start the model server."),
        _guard("review page", _page, "Run `make setup`, which builds it."),
        _guard("receiver", lambda: _receiver(settings), "Start `unirg serve` or `unirg receiver`."),
    ]
    return [*checks, *_peers(settings)]


def _guard(name: str, check: Callable[[], Check], advice: str) -> Check:
    try:
        return check()
    except ServiceError as error:
        cause = error.__cause__
        return Check(name, "failed", str(cause) if isinstance(cause, BadCheckpoint) else error.message, advice)
    except Exception as error:  # noqa: BLE001 - whatever breaks here is the finding
        return Check(name, "failed", f"{type(error).__name__}: {error}", advice)


def _database(settings: Settings) -> Check:
    from app.db import audit_trail, migrations
    from app.db.session import Database

    database = Database(settings.database.url.get_secret_value())
    kind = "SQLite" if database.is_sqlite else "PostgreSQL"
    if not migrations.is_current(database):
        return Check("database", "failed", f"{kind}: the schema is not current", "Run `unirg db upgrade`.")
    with database.reading() as session:
        report = audit_trail.verify(session)
    if not report.ok:
        return Check("database", "failed", f"{kind}: audit chain broken: {report.problem}", "Restore; find out who.")
    return Check("database", "ok", f"{kind}, schema current, audit chain of {report.entries} entries holds")


def _broker(settings: Settings) -> Check:
    url = settings.broker.url.get_secret_value()
    if url.startswith("memory:"):
        return Check("broker", "ok", "in memory, inside the worker")
    from redis import Redis

    client = Redis.from_url(url, socket_timeout=3, socket_connect_timeout=3)
    client.ping()
    persistent = client.config_get("appendonly").get("appendonly") == "yes"
    if not persistent:
        return Check(
            "broker", "warning", "Redis answers, appendonly is off", "Set appendonly yes: restarts are quicker."
        )
    return Check("broker", "ok", "Redis answers, appendonly is on")


def _storage(path: Path) -> Check:
    existing = next(p for p in (path, *path.absolute().parents) if p.exists())
    free = shutil.disk_usage(existing).free
    if free < FREE_BYTES:
        return Check("storage", "warning", f"{path}: {free >> 20} MB free", "Free space, or move storage.path.")
    return Check("storage", "ok", f"{path}: {free >> 30} GB free")


def _model(settings: Settings) -> Check:
    from app.bootstrap.stages import draft_model

    model = draft_model(settings)
    identity = model.identity
    if not model.ready():
        return Check("model", "failed", f"{settings.model.backend}: not ready", "Start the model server.")
    return Check("model", "ok", f"{settings.model.backend}: {identity.name}, weights {identity.weights_digest[:12]}")


def _page() -> Check:
    built = (Path(__file__).parents[1] / "web" / "dist" / "index.html").is_file()
    if built:
        return Check("review page", "ok", "built")
    return Check("review page", "warning", "not built", "Run `make setup`, which builds it.")


def _receiver(settings: Settings) -> Check:
    host, port = settings.dicom.host, settings.dicom.port
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError:
        return Check("receiver", "warning", f"nothing listens on {host}:{port}", "Start `unirg serve`.")
    return Check("receiver", "ok", f"listens on {host}:{port}")


def _peers(settings: Settings) -> Iterator[Check]:
    if not settings.dicom.peers:
        yield Check("peers", "warning", "none configured", "Add [[dicom.peers]] to the configuration.")
    for peer in settings.dicom.peers:
        if set(peer.roles) & {"query_retrieve", "results"}:
            yield _echo(settings, peer)


def _echo(settings: Settings, peer: PeerSettings) -> Check:
    from app.bootstrap.peers import EchoedPeer

    try:
        EchoedPeer(settings, peer).check()
    except ServiceError as error:
        return Check(f"peer {peer.name}", "failed", error.message, "Start it, or correct this peer.")
    return Check(f"peer {peer.name}", "ok", "answers C-ECHO over TLS" if peer.tls else "answers C-ECHO")


def show(checks: list[Check], console: Console) -> None:
    """For a person at a terminal."""
    table = Table("check", "state", "finding", "what to do", box=None)
    for check in checks:
        table.add_row(check.name, MARKS[check.state], check.finding, check.advice)
    console.print(table)
