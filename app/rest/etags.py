"""Entity tags (RFC 9110 8.8.3, 13.1.1, 13.1.2)."""

from __future__ import annotations

from app.errors import VersionRequired


def is_current(tag: str, if_none_match: str | None) -> bool:
    """Whether the client's If-None-Match names `tag` (with its quotes): what it has is still right."""
    return if_none_match is not None and tag in (part.strip() for part in if_none_match.split(","))


def is_expected(tag: str, if_match: str | None) -> bool:
    """Whether the client's If-Match names `tag` (without quotes), the version it means to change.

    Raises VersionRequired without If-Match.
    """
    if if_match is None:
        message = "Send If-Match with the etag that you read, so that nobody's text is overwritten unseen."
        raise VersionRequired(message)
    return tag in {part.strip().strip('"') for part in if_match.split(",")}
