"""DIMSE statuses in words: what a peer meant, and what a person can do about it (PS3.4 C.4, B.2.3; PS3.7 C)."""

from __future__ import annotations

SUCCESS = 0x0000
PENDING = frozenset({0xFF00, 0xFF01})
CANCELLED = 0xFE00
RESPONSE_LIMIT = 0xB001
SUBOPERATIONS_FAILED = 0xB000

_REGISTER = "register our AE title, host and port as a destination in it"
_LOOK = "look at its log"

QUERY_RETRIEVE: dict[int, tuple[str, str]] = {
    0x0110: ("processing failure", _LOOK),
    0x0122: ("SOP class not supported", "allow us this service in it"),
    0x0124: ("not authorised", "allow us queries and retrieval in it"),
    0x0211: ("unrecognised operation", "allow us this service in it"),
    0x0213: ("resource limitation", "look at its load"),
    0xA700: ("out of resources", "look at its load"),
    0xA701: ("out of resources, matches not counted", "look at its load"),
    0xA702: ("sub-operations not performed", "allow it to send us these kinds of object, and look at its load"),
    0xA801: ("move destination unknown", _REGISTER),
    0xA900: ("identifier does not match the SOP class", "it may not support a key that we send; " + _LOOK),
    RESPONSE_LIMIT: ("answer cut at its limit", "raise its limit of query results"),
    SUBOPERATIONS_FAILED: ("one or more objects failed", _LOOK),
    CANCELLED: ("cancelled", _LOOK),
}
MOVE_UNABLE = ("unable to process, often an unknown move destination", _REGISTER)
UNABLE = ("unable to process", _LOOK)


def refusal(status: int, doing: str, *, moving: bool = False) -> str:
    """A sentence for a final status that is not success; doing: what we had asked for."""
    fallback = (MOVE_UNABLE if moving else UNABLE) if 0xC000 <= status <= 0xCFFF else ("unknown status", _LOOK)
    meaning, remedy = QUERY_RETRIEVE.get(status, fallback)
    return f"it ended {doing} with status 0x{status:04X} ({meaning}); {remedy}"


# --- C-STORE (PS3.4 B.2.3, PS3.7 C) ---------------------------------------------------------------------------

DUPLICATE = 0x0111
_STORED = frozenset({SUCCESS, 0x0107, 0x0116, DUPLICATE})
_TRANSIENT = frozenset({0x0110, 0x0210, 0x0213, CANCELLED})
_STORAGE: dict[int, tuple[str, str]] = {
    0xA7: ("out of resources", "free space in it"),
    0xA9: ("data set does not match the SOP class", _LOOK),
    0xC0: ("it cannot understand the object", _LOOK),
}


def is_stored(status: int) -> bool:
    """Success, a warning, or "I have this object already": our UIDs are derived, so it is the same one."""
    return status in _STORED or status >> 12 == 0xB


def is_transient(status: int) -> bool:
    """Whether the same object may be taken later."""
    return status >> 8 == 0xA7 or status in _TRANSIENT


def not_stored(status: int) -> str:
    """A sentence for a C-STORE that failed."""
    group = 0xC0 if status >> 12 == 0xC else status >> 8
    meaning, remedy = _STORAGE.get(group) or QUERY_RETRIEVE.get(status, ("unknown status", _LOOK))
    return f"it did not store the report, status 0x{status:04X} ({meaning}); {remedy}"
