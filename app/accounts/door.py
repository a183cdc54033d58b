"""From a request to a reader: the session cookie of a person (with its CSRF token), or a machine's Bearer token."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import Request

from app.access import Reader
from app.accounts.handlers import BROWSER, SERVICE, Sessions, csrf_of
from app.accounts.keys import OwnKeys
from app.errors import NotAllowed, NotAuthenticated
from app.rest.guard import SAFE_METHODS


@dataclass(frozen=True, slots=True)
class Door:
    """cookie: its name; with the prefix __Host- browsers keep it to this host and to HTTPS (RFC 6265bis 4.1.3.2)."""

    sessions: Sessions
    keys: OwnKeys
    cookie: str

    def __call__(self, request: Request) -> Reader:
        """Raises NotAuthenticated, or NotAllowed for an unsafe call that another site may have sent."""
        return self._reader(request, touch=True)

    def still_valid(self, request: Request) -> bool:
        """Whether the credential of a long request still holds; does not keep the session from idling out."""
        try:
            self._reader(request, touch=False)
        except (NotAuthenticated, NotAllowed):
            return False
        return True

    def _reader(self, request: Request, *, touch: bool) -> Reader:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and token:
            return self.sessions.reader(token.strip(), SERVICE, touch=touch)
        token = request.cookies.get(self.cookie, "")
        if not token:
            message = "Nobody is logged in; log in, or send a service token as Bearer."
            raise NotAuthenticated(message)
        reader = self.sessions.reader(token, BROWSER, touch=touch)
        if request.method not in SAFE_METHODS:
            self._require_own_page(request, token)
        return reader

    def _require_own_page(self, request: Request, token: str) -> None:
        refuse_foreign_origin(request)
        shown = request.headers.get("x-csrf-token", "")
        if not hmac.compare_digest(shown.encode(), csrf_of(token).encode()):
            message = "X-CSRF-Token is missing or not this session's; take it from /api/v1/auth/me."
            raise NotAllowed(message)


def refuse_foreign_origin(request: Request) -> None:
    """Raises NotAllowed where the browser says that another site sent this (RFC 6454 7, Fetch Metadata 2.3)."""
    origin = request.headers.get("origin")
    foreign = origin is not None and urlsplit(origin).netloc != request.headers.get("host", "")
    if foreign or request.headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
        message = "The call came from another site's page; use this service's own page."
        raise NotAllowed(message)
