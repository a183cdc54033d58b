"""The OpenAPI document: what FastAPI derives from the routes, and what holds for all of them."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.rest.problems import Problem, declared

METHODS = ("get", "put", "post", "delete")
SCHEMES = {
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "unirg_session",
        "description": "From /auth/login; __Host-unirg_session over HTTPS. Unsafe calls also carry X-CSRF-Token.",
    },
    "token": {"type": "http", "scheme": "bearer", "description": "A service token, from `unirg token create`."},
}
WITHOUT_LOGIN = "/auth/login"


def document(app: FastAPI, prefix: str) -> dict[str, Any]:
    """The whole document; operations below `prefix` get the refusals that any of them may meet."""
    whole = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    components = whole.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = Problem.model_json_schema()
    components["securitySchemes"] = SCHEMES
    for path, operations in whole["paths"].items():
        if path.startswith(prefix):
            for method in METHODS:
                if method in operations:
                    _complete(path, operations[method])
    return whole


def _complete(path: str, operation: dict[str, Any]) -> None:
    everywhere = (400, 408, 413, 503) if "requestBody" in operation else (503,)
    for status, answer in declared(*everywhere).items():
        operation["responses"].setdefault(str(status), answer)
    operation["security"] = [] if path.endswith(WITHOUT_LOGIN) else [{name: []} for name in SCHEMES]
