"""The only routes of a vLLM server that drafting needs; its API key would guard but a part of the others.

vLLM takes it as `--middleware model.vllm_routes.OnlyDrafting`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

ALLOWED = frozenset({("POST", "/v1/chat/completions"), ("GET", "/v1/models"), ("GET", "/health"), ("GET", "/metrics")})


class OnlyDrafting:
    """ASGI middleware: anything but ALLOWED is 404, and web sockets are closed."""

    def __init__(self, app: Application) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection, as ASGI 3 hands it over."""
        kind = scope["type"]
        if kind == "lifespan" or (kind == "http" and (scope["method"], scope["path"].rstrip("/")) in ALLOWED):
            await self.app(scope, receive, send)
        elif kind == "http":
            await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body", "body": b""})
        else:
            await send({"type": "websocket.close", "code": 1008})
