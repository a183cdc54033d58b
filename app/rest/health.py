"""Probes and metrics. Liveness asks nothing of anybody: a database that is down must not restart the API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, cast

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import REGISTRY
from prometheus_client.exposition import choose_encoder

from app.db import migrations
from app.db.session import Database
from app.errors import ServiceError
from app.ports import ObjectStore
from app.rest.guard import anyone
from app.rest.words import Told

router = APIRouter(tags=["operation"], dependencies=[Depends(anyone)])


class Probe(Told):
    """checks: "ok", or what is wrong."""

    status: Literal["ready", "degraded", "unready"]
    checks: dict[str, str]


@dataclass(frozen=True, slots=True)
class Health:
    """What readiness looks at. Kept as `app.state.health`."""

    database: Database
    store: ObjectStore
    min_free_ratio: float
    model_ready: Callable[[], bool]

    def started(self) -> Probe:
        """Database and schema."""
        return _judged({"database": self._database(), "schema": self._schema()}, frozenset())

    def ready(self) -> Probe:
        """Database, schema and disk must be well; without the model studies are read by hand: degraded."""
        checks = {"database": self._database(), "schema": self._schema(), "disk": self._disk(), "model": self._model()}
        return _judged(checks, frozenset({"model"}))

    def _database(self) -> str:
        try:
            with self.database.reading() as session:
                session.execute(sa.text("SELECT 1"))
        except ServiceError:
            return "does not answer"
        return "ok"

    def _schema(self) -> str:
        try:
            return "ok" if migrations.is_current(self.database) else "is not current: run unirg db upgrade"
        except sa.exc.SQLAlchemyError:
            return "unknown"

    def _disk(self) -> str:
        try:
            return "ok" if self.store.free_ratio() >= self.min_free_ratio else "nearly full"
        except (OSError, ServiceError):
            return "cannot be read"

    def _model(self) -> str:
        return "ok" if self.model_ready() else "does not answer: new studies get no draft"


def _judged(checks: dict[str, str], may_fail: frozenset[str]) -> Probe:
    failed = {name for name, found in checks.items() if found != "ok"}
    status: Literal["ready", "degraded", "unready"] = "ready" if not failed else "degraded"
    return Probe(status="unready" if failed - may_fail else status, checks=checks)


def _health(request: Request) -> Health:
    return cast("Health", request.app.state.health)


TheHealth = Annotated[Health, Depends(_health)]
UNREADY: dict[int | str, dict[str, Any]] = {503: {"model": Probe, "description": "Not now."}}


@router.get("/livez", response_class=Response)
def livez() -> Response:
    """Whether this process answers; nothing else is asked."""
    return Response("ok", media_type="text/plain")


@router.get("/readyz", responses=UNREADY)
def readyz(health: TheHealth, response: Response) -> Probe:
    """Whether this process can serve: database, schema, disk; the model only degrades it."""
    probe = health.ready()
    response.status_code = 503 if probe.status == "unready" else 200
    return probe


@router.get("/startupz", responses=UNREADY)
def startupz(health: TheHealth, response: Response) -> Probe:
    """Whether start-up is over."""
    probe = health.started()
    response.status_code = 503 if probe.status == "unready" else 200
    return probe


@router.get("/metrics", response_class=Response)
def metrics(request: Request) -> Response:
    """Prometheus; counts and times, nothing that names a patient or a study."""
    encode, content_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(REGISTRY), media_type=content_type)
