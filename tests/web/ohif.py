"""OHIF as a site puts it before the service: its built files, deploy/ohif/app-config.js, and a proxy for DICOMweb."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.peers.process import free_port, wait_until

CONFIG = Path(__file__).parents[2] / "deploy/ohif/app-config.js"
ROOT = "/dicom-web/displayed"
HOP = frozenset({"connection", "keep-alive", "transfer-encoding"})
"""RFC 9110 7.6.1: of one connection alone."""


class _Front:
    """dist: the folder of OHIF's build; service: where DICOMweb is; token: what the proxy itself shows there."""

    def __init__(self, dist: Path, service: str, token: str) -> None:
        self._dist = dist.resolve()
        self._own = {"authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.AsyncClient(base_url=service, trust_env=False, timeout=60)

    @asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        """Its connections end before its loop does."""
        async with self._client:
            yield

    async def file(self, request: Request) -> Response:
        """A file of the build; what is none is a route of the viewer's own, and gets its page."""
        name = request.path_params["name"]
        if name == "app-config.js":
            return FileResponse(CONFIG)
        path = (self._dist / name).resolve()
        found = path.is_file() and path.is_relative_to(self._dist)
        return FileResponse(path if found else self._dist / "index.html")

    async def dicomweb(self, request: Request) -> Response:
        """The service's answer."""
        url = httpx.URL(path=request.url.path, query=request.url.query.encode())
        asked = self._client.build_request(request.method, url, headers={**request.headers, **self._own})
        answer = await self._client.send(asked, stream=True)
        headers = {name: value for name, value in answer.headers.items() if name not in HOP}
        return StreamingResponse(
            answer.aiter_raw(), answer.status_code, headers, background=BackgroundTask(answer.aclose)
        )


@contextmanager
def ohif_in_front(dist: Path, service: str, token: str = "") -> Iterator[str]:
    """OHIF's address."""
    front, port = _Front(dist, service, token), free_port()
    routes = [Route(ROOT + "/{rest:path}", front.dicomweb), Route("/{name:path}", front.file)]
    app = Starlette(routes=routes, lifespan=front.lifespan)
    config = uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, access_log=False)
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    wait_until(lambda: running.started, "OHIF's front")
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        running.should_exit = True
        thread.join(15)
