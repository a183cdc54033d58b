"""Free text without identities: what the record knows, and what looks like a date, a time, a number, a person. Pure.

What is taken out leaves a mark in brackets, so that a reader of the export sees that something stood there. Afterwards
`residue` looks again, more widely than the scrubber: what it finds is no longer cut out, its record is refused.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from app.feedback.known import Known, folded
from app.feedback.places import place_patterns, with_apostrophes

MARKS = ("[name]", "[id]", "[place]", "[date]", "[time]", "[number]", "[contact]", "[age]")
_MARK = re.compile("|".join(map(re.escape, MARKS)))
_L = r"[^\W\d_]"  # a letter
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY, _YEAR = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:19|20)\d\d"
_MONTH_DAY = rf"{_DAY}/{_DAY}(?![\d/]|\.\d)"
_NO_SHARE = rf"(?!(?: ?(?:to|or|-|–) ?{_DAY}/{_DAY})? of (?!last|this))"  # "3/4 of the lung"
_NO_GRADE = r"(?<![\w./])(?<!\b[ctl] )(?<!grade )(?<!stage )(?<!level )(?<!levels )(?<!rib )(?<!ribs )(?<!score )"
_EXAM = r"(?:films?|stud(?:y|ies)|exams?|examinations?|radiographs?|x-?rays?|cxrs?|cts?)"
_ABOUT = r"on|of|from|dated|since|(?<!up )to|compar(?:ed|ison)(?: with| against)?|prior|previous|earlier|last"
_SINCE = rf"(?:{_ABOUT}|{_EXAM})"
_OLD = r"(?:9\d|1[01]\d)"  # years
_NO_UNIT = r"(?!\d|\.\d|[ ]?(?:%|[cm]m\b|m[lg]\b|kg\b))"
_SEX = r"(?:f|m|female|male|woman|man|lady|gentleman)"
_HEAT = [
    f"{what}{joint} "
    for what in ("fever", "febrile", "temp", "temperature", r"\bt", "tmax")
    for joint in ("", ":", " of", " to")
]
_NO_AGE = rf"(?<![\w.]){''.join(f'(?<!{word})' for word in ('tc ', 'tc-', *_HEAT))}"  # Tc 99m, fever of 101 F
_VERTEBRAE = r"[tlcs]\d{1,2}-[tlcs]?\d{1,2}(?!\w)"
_DAYWORD = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_PATTERNS: tuple[tuple[str, str], ...] = (
    ("[contact]", r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\bhttps?://\S+|\bwww\.\S+"),
    ("[id]", r"(?<![\w.])\d+(?:\.\d+){3,}(?![\w])"),  # UIDs, IP addresses
    ("[date]", rf"(?<![\d.]){_YEAR}[-/. ]\d{{1,2}}[-/. ]\d{{1,2}}(?!\d)(?:t\d\d:\d\d\S*)?"),
    ("[date]", r"(?<![\d.])\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d\d)(?!\d|\.\d)"),
    ("[date]", rf"(?<!\d){_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)"),
    ("[date]", rf"\b{_DAY}(?:st|nd|rd|th)?(?: of)?[ -]?{_MONTH}[ ,-]*(?:{_YEAR}|'?\d\d)?(?![\d\w])"),
    ("[date]", rf"\b{_MONTH}[ -]?{_DAY}(?:st|nd|rd|th)?(?:[ ,-]+{_YEAR})?(?![\d\w]|[ ]?[cm]m)"),
    ("[date]", rf"\b{_MONTH}[ ,-]*(?:of )?{_YEAR}\b"),
    (
        "[date]",
        rf"\b{_SINCE}[ :]{{1,2}}(?:the |{_EXAM} )?({_MONTH_DAY}(?:(?:,|,? and|,? or) {_MONTH_DAY})*){_NO_SHARE}",
    ),
    ("[date]", rf"{_NO_GRADE}{_MONTH_DAY}(?= (?:chest |portable |prior )?{_EXAM}\b)"),
    ("[date]", r"(?<![\w./])(?:0[1-9]/(?:0[1-9]|[12]\d|3[01])|(?:[12]\d|3[01])/0[1-9])(?![\d/]|\.\d)"),
    ("[date]", rf"(?<![\d.])(?:0?[1-9]|1[0-2])/{_YEAR}(?!\d)"),
    ("[date]", rf"(?<![\d.]){_YEAR}(?![\d]|\.\d|[ ]?[cm]m\b|[ ]?ml\b)|\b{_DAYWORD}\b"),
    ("[time]", r"(?<![\d.])(?:[01]?\d|2[0-3])[:.h][0-5]\d(?::[0-5]\d)?[ ]?(?:[ap]\.?m\.?|hours|hrs|h)(?!\w)"),
    ("[time]", r"(?<![\d.:])(?:[01]?\d|2[0-3]):[0-5]\d(?::[0-5]\d)?(?![\d:])|\b\d{1,2}[ ]?[ap]\.?m\b"),
    ("[time]", r"(?<!\w)[0-2]\d[0-5]\d[ ]?(?:hours|hrs|h)\b"),
    ("[contact]", r"(?<![\w.])\+?\(?\d{2,4}\)?(?:[ ./-]\(?\d{2,5}\)?){2,}(?!\w|\.\d)|(?<!\w)\d{3}-\d{4}(?!\w)"),
    ("[contact]", rf"(?<![\w.])\d{{3}}[ .–]\d{{4}}{_NO_UNIT}(?!\w)"),
    ("[contact]", r"\b(?:pager|beeper|phone|tel|extension|ext|fax)\b\.?[ :#]*(?:at )?[\d(+](?:[\d ()./-]*\d)?"),
    ("[age]", rf"(?<!\d){_OLD}[ -]{{0,2}}(?:y/o|(?:years?|yrs?|y)[ -]{{0,2}}(?:old|o)?)\b"),
    ("[age]", rf"\baged?(?: of)?[ :=]{{1,3}}({_OLD}){_NO_UNIT}|{_NO_AGE}{_OLD}[ ]?[/,(-]?[ ]?{_SEX}\b"),
    ("[age]", rf"\b(?:[fm]/|(?<!\d )[fm], |(?:female|male|woman|man|lady|gentleman)(?: of|,)? \(?){_OLD}\b{_NO_UNIT}"),
    ("[id]", r"\b(?:mrn|accession|acc|medical record)\b\.?(?: (?:no|number))?[ .:#]*[a-z0-9-]*\d[a-z0-9-]*"),
    ("[number]", r"(?<![\d.])\d(?:-?\d){4,}(?![\d]|\.\d)"),
    ("[number]", rf"(?<!\w)(?!{_VERTEBRAE})(?=(?:[a-z-]*\d){{4}})(?=[0-9-]*[a-z])[a-z0-9-]{{6,}}(?!\w)"),
    ("[name]", r"\bdrs?\b\.?[ ]+(?:[a-z]\.[ ]?)*[^\W\d_]{2,}"),
)
_BY_LOOKS = tuple((mark, re.compile(pattern)) for mark, pattern in _PATTERNS)
_TITLED = re.compile(
    r"\b(?:Drs?|Mr|Mrs|Ms|Miss|Prof|Professor|Doctor|Nurse|NP|PA-C|RN)\b\.?[ ]+"
    rf"(?:(?:[A-Z]\.[ ]?)*[A-Z]{_L}*(?:['’-][A-Z]?{_L}+)*(?:[ ](?=[A-Z]{_L})[A-Z]{_L}+)?)"
)


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """The text, and how often each mark stands in it for something taken out."""

    text: str
    removed: Counter[str]


@dataclass(frozen=True, slots=True)
class Scrubber:
    """For the texts of one record."""

    known: Known = field(repr=False)

    def scrub(self, text: str) -> Scrubbed:
        """The text with marks; white space as one space each."""
        text = " ".join(unicodedata.normalize("NFC", text).split())
        removed, parts, at = Counter[str](), list[str](), 0
        for start, end, mark in _apart(sorted(self._found(text), key=lambda found: (found[0], -found[1]))):
            parts += [text[at:start], mark]
            removed[mark] += 1
            at = end
        return Scrubbed("".join((*parts, text[at:])), removed)

    def _found(self, text: str) -> Iterator[tuple[int, int, str]]:
        plain = folded(text)
        for mark, pattern in (*_known_patterns(self.known), *_BY_LOOKS):
            for found in pattern.finditer(plain):  # a group is what goes, the words around it stay
                yield *found.span(found.lastindex or 0), mark
        yield from ((found.start(), found.end(), "[name]") for found in _TITLED.finditer(text))

    def residue(self, text: str) -> str | None:
        """The kind of a known identity that the text still holds, in whatever spelling; None where it holds none."""
        plain = _MARK.sub(" ¦ ", folded(text))
        packed = re.sub(r"[\W_]+", "", plain)
        return next(
            (
                kind
                for kind, found in (
                    ("a person's name", any(_name_left(name, plain) for name in self.known.names)),
                    ("an identifier", any(_value_left(value, plain, packed) for value in self.known.identifiers)),
                    ("a place", any(_place_left(value, plain) for value in self.known.places)),
                    ("a date", any(_date_left(date, plain) for date in self.known.dates)),
                )
                if found
            ),
            None,
        )


def _apart(found: list[tuple[int, int, str]]) -> Iterator[tuple[int, int, str]]:
    """Overlapping finds as one, under the mark of the first."""
    merged: list[tuple[int, int, str]] = []
    for start, end, mark in found:
        if merged and start < merged[-1][1]:
            first, last, kind = merged[-1]
            merged[-1] = (first, max(last, end), kind)
        else:
            merged.append((start, end, mark))
    yield from merged


def _known_patterns(known: Known) -> Iterator[tuple[str, re.Pattern[str]]]:
    yield from (("[id]", _pattern(value)) for value in sorted(known.identifiers))
    for value in sorted(known.places):
        yield from (("[place]", pattern) for pattern in (_pattern(value), *place_patterns(value)))
    if known.names:
        names = "|".join(_typed(name) for name in sorted(known.names, key=lambda name: (-len(name), name)))
        yield "[name]", re.compile(rf"(?<!{_L})(?:{names})(?!{_L})(?:['’]s\b)?")
        unspaced = "|".join(re.escape(name) for name in sorted(known.names) if not name.isascii())
        if unspaced:  # writing without spaces between words
            yield "[name]", re.compile(unspaced)


def _pattern(value: str) -> re.Pattern[str]:
    """The value as a word of its own, whatever stands between its runs of letters and digits."""
    runs = [re.escape(run) for run in re.findall(r"[^\W_]+", folded(value))]
    return re.compile(rf"(?<![^\W_])(?<!\d\.){r'[^0-9A-Za-z]{0,3}'.join(runs)}(?![^\W_]|\.\d)")


LONG_NAME, LONG_VALUE = 4, 5


def _typed(name: str) -> str:
    """A longer name also with an apostrophe in it, and with a plain s after it: O'Brien, obriens."""
    return re.escape(name) if len(name) < LONG_NAME else with_apostrophes(name) + "s?"


