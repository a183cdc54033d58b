"""Each route says what leave it asks for; the answer is `app.access.require`, in this one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, cast

from fastapi import Request

from app.access import Action, Reader, require

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})  # RFC 9110 9.2.1


class Authenticate(Protocol):
    """Who is behind a request; kept as `app.state.authenticate`."""

    def __call__(self, request: Request) -> Reader:
        """Raises NotAuthenticated, or NotAllowed for a forged one."""
        ...

    def still_valid(self, request: Request) -> bool:
        """Whether the credential of a request that is under way holds; does not count as activity."""
        ...


def authenticator(request: Request) -> Authenticate:
    """The app's own."""
    return cast("Authenticate", request.app.state.authenticate)


@dataclass(frozen=True, slots=True)
class Allow:
    """Dependency of a route: the reader, who may take this action (None: whoever is logged in)."""

    action: Action | None

    def __call__(self, request: Request) -> Reader:
        """Raises NotAuthenticated, NotAllowed."""
        reader = authenticator(request)(request)
        if self.action is not None:
            require(reader, self.action)
        return reader


def actor(reader: Reader) -> str:
    """How the audit chain names a user."""
    return f"user:{reader.username}"


def anyone() -> None:
    """Dependency of a route that asks for no leave; said, not forgotten."""


def address(request: Request) -> str:
    """The client's network address."""
    return request.client.host if request.client else "unknown"
