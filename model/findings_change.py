"""What a piece of a sentence says became of a finding since the prior: new, worse, improved, resolved or stable."""

from __future__ import annotations

import re

from model.findings_record import Change

_DEGREE = r"(?:pronounced|prominent|conspicuous|extensive|confluent|severe|dense)\b"
# "more prominent on the left" compares sides, not films; so does "larger than the left".
_DEGREE += r"(?! (?:on|in|at|along|over|within|than) (?:the\b|right|left))"
# "Decreased lung volumes", "markings are increased" describe the film; nothing beside them got better or worse.
_NOT_OF_LUNGS = "".join(f"(?<!{what} )(?<!{what} are )" for what in ("volumes", "markings"))
_NOT_OF_LUNGS_AHEAD = r"(?! (?:[\w-]{1,20} ){0,2}?(?:volumes?|markings|inspirat\w*|inflation|lucenc\w*|diameter)\b)"


def _amount(verb: str) -> str:
    return rf"{_NOT_OF_LUNGS}\b{verb}\b{_NOT_OF_LUNGS_AHEAD}"


_WORDS: dict[Change, re.Pattern[str]] = {
    "resolved": re.compile(
        r"\bresolved\b|\bresolution\b|\bno longer\b|\bremoved\b|\bcleared\b|\bgone\b(?! (?:up|down)\b)|\bdisappeared\b"
    ),
    "worse": re.compile(
        rf"\bworse(?:ned|ning)?\b|{_amount('increas(?:ed|ing|e)')}|\blarger\b(?! than(?: the)? (?:right|left))|"
        rf"\bprogress(?:ed|ion|ing)\b|\bprogressive(?:ly)?\b(?! massive)|\bmore {_DEGREE}"
    ),
    "improved": re.compile(
        rf"\bimprov(?:ed|ing|ement)\b|{_amount('decreas(?:ed|ing|e)')}|\bsmaller\b(?! than(?: the)? (?:right|left))|"
        rf"\bregress(?:ed|ion)\b|{_amount('reduced')}|\bresolving\b|\bless {_DEGREE}"
    ),
    "stable": re.compile(
        r"\bstable\b|\bunchanged\b|\bpersist(?:s|ent|ing)\b|"
        r"\b(?:no|not|without) (?:(?!(?:and|or|is|are|has|have)\b)[\w-]{1,20} ){0,3}changed?\b"
    ),
    "new": re.compile(r"\bnew(?:ly)?\b|\bdevelopment of\b|\bhas developed\b"),
}
_PARTLY = re.compile(
    r"\b(?:partial(?:ly)?|partly|incomplete(?:ly)?|near(?:ly)?|almost|mostly|largely)"
    r"(?:[ -](?:complete(?:ly)?|entire(?:ly)?|total(?:ly)?))?(?: interval)?"
    r"[ -](?:resol(?:ved|ution)|clear(?:ed|ing)|gone|disappear(?:ed|ance))\b"
)
# What lies under a denial is not stated. A verb of seeing takes the denial up: "not seen before, now increased".
_DENIED = re.compile(
    r"\b(?:no(?! longer\b)|not(?! only\b)|without|never|neither|nor)\b"
    r"(?:(?! (?:seen|present|visible|identified|noted|visuali[sz]ed|demonstrated|apparent|evident|there (?:is|are)|"
    r"which|while|although|though|however)\b)[^:])*"
)


def partly_as_improved(text: str) -> str:
    """Lower-case text in which nothing is resolved that only nearly or partly is: it has "improved"."""
    return _PARTLY.sub("improved", text)


def change_in(part: str) -> Change | None:
    """The first in the order resolved, worse, improved, stable, new. part: lower-case words of one clause."""
    denied = [match.span() for match in _DENIED.finditer(part)]
    return next((word for word, pattern in _WORDS.items() if _stated(pattern, part, denied)), None)


def _stated(pattern: re.Pattern[str], said: str, denied: list[tuple[int, int]]) -> bool:
    """Whether a match begins outside all denials; "no change" begins with one and counts."""
    return any(not any(start < match.start() < end for start, end in denied) for match in pattern.finditer(said))
