"""ASGI layers around the app: security headers, body limits, the answer of last resort."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.rest import problems

# No inline code, no foreign origin, in no frame: what a patient's name or a model's words contain cannot run.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' blob: data:; "
    "font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-store",  # patients' data leaves no copy in a browser's or a proxy's cache
}
LISTENING = HEADERS | {
    "Permissions-Policy": HEADERS["Permissions-Policy"].replace("microphone=()", "microphone=(self)")
}
"""Where the page may use the microphone."""
BODY_SECONDS = 30.0
"""A body must be complete by then."""


@dataclass(frozen=True, slots=True)
class SecurityHeaders:
    """Adds the headers to every answer; one that the route has set itself stays. microphone: the page may listen."""

    app: ASGIApp
    microphone: bool = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        told = LISTENING if self.microphone else HEADERS

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in told.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, with_headers)


class _TooLarge(Exception):
    pass


@dataclass(frozen=True, slots=True)
class BodyLimit:
    """Refuses a body above `limit` bytes (413), by its header or as it comes, and one that trickles (408).

    but: beginning of the addresses whose POST takes what it can, and minds the time itself.
    """

    app: ASGIApp
    limit: int
    but: str = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        if scope["type"] != "http" or (self.but and scope["path"].startswith(self.but) and scope["method"] == "POST"):
            await self.app(scope, receive, send)
            return
        if not self._announced(scope):
            await self._too_large(scope, receive, send)
            return
        try:
            body = await self._read(receive)
        except _TooLarge:
            await self._too_large(scope, receive, send)
        except TimeoutError:
            words = f"The request's body was not complete after {BODY_SECONDS:.0f} s; send it again."
            await problems.response(408, "Request timeout", words)(scope, receive, send)
        else:
            await self.app(scope, _replay(body, receive), send)

    def _announced(self, scope: Scope) -> bool:
        length = Headers(scope=scope).get("content-length", "0")
        return length.isdigit() and int(length) <= self.limit

    async def _too_large(self, scope: Scope, receive: Receive, send: Send) -> None:
        words = f"A request's body may have at most {self.limit} bytes."
        answer = problems.response(413, "Content too large", words, headers={"Connection": "close"})
        await answer(scope, receive, send)

    async def _read(self, receive: Receive) -> list[Message]:
        """The whole body: it is small, and nothing behind this layer waits for a slow sender."""
        messages: list[Message] = []
        size = 0
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                messages.append(message)
                size += len(message.get("body", b""))
                if size > self.limit:
                    raise _TooLarge
                if not message.get("more_body", False):
                    return messages


def _replay(messages: list[Message], receive: Receive) -> Receive:
    waiting = iter(messages)

    async def replayed() -> Message:
        message = next(waiting, None)
        return message if message is not None else await receive()

    return replayed


@dataclass(frozen=True, slots=True)
class LastResort:
    """A fault of our own becomes a bare problem; `told(instance, error)` hears of it."""

    app: ASGIApp
    told: Callable[[str, Exception], None]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception as error:
            if begun or scope["type"] != "http":
                raise  # the answer is half out: the server can only cut the connection
            instance = problems.new_instance()
            self.told(instance, error)
            words = "The service met a fault of its own; it is in the log under this instance."
            await problems.response(500, "Internal error", words, instance=instance)(scope, receive, send)


Observe = Callable[[str, str, int, float], None]
"""method, route template ("unmatched" where there is none), status, seconds."""


@dataclass(frozen=True, slots=True)
class Observed:
    """Tells `observe` of each answer, by route template: an address may name a study, a template cannot."""

    app: ASGIApp
    observe: Observe
    clock: Callable[[], float]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = self.clock(), 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = cast("int", message["status"])
            await send(message)

        try:
            await self.app(scope, receive, watched)
        finally:
            template = getattr(scope.get("route"), "path", "unmatched")
            self.observe(scope["method"], template, status, self.clock() - started)
