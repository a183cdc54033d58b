"""Text from elsewhere without what nobody sees: controls, zero-width marks, marks that turn the writing around."""

from __future__ import annotations

import re

_UNSEEN = r"\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
_IN_LINES = re.compile(f"[{_UNSEEN}]")
_IN_ONE_LINE = re.compile(rf"[{_UNSEEN}\t\n]")


def one_line(text: str) -> str:
    """For a name, an ID, a description: tabs and line ends go too."""
    return _IN_ONE_LINE.sub("", text)


def lines(text: str) -> str:
    """For a report: tabs and line feeds stay."""
    return _IN_LINES.sub("", text)
