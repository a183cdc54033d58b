"""The calendar dates that a sentence names, by which a comparison is matched to the priors it was given."""

from __future__ import annotations

import re

from model.comparison import MONTHS

_DATES = (
    re.compile(r"\b(?P<y>(?:19|20)\d\d)-(?P<m>\d\d?)-(?P<d>\d\d?)\b"),
    re.compile(r"\b(?P<m>\d{1,2})/(?P<d>\d{1,2})/(?P<y>(?:19|20)\d\d)\b"),
    re.compile(r"\b(?P<d>\d{1,2})\.(?P<m>\d{1,2})\.(?P<y>(?:19|20)\d\d)\b"),
    re.compile(
        rf"\b(?P<name>{'|'.join(MONTHS)})\s+(?P<d>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<y>(?:19|20)\d\d)\b", re.IGNORECASE
    ),
)


def dates(sentence: str) -> set[str]:
    """Calendar dates that the sentence names, as YYYYMMDD; slashes are read the American way."""
    found = (match.groupdict() for pattern in _DATES for match in pattern.finditer(sentence))
    return {f"{one['y']}{_month(one):02d}{int(one['d']):02d}" for one in found}


def _month(parts: dict[str, str]) -> int:
    return MONTHS.index(parts["name"].lower()) + 1 if "name" in parts else int(parts["m"])
