"""Where a mentioned finding is, how large, and what became of it since the prior.

Each is looked for in the mention's own clause first. Beyond it counts only what is said of nothing else: a clause
without another finding, or the end of a sentence that speaks of all its findings ("A and B have increased"). A clause
that joins two sides ("small right and large left effusions") makes two statements.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from model.findings_change import change_in
from model.findings_context import Mention
from model.findings_record import UNSIDED, Change, Condition, Severity, Side, Zone

_HARD_CUT = re.compile(r",|;|\bwith\b|\bbut\b")
_AND = re.compile(r"\band\b(?! (?:right|left)[ -](?:greater|worse))")
_JOINS_PLACES = re.compile(r"\b(?:right|left|upper|lower|middle) $")
_LEVEL = r"(?:upper|lower|middle|mid|basal|basilar|apical|perihilar)"
_SPOT = (
    rf"(?P<{{0}}>right|left)(?:[ -]sided| side)?"
    rf"(?:[ -]{_LEVEL}(?: (?:lung )?(?:lobe|zone|lung|field)s?)?| (?:lung )?(?:bas[ei]s?|apex|apices|midlung|hilum)"
    r"| lungs?| hemithorax(?:es)?| pleural)?"
)
_SPOT_AT_END = re.compile(r"\b" + _SPOT.format("first") + " $")
_SPOT_AFTER = re.compile(r" (?:[\w.-]{1,20} ){0,5}?" + _SPOT.format("second") + r"\b")
_HEALTHY = re.compile(r"\b(?:clear|normal|unremarkable|no|none|not|without)\b")
# "deviated to the right", "sutures in the right upper lobe": the place of something else.
_PLACED = re.compile(r"\b(to|towards?|on|in|at|of|over|from) (?:the )?$")
_DIRECTLY = re.compile(r" (?:(?:in|at|on|of) )?(?:the )?(?:right|left)\b")
_BOTH = re.compile(
    r"\b(?:bilateral(?:ly)?|both|bibasil?ar|bibasal|biapical|"
    r"right(?:[ -]sided| side)? and left|left(?:[ -]sided| side)? and right|"
    r"(?:right and (?:(?:on|in|at) )?the left|left and (?:(?:on|in|at) )?the right)(?: side)?(?=\W*$)|"
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
_SIZES = "trace|tiny|small|minimal|mild|slight|moderate|large|severe|marked|massive|extensive"
_SIZE = re.compile(rf"\b({_SIZES})(?:ly|-sized)?\b")
# What may stand between "and" and the other side of a finding named before: "and 8 mm in the left lower lobe".
_QUALIFIED = (
    rf"(?:{_SIZES}|\d[\w.-]{{0,9}}|[cm]m|an?|the|in|on|at|of|to|also|new|larger|smaller|more|less|lesser|greater|extent|"
    r"degree|possibly|probably|likely|perhaps|questionably)"
)
_SPOT_ALONE = re.compile(rf" (?:{_QUALIFIED} ){{0,6}}?" + _SPOT.format("second") + r"\W*")
_SEVERITY: dict[str, Severity] = {
    **dict.fromkeys(("trace", "tiny", "small", "minimal", "mild", "slight"), "mild"),
    "moderate": "moderate",
    **dict.fromkeys(("large", "severe", "marked", "massive", "extensive"), "severe"),
}
_FIGURE = r"\d{1,4}(?:\.\d{1,3})?"
# "1.5 cm", "15-mm", "4 x 3 cm"
_MEASURE = re.compile(
    rf"\b(?P<figures>(?:{_FIGURE} ?(?:[x×]|by) ?){{0,2}}{_FIGURE})[ -]?(?P<unit>cm|mm|centimeters?|millimeters?)\b"
)


@dataclass(frozen=True, slots=True)
class Statement:
    """What is said of one mention on one side; the fields are those of a Finding.

    at: where its side stands, if apart from the mention ("small right and no left effusion": of the right one the
    denial says nothing). is_change_shared: the change is said of another finding as well, which stands nearer to it
    ("A and B have increased"), so of one that is denied it says nothing.
    """

    side: Side | None
    zone: Zone | None
    size: str | None
    severity: Severity | None
    size_mm: float | None
    change: Change | None
    is_change_shared: bool = False
    at: int | None = None


class Details:
    """Reads one lower-case sentence with all its mentions, in order of place."""

    def __init__(self, text: str, mentions: Sequence[Mention]) -> None:
        self._text = text
        self._starts = [one.start for one in mentions]
        cuts, self._pairs = self._edges()
        edges = [(0, 0), *cuts, (len(text), len(text))]
        self._clauses = [(left[1], right[0]) for left, right in pairwise(edges)]
        # Each clause, and where the last finding in it ends (its start where there is none).
        self._rests = [
            (start, end, max([start, *(one.end for one in mentions if start <= one.start < end)]))
            for start, end in self._clauses
        ]
        self._changes: dict[str, Change | None] = {}

    def statements(self, mention: Mention) -> list[Statement]:
        """One; of a clause that joins two sides one for each, with its own size, zone and change."""
        start, end = self._clause(mention)
        joints = [joint for joint in self._pairs if start <= joint[0] < end]
        if not joints or mention.condition in UNSIDED or _BOTH.search(self._text, start, end):
            size = self._size(start, end)
            return [Statement(self._side(mention), self._zone(mention), *size, *self._change(mention))]
        edges = [(start, start), *joints, (end, end)]
        return self._by_side(mention, [(left[1], right[0]) for left, right in pairwise(edges)])

    def _edges(self) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Where clauses end, and each "and" inside a clause that joins one side with the other."""
        hard = [match.span() for match in _HARD_CUT.finditer(self._text)]
        cuts, pairs = list(hard), []
        joins = [match.span() for match in _AND.finditer(self._text)]
        stops = sorted([*(start for start, _ in (*hard, *joins)), len(self._text)])
        begin = 0
        for start, end in joins:
            begin = max([begin, *(stop for _, stop in hard if stop <= start)])
            until = next(stop for stop in stops if stop >= end)
            if self._joins_sides(begin, (start, end), until):
                pairs.append((start, end))
            elif (
                not _JOINS_PLACES.search(self._text, begin, start)
                or self._names_another(end, until)
                or self._begins_anew(begin, (start, end), until)
            ):
                cuts.append((start, end))
                begin = end
        return sorted(cuts), pairs

    def _joins_sides(self, begin: int, joint: tuple[int, int], until: int) -> bool:
        """Whether an "and" does: "small right and large left effusions", "opacity in the right base and left apex"."""
        left, right = self._text[begin : joint[0]], self._text[joint[1] : until]
        first, second = _SPOT_AT_END.search(left), _SPOT_AFTER.match(right)
        if not first or not second or first["first"] == second["second"]:
            return False
        if self._named(joint[1], joint[1] + second.start("second")):
            return False
        if self._named(joint[1], until):
            other = self._named(begin, joint[0]) or _HEALTHY.search(left) or _is_elsewhere(left, first, right, second)
            return not other
        return self._named(begin, joint[0]) and bool(_SPOT_ALONE.fullmatch(right)) and not _HEALTHY.search(right)

    def _begins_anew(self, begin: int, joint: tuple[int, int], until: int) -> bool:
        """The first side is the place of something else: "shift to the right and a large left pneumothorax"."""
        left, right = self._text[begin : joint[0]], self._text[joint[1] : until]
        first, second = _SPOT_AT_END.search(left), _SPOT_AFTER.match(right)
        if not first or not second or _DIRECTLY.match(right) or self._named(begin, joint[0]):
            return False
        return _is_elsewhere(left, first, right, second)

    def _names_another(self, start: int, end: int) -> bool:
        """Another finding stands before the other side: "… on the right and atelectasis on the left"."""
        second = _SPOT_AFTER.match(self._text[start:end])
        return second is not None and self._named(start, start + second.start("second"))

    def _named(self, start: int, end: int) -> bool:
        return any(start <= one < end for one in self._starts)

    def _by_side(self, mention: Mention, pieces: list[tuple[int, int]]) -> list[Statement]:
        rest = self._text[mention.end : next(end for start, end in pieces if start <= mention.start < end)]
        told: list[Statement] = []
        for start, end in pieces:
            piece = self._text[start:end]
            size, severity, size_mm = self._size(start, end)
            change = self._changed(piece)
            if told and _DIRECTLY.match(piece):  # "new moderate right upper and left lower lobe opacities"
                size, severity = (size, severity) if size else (told[-1].size, told[-1].severity)
                change = change or told[-1].change
            change = change or self._changed(rest)
            shared, is_shared = (change, False) if change else self._change_beyond(mention)
            at = None if start <= mention.start < end else _place_of_side(piece, start, before=end <= mention.start)
            zone = _ZONE.search(piece) or (_ZONE.search(rest) if end <= mention.start else None)
            told.append(
                Statement(
                    _side(piece, len(piece)), _zone(mention, zone), size, severity, size_mm, shared, is_shared, at
                )
            )
        return told

    def _change(self, mention: Mention) -> tuple[Change | None, bool]:
        own = self._changed(self._text[slice(*self._clause(mention))])
        return (own, False) if own else self._change_beyond(mention)

    def _change_beyond(self, mention: Mention) -> tuple[Change | None, bool]:
        """Outside the own clause, and whether another finding stands before it there."""
        for part, is_shared in self._others(mention):
            if word := self._changed(part):
                return word, is_shared
        return None, False

    def _side(self, mention: Mention) -> Side | None:
        """None where the condition has no side, or none is named."""
        if mention.condition in UNSIDED:
            return None
        start, _ = self._clause(mention)
        for index, part in enumerate(self._parts(mention)):
            if found := _side(part, mention.start - start if index == 0 else 0):
                return found
        return None

    def _zone(self, mention: Mention) -> Zone | None:
        if mention.condition not in _ZONED:
            return None
        return _zone(mention, next((match for part in self._parts(mention) if (match := _ZONE.search(part))), None))

    def _size(self, start: int, end: int) -> tuple[str | None, Severity | None, float | None]:
        """The word, its step, and the largest measurement in mm, between two places."""
        measures = [
            float(figure) * (10 if match["unit"].startswith("c") else 1)
            for match in _MEASURE.finditer(self._text, start, end)
            for figure in re.findall(_FIGURE, match["figures"])
        ]
        largest = max(measures, default=None)
        found = _SIZE.search(self._text, start, end)
        return (found.group(1), _SEVERITY[found.group(1)], largest) if found else (None, None, largest)

    def _changed(self, part: str) -> Change | None:
        if part not in self._changes:
            self._changes[part] = change_in(part)
        return self._changes[part]

    def _clause(self, mention: Mention) -> tuple[int, int]:
        inside = [index for index, (start, _) in enumerate(self._clauses) if start <= mention.start]
        return self._clauses[inside[-1]]

    def _parts(self, mention: Mention) -> Iterator[str]:
        """The own clause; then of the others what speaks of no other finding."""
        start, end = self._clause(mention)
        yield self._text[start:end]
        yield from (part for part, _ in self._others(mention))

    def _others(self, mention: Mention) -> Iterator[tuple[str, bool]]:
        own = self._clause(mention)
        for start, end, told in self._rests:
            if (start, end) != own and (told == start or start > mention.start) and told < end:
                yield self._text[told:end], told > start


def _is_elsewhere(left: str, first: re.Match[str], right: str, second: re.Match[str]) -> bool:
    """Whether the first side has a preposition that the second lacks ("increase in right and decrease in left")."""
    placed = _PLACED.search(left[: first.start()])
    again = _PLACED.search(right[: second.start("second")])
    return placed is not None and (again is None or again[1] != placed[1])


def _place_of_side(piece: str, start: int, *, before: bool) -> int:
    named = [match.start() for match in _SIDE.finditer(piece)]
    return start + (named[-1] if before else named[0]) if named else start


def _zone(mention: Mention, found: re.Match[str] | None) -> Zone | None:
    """Upper, mid or lower, of findings in the lung and a pneumothorax."""
    return str(found.lastgroup) if found and mention.condition in _ZONED else None  # type: ignore[return-value]


def _side(part: str, at: int) -> Side | None:
    """Both, else the side named nearest before the mention, else the first after it."""
    if _BOTH.search(part):
        return "bilateral"
    named = list(_SIDE.finditer(part))
    if not named:
        return None
    before = [match for match in named if match.start() <= at]
    return "right" if (before[-1] if before else named[0]).group(1) else "left"
