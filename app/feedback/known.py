"""What the record knows a patient, a study and the people around it by: what free text must not say. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

_TITLES = frozenset("dr md mr mrs ms miss prof phd jr sr ii iii iv rn rt do".split())  # noqa: SIM905 - one word each
_PARTS = re.compile(r"[^\W\d_]+")
_JOINED = re.compile(r"[^\W\d_]+(?:['’ʼ`-][^\W\d_]+)+")
_EXPANDED = {"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "æ": "ae", "œ": "oe", "ß": "ss"}


@dataclass(frozen=True, slots=True)
class Known:
    """names: words of persons' names, folded. identifiers: numbers, UIDs, accounts, as written. dates: YYYYMMDD.

    places: institutions, departments, issuers, addresses.
    """

    names: frozenset[str] = field(default=frozenset(), repr=False)
    identifiers: frozenset[str] = field(default=frozenset(), repr=False)
    places: frozenset[str] = field(default=frozenset(), repr=False)
    dates: frozenset[str] = field(default=frozenset(), repr=False)

    def __or__(self, other: Known) -> Known:
        return Known(
            self.names | other.names,
            self.identifiers | other.identifiers,
            self.places | other.places,
            self.dates | other.dates,
        )


def known(
    names: Iterable[str] = (), identifiers: Iterable[str] = (), places: Iterable[str] = (), dates: Iterable[str] = ()
) -> Known:
    """names: DICOM PN or free form; empty values and titles are left out, dates that are none too."""
    return Known(
        frozenset(word for name in names for word in _words_of(name)),
        frozenset(value.strip() for value in identifiers if any(map(str.isalnum, value))),
        frozenset(value.strip() for value in places if any(map(str.isalpha, value))),
        frozenset(value for value in dates if re.fullmatch(r"\d{8}", value)),
    )


def _words_of(name: str) -> Iterator[str]:
    """Each word of two letters or more, in the spellings that a typist may use; O'Brien is also obrien."""
    low = name.lower()
    for word in (*_PARTS.findall(low), *("".join(_PARTS.findall(joined)) for joined in _JOINED.findall(low))):
        plain = folded(word)
        if plain in _TITLES or len(word) < (1 if ord(word[0]) > 0x2E80 else 2):  # one CJK sign is a name
            continue
        yield plain
        expanded = "".join(_EXPANDED.get(letter, letter) for letter in unicodedata.normalize("NFC", word))
        if expanded != word:
            yield folded(expanded)


def folded(text: str) -> str:
    """Lower case without accents, of the same length: a place here is a place in the text."""
    return "".join(_base(letter) for letter in text)


def _base(letter: str) -> str:
    if letter.isascii():
        return letter.lower()
    first = unicodedata.normalize("NFKD", letter)[0].lower()
    return first[0]
