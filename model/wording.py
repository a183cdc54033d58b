"""Report English in one spelling, before any rule reads it."""

from __future__ import annotations

import re

_APOSTROPHES = str.maketrans(dict.fromkeys("’‘ʼ′´`＇", "'"))
# "cant" and "isnt" are written too.
_NOT = re.compile(r"\b(is|are|was|were|has|have|had|do|does|did|could|would|should)n'?t\b")
_CANNOT = re.compile(r"\bcan'?t\b|\bcan not\b")
_THERE_IS = re.compile(r"\bthere's\b")
# "1,5 cm", "1,5 x 2,5 cm": else the comma would end a clause.
_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d{1,2}(?: ?[x×] ?\d{1,3}(?:[.,]\d{1,2})?){0,2}[ -]?(?:cm|mm|centim|millim))")


def spelled_out(text: str) -> str:
    """Lower case, contractions in full ("isn't" -> "is not", "can’t" -> "cannot"), decimals with a point."""
    lowered = text.lower().translate(_APOSTROPHES)
    whole = _THERE_IS.sub("there is", _CANNOT.sub("cannot", _NOT.sub(r"\1 not", lowered)))
    return _DECIMAL_COMMA.sub(".", whole)
