"""The API process: REST under /api/v1, the review page, probes and metrics."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast

import uvicorn
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from app import telemetry
from app.accounts import people_routes
from app.accounts import routes as account_routes
from app.accounts.attempts import Attempts
from app.accounts.door import Door
from app.accounts.handlers import SessionLimits, Sessions
from app.accounts.keys import OwnKeys
from app.accounts.passwords import Passwords
from app.accounts.people import People
from app.administration import routes as administration_routes
from app.administration.handlers import Administration
from app.audit import routes as audit_routes
from app.config import Settings
from app.db.group_commit import GroupCommit
from app.db.session import Database
from app.dicomweb import retrieve_routes, search_routes
from app.dicomweb.objects import Objects
from app.dicomweb.services import DicomWeb
from app.domain.reading import ReadingModes
from app.domain.report import Decision
from app.intake import stow_routes
from app.intake.handlers import StoreInstances
from app.intake.stow import Stow
from app.oversight import routes as oversight_routes
from app.ports import Clock, ObjectStore, Peer, PixelReader
from app.rest import armour, health, openapi, page, problems
from app.rest.read_trail import ReadTrail
from app.review import feed_routes, reading_routes, report_routes, study_routes, text_routes
from app.review.critical import LIMIT, TellCriticalResults
from app.review.feed import ChangeFeed, LiveChanges
from app.review.frames import ShowFrames
from app.review.handlers import WriteReports
from app.review.lists import KeepLists
from app.review.locks import ClaimStudies
from app.review.other_priors import OtherPriors
from app.review.reading import DraftGate, Looks
from app.review.redraft import Redraft
from app.review.remarks import RemarkOnDrafts
from app.review.services import Review
from app.review.signing import SignReports
from app.review.texts import KeepTexts

API = "/api/v1"
DICOMWEB = "/dicom-web"
WEB_DIST = Path(__file__).parent / "web" / "dist"
BODY_LIMIT = 1 << 20
"""Bytes of a request's body; the longest report is far below."""
PIXEL_CHILDREN = 2
"""Frames that are decoded at once."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})
DESCRIPTION = "Chest radiograph drafts, reviewed and signed. Research system, not a cleared medical device."


@dataclass(frozen=True, slots=True)
class ApiDeps:
    """All that the API needs of the outside.

    model_ready: whether a draft would be tried now; quick, never raises. secure_cookie: HTTPS ends in front of us.
    peers: whom an administrator may ask whether they are there.
    dictation: the page may use the microphone. web_dist: the built page, None for none.
    quiet, ae_title, max_object_bytes: as the receiver has them.
    """

    database: Database
    clock: Clock
    store: ObjectStore
    pixels: PixelReader
    model_ready: Callable[[], bool]
    peers: Sequence[Peer] = ()
    idle: timedelta = timedelta(minutes=15)
    session: timedelta = timedelta(hours=12)
    secure_cookie: bool = False
    min_free_ratio: float = 0.02
    quiet: timedelta = timedelta(seconds=60)
    ae_title: str = "UNIRG"
    max_object_bytes: int = 1 << 30
    modes: ReadingModes = field(default_factory=ReadingModes)
    dictation: bool = False
    critical_limit: timedelta = LIMIT
    web_dist: Path | None = WEB_DIST


def create_app(deps: ApiDeps, passwords: Passwords | None = None, attempts: Attempts | None = None) -> FastAPI:
    """The ASGI application."""
    app = bare_app()
    limits = SessionLimits(deps.idle, deps.session)
    sessions = Sessions(deps.database, deps.clock, passwords or Passwords(), attempts or Attempts(), limits)
    own_keys = OwnKeys(deps.database, deps.clock)
    app.state.authenticate = Door(sessions, own_keys, "__Host-unirg_session" if deps.secure_cookie else "unirg_session")
    app.state.health = health.Health(deps.database, deps.store, deps.min_free_ratio, deps.model_ready)
    app.state.audit = audit_routes.Audit(deps.database, deps.clock)
    trail = ReadTrail(deps.database, deps.clock)
    app.state.review = _review(deps, sessions, trail)
    app.state.oversight = oversight_routes.Overseen(deps.database, deps.clock, trail)
    app.state.people = People(deps.database, deps.clock, sessions.passwords)
    app.state.administration = Administration(deps.database, deps.clock, trail, deps.peers)
    sink = StoreInstances(
        GroupCommit(deps.database, deps.clock), deps.store, deps.quiet, deps.min_free_ratio, deps.ae_title
    )
    app.state.stow = Stow(sink, deps.store.incoming_dir, deps.max_object_bytes, telemetry.count_instance)
    objects = Objects(deps.database, deps.store, deps.pixels, trail)
    app.state.dicomweb = DicomWeb(deps.database, deps.pixels, trail, objects)
    page.serve_page(app, deps.web_dist)
    app.add_middleware(armour.LastResort, told=_log_fault)
    app.add_middleware(armour.BodyLimit, limit=BODY_LIMIT, but=f"{DICOMWEB}/studies")
    app.add_middleware(armour.SecurityHeaders, microphone=deps.dictation)
    app.add_middleware(armour.Observed, observe=_observe, clock=time.monotonic)
    return app


def bare_app() -> FastAPI:
    """Routes and their OpenAPI document, without anything behind them."""
    app = FastAPI(
        title="UniRG review API",
        version="1",
        description=DESCRIPTION,
        openapi_url=f"{API}/openapi.json",
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=_operation_id,
    )
    api = APIRouter(prefix=API)
    for stage in (account_routes, study_routes, report_routes, feed_routes, audit_routes, oversight_routes):
        api.include_router(stage.router)
    for stage in (reading_routes, text_routes, people_routes, administration_routes):
        api.include_router(stage.router)
    app.include_router(api)
    app.include_router(stow_routes.router, prefix=DICOMWEB)
    app.include_router(retrieve_routes.objects_router, prefix=DICOMWEB)
    app.include_router(retrieve_routes.router, prefix=DICOMWEB)
    app.include_router(search_routes.router, prefix=DICOMWEB)
    app.include_router(retrieve_routes.router, prefix=DICOMWEB + retrieve_routes.DISPLAYED)
    app.include_router(search_routes.router, prefix=DICOMWEB + retrieve_routes.DISPLAYED)
    app.include_router(health.router)
    problems.install(app)
    app.openapi = lambda: _document(app)  # type: ignore[method-assign]
    return app


def _review(deps: ApiDeps, sessions: Sessions, trail: ReadTrail) -> Review:
    feed, gate = ChangeFeed(deps.database), DraftGate(deps.modes)
    return Review(
        deps.database,
        deps.clock,
        trail,
        gate,
        ShowFrames(deps.database, deps.store, deps.pixels, trail),
        ClaimStudies(deps.database, deps.clock),
        Redraft(deps.database, deps.clock),
        WriteReports(deps.database, deps.clock, gate),
        TellCriticalResults(deps.database, deps.clock, gate, deps.critical_limit),
        SignReports(deps.database, deps.clock, gate, sessions.confirm, _count_decisions),
        feed,
        LiveChanges(feed),
        Looks(deps.database, deps.clock, gate),
        OtherPriors(deps.database, deps.clock),
        RemarkOnDrafts(deps.database, deps.clock, gate),
        KeepTexts(deps.database, deps.clock),
        KeepLists(deps.database, deps.clock),
    )


def _count_decisions(decisions: Mapping[Decision, int]) -> None:
    for decision, count in decisions.items():
        telemetry.sentence_decisions.labels(decision).inc(count)


def _operation_id(route: APIRoute) -> str:
    return f"displayed_{route.name}" if retrieve_routes.DISPLAYED in route.path else route.name


def _document(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        app.openapi_schema = openapi.document(app, API)
    return app.openapi_schema


def _observe(method: str, route: str, status: int, seconds: float) -> None:
    known = method if method in METHODS else "other"
    if route.endswith("/claim") and status == HTTPStatus.CONFLICT:
        telemetry.lock_conflicts.inc()
    telemetry.http_requests.labels(known, route, str(status)).inc()
    telemetry.http_seconds.labels(known, route).observe(seconds)


def _log_fault(instance: str, error: Exception) -> None:
    telemetry.log().error("request_failed", code=instance, exc_info=error)


def serve_http(settings: Settings) -> None:
    """Run the API process until a signal ends it."""
    from app.bootstrap import connect
    from app.bootstrap.peers import peers
    from app.bootstrap.stages import draft_model, pixel_reader

    process, pixels, model = connect(settings, "api"), pixel_reader(PIXEL_CHILDREN), draft_model(settings)
    deps = ApiDeps(
        process.database,
        process.clock,
        process.store,
        pixels,
        model.ready,
        peers(settings, model.ready),
        idle=timedelta(minutes=settings.http.idle_minutes),
        session=timedelta(minutes=settings.http.session_minutes),
        secure_cookie=settings.http.cookie_secure,
        min_free_ratio=settings.storage.min_free_ratio,
        quiet=timedelta(seconds=settings.completeness.quiet_seconds),
        ae_title=settings.dicom.ae_title,
        max_object_bytes=settings.dicom.max_object_bytes,
        modes=ReadingModes(settings.review.mode, settings.review.sites),
        dictation=settings.review.dictation,
        critical_limit=timedelta(minutes=settings.review.critical_minutes),
    )
    try:
        server(create_app(deps), settings.http.host, settings.http.port).run()
    finally:
        pixels.close()
        process.close()


class ApiServer(uvicorn.Server):
    """Ends the event streams when it is told to stop; they would never end by themselves."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """See uvicorn.Server."""
        review: Review = cast("FastAPI", self.config.app).state.review
        review.live.close()
        await super().shutdown(sockets)


def server(app: FastAPI, host: str, port: int) -> ApiServer:
    """Uvicorn without an access log: addresses name studies."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=5,
        h11_max_incomplete_event_size=64 * 1024,
    )
    return ApiServer(config)
