"""What a piece of a sentence says became of a finding since the prior: new, worse, improved, resolved or stable."""

from __future__ import annotations

import re

from model.findings_record import Change

_DEGREE = r"(?:pronounced|prominent|conspicuous|extensive|confluent|severe|dense)\b"
# "more prominent on the left" compares sides, not films; so does "larger than the left".
_DEGREE += r"(?! (?:on|in|at|along|over|within|than) (?:the\b|right|left))"
_WORDS: dict[Change, re.Pattern[str]] = {
    "resolved": re.compile(
        r"\bresolved\b|\bresolution\b|\bno longer\b|\bremoved\b|\bcleared\b|\bgone\b(?! (?:up|down)\b)|\bdisappeared\b"
    ),
    "worse": re.compile(
        r"\bworse(?:ned|ning)?\b|\bincreas(?:ed|ing|e)\b|\blarger\b(?! than(?: the)? (?:right|left))|"
        rf"\bprogress(?:ed|ion|ing)\b|\bprogressive(?:ly)?\b(?! massive)|\bmore {_DEGREE}"
    ),
    "improved": re.compile(
        r"\bimprov(?:ed|ing|ement)\b|\bdecreas(?:ed|ing|e)\b|\bsmaller\b(?! than(?: the)? (?:right|left))|"
        rf"\bregress(?:ed|ion)\b|\breduced\b|\bresolving\b|\bless {_DEGREE}"
    ),
    "stable": re.compile(
        r"\bstable\b|\bunchanged\b|\bpersist(?:s|ent|ing)\b|"
        r"\b(?:no|not|without) (?:(?!(?:and|or|is|are|has|have)\b)[\w-]{1,20} ){0,3}changed?\b"
    ),
    "new": re.compile(r"\bnew(?:ly)?\b|\bdevelopment of\b|\bhas developed\b"),
}
_PARTLY = re.compile(
    r"\b(?:partial(?:ly)?|partly|incomplete(?:ly)?|near(?:ly)?|almost|mostly|largely)"
    r"(?:[ -](?:complete(?:ly)?|entire(?:ly)?|total(?:ly)?))? (?:resol(?:ved|ution)|clear(?:ed|ing))\b"
)
# What lies under a denial is not stated. A verb of seeing takes the denial up: "not seen before, now increased".
_DENIED = re.compile(
    r"\b(?:no(?! longer\b)|not(?! only\b)|without|never|neither|nor)\b"
    r"(?:(?! (?:seen|present|visible|identified|noted|visuali[sz]ed|demonstrated|apparent|evident|there (?:is|are)|"
    r"which|while|although|though|however)\b)[^:])*"
)


def change_in(part: str) -> Change | None:
    """The first in the order resolved, worse, improved, stable, new. part: lower-case words of one clause."""
    said = _PARTLY.sub("improved", part)
    denied = [match.span() for match in _DENIED.finditer(said)]
    return next((word for word, pattern in _WORDS.items() if _stated(pattern, said, denied)), None)


def _stated(pattern: re.Pattern[str], said: str, denied: list[tuple[int, int]]) -> bool:
    """Whether a match begins outside all denials; "no change" begins with one and counts."""
    return any(not any(start < match.start() < end for start, end in denied) for match in pattern.finditer(said))
