"""The built review page at /, from this origin alone."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.staticfiles import StaticFiles

NOT_BUILT = (
    "The review page is not built. Build it with `make setup` (or `npm ci && npm run build` in app/web) and start the"
    " API again. The API itself is there: /api/v1/openapi.json\n"
)
ONE_YEAR = "public, max-age=31536000, immutable"


class _Assets(StaticFiles):
    """Files whose names carry a hash of their content: they never change."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        answer = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        answer.headers["Cache-Control"] = ONE_YEAR
        return answer


def serve_page(app: FastAPI, dist: Path | None) -> None:
    """Routes for what `dist` holds now; each by its own name, so that an unknown address stays a 404 problem."""
    if dist is None or not (dist / "index.html").is_file():
        app.add_route("/", _not_built, include_in_schema=False)
        return
    for entry in sorted(dist.iterdir()):
        if entry.is_dir():
            app.mount(f"/{entry.name}", _Assets(directory=entry), name=entry.name)
        else:
            _serve_file(app, "/" if entry.name == "index.html" else f"/{entry.name}", entry)


def _serve_file(app: FastAPI, address: str, path: Path) -> None:
    async def answer(_request: Request) -> Response:
        return FileResponse(path, headers={"Cache-Control": "no-cache"})

    app.add_route(address, answer, include_in_schema=False)


async def _not_built(_request: Request) -> Response:
    return PlainTextResponse(NOT_BUILT)
