"""Entity tags (RFC 9110 8.8.3, 13.1.2)."""

from __future__ import annotations


def is_current(tag: str, if_none_match: str | None) -> bool:
    """Whether the client's If-None-Match names `tag` (with its quotes): what it has is still right."""
    return if_none_match is not None and tag in (part.strip() for part in if_none_match.split(","))