def _name_left(name: str, plain: str) -> bool:
    """Also at either end of a longer word, and spelt letter by letter."""
    if name not in re.sub(r"[\W_]+", "", plain):
        return False
    exact = re.escape(name)
    if len(name) < LONG_NAME:
        return re.search(rf"(?<!{_L}){exact}(?!{_L})", plain) is not None
    spelt = r"[\W_]{1,3}".join(map(re.escape, name))
    return re.search(rf"(?<!{_L}){exact}|{exact}(?!{_L})|(?<!{_L}){spelt}(?!{_L})", plain) is not None


def _value_left(value: str, plain: str, packed: str) -> bool:
    squeezed = re.sub(r"[\W_]+", "", folded(value))
    if len(squeezed) >= LONG_VALUE and any(map(str.isdigit, squeezed)):
        return squeezed in packed
    return _pattern(value).search(plain) is not None


def _place_left(place: str, plain: str) -> bool:
    return any(pattern.search(plain) for pattern in (_pattern(place), *place_patterns(place)))


def _date_left(date: str, plain: str) -> bool:
    """In full, or as month and day: 3/4, 4/3, and where it begins with a zero also 03-04, 04.03."""
    year, month, day = date[:4], date[4:6], date[6:]
    one, other = f"0?{int(month)}", f"0?{int(day)}"
    forms = [f"{one}/{other}", f"{other}/{one}"]
    forms += [f"{first}[.-]{last}" for first, last in ((month, day), (day, month)) if first[0] == "0"]
    if re.search(rf"{_NO_GRADE}(?:{'|'.join(forms)})(?![\d/]|\.\d|[ ]?[cm]m){_NO_SHARE}", plain):
        return True
    digits = [re.sub(r"\D", "", run) for run in re.findall(r"\d[\d ./-]*", plain)]
    return any(form in run for form in (date, day + month + year, month + day + year) for run in digits)
