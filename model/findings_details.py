"""Where a mentioned finding is, how large, and what became of it since the prior.

Each is looked for in the mention's own clause first. Beyond it counts only what is said of nothing else: a clause
without another finding, or the end of a sentence that speaks of all its findings ("A and B have increased").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from model.findings_context import Mention
from model.findings_record import UNSIDED, Change, Condition, Severity, Side, Zone

CHANGE_WORDS: dict[Change, re.Pattern[str]] = {
    "resolved": re.compile(r"\bresolved\b|\bresolution\b|\bno longer\b|\bremoved\b|\bcleared\b"),
    "worse": re.compile(r"\bworse(?:ned|ning)?\b|\bincreas(?:ed|ing|e)\b|\blarger\b|\bprogress(?:ed|ion|ing)\b"),
    "improved": re.compile(
        r"\bimprov(?:ed|ing|ement)\b|\bdecreas(?:ed|ing|e)\b|\bsmaller\b|\bregress(?:ed|ion)\b|\breduced\b"
    ),
    "stable": re.compile(r"\bstable\b|\bunchanged\b|\bpersist(?:s|ent|ing)\b|\b(?:no|without) (?:\w+ )?change\b"),
    "new": re.compile(r"\bnew(?:ly)?\b|\bdevelopment of\b|\bhas developed\b"),
}
_DENIED_CHANGE = re.compile(r"\b(?:no|without|not) (?:\w+ )?(?:new(?:ly)?|(?:in|de)creas\w+|larger|smaller|worse\w*)\b")
_CUT = re.compile(
    r",|;|\bwith\b|\bbut\b|"
    r"(?<!\bright )(?<!\bleft )(?<!\bupper )(?<!\blower )(?<!\bmiddle )\band\b(?! (?:right|left)[ -](?:greater|worse))"
)
_BOTH = re.compile(
    r"\b(?:bilateral(?:ly)?|both|bibasil?ar|bibasal|biapical|right and left|left and right|"
    r"(?:right|left)(?: side)? (?:greater|more|worse|larger|smaller|less) than(?: the)? (?:right|left)|"
    r"(?:right|left) (?:more|worse|greater) (?:right|left))\b"
)
_SIDE = re.compile(r"\b(?:(right)|(left|lingula\w*))\b")
_ZONE = re.compile(
    r"\b(?:(?P<upper>upper|apical|apex|apices|biapical)|(?P<mid>mid|middle|midlung|perihilar)|"
    r"(?P<lower>lower|basal|base|bases|basilar|bibasilar|bibasal|costophrenic|retrocardiac))\b"
)
_ZONED: frozenset[Condition] = frozenset(
    {"lung lesion", "calcified nodule", "lung opacity", "consolidation", "pneumonia", "atelectasis", "pneumothorax"}
)
_SIZE = re.compile(
    r"\b(trace|tiny|small|minimal|mild|slight|moderate|large|severe|marked|massive|extensive)(?:ly|-sized)?\b"
)
_SEVERITY: dict[str, Severity] = {
    **dict.fromkeys(("trace", "tiny", "small", "minimal", "mild", "slight"), "mild"),
    "moderate": "moderate",
    **dict.fromkeys(("large", "severe", "marked", "massive", "extensive"), "severe"),
}
_MEASURE = re.compile(r"\b(\d{1,4}(?:\.\d{1,3})?) ?(cm|mm|centimeters?|millimeters?)\b")


class Details:
    """Reads one lower-case sentence with all its mentions, in order of place."""

    def __init__(self, text: str, mentions: Sequence[Mention]) -> None:
        self._text = text
        cuts = [(match.start(), match.end()) for match in _CUT.finditer(text)]
        edges = [(0, 0), *cuts, (len(text), len(text))]
        self._clauses = [(left[1], right[0]) for left, right in pairwise(edges)]
        # Each clause, and where the last finding in it ends (its start where there is none).
        self._rests = [
            (start, end, max([start, *(one.end for one in mentions if start <= one.start < end)]))
            for start, end in self._clauses
        ]
        self._changes: dict[str, Change | None] = {}

    def change(self, mention: Mention) -> Change | None:
        """The first word of change, in the order of CHANGE_WORDS."""
        return next((word for part in self._parts(mention) if (word := self._changed(part))), None)

    def side(self, mention: Mention) -> Side | None:
        """None where the condition has no side, or none is named."""
        if mention.condition in UNSIDED:
            return None
        start, _ = self._clause(mention)
        for index, part in enumerate(self._parts(mention)):
            if found := _side(part, mention.start - start if index == 0 else 0):
                return found
        return None

    def zone(self, mention: Mention) -> Zone | None:
        """Upper, mid or lower, of findings in the lung and a pneumothorax."""
        if mention.condition not in _ZONED:
            return None
        found = next((match for part in self._parts(mention) if (match := _ZONE.search(part))), None)
        return str(found.lastgroup) if found else None  # type: ignore[return-value]

    def size(self, mention: Mention) -> tuple[str | None, Severity | None, float | None]:
        """The word, its step, and the largest measurement in mm; all of the mention's own clause."""
        start, end = self._clause(mention)
        measures = [
            float(figure) * (10 if unit.startswith("c") else 1)
            for figure, unit in _MEASURE.findall(self._text[start:end])
        ]
        largest = max(measures, default=None)
        found = _SIZE.search(self._text, start, end)
        return (found.group(1), _SEVERITY[found.group(1)], largest) if found else (None, None, largest)

    def _changed(self, part: str) -> Change | None:
        if part not in self._changes:
            self._changes[part] = _change(part)
        return self._changes[part]

    def _clause(self, mention: Mention) -> tuple[int, int]:
        inside = [index for index, (start, _) in enumerate(self._clauses) if start <= mention.start]
        return self._clauses[inside[-1]]

    def _parts(self, mention: Mention) -> Iterator[str]:
        """The own clause; then of the others what speaks of no other finding."""
        own = self._clause(mention)
        yield self._text[own[0] : own[1]]
        for start, end, told in self._rests:
            if (start, end) != own and (told == start or start > mention.start) and told < end:
                yield self._text[told:end]


def _change(part: str) -> Change | None:
    said = _DENIED_CHANGE.sub(" ", part)
    return next((word for word, pattern in CHANGE_WORDS.items() if pattern.search(said)), None)


def _side(part: str, at: int) -> Side | None:
    """Both, else the side named nearest before the mention, else the first after it."""
    if _BOTH.search(part):
        return "bilateral"
    named = list(_SIDE.finditer(part))
    if not named:
        return None
    before = [match for match in named if match.start() <= at]
    return "right" if (before[-1] if before else named[0]).group(1) else "left"
