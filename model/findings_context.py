"""Is a mentioned finding stated, denied or doubted? ConText's rules over trigger phrases.

A trigger reaches forward or backward within its sentence until a word that ends it ("but", "there is"); adjectives
reach to the end of their clause. Source of the rules: Harkema et al., J Biomed Inform 2009 (ConText); of the phrases:
model/phrases/README.md. Order of precedence: doubt ("cannot exclude"), denial, possibility, likelihood.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from model.findings_lexicon import lexicon
from model.findings_record import Condition, Hedge, Presence

Reach = Literal["forward", "backward", "adjective"]
Verdict = tuple[Presence, Hedge | None] | None
"""None: the sentence names the condition and states nothing of the patient's film ("history of pneumonia")."""

_CLAUSE_END = re.compile(r"[,;]|\b(?:and|with|but)\b")
# "with" begins a new statement unless it belongs to "consistent with" and its like.
_WITH = re.compile(r";|(?<!consistent )(?<!compatible )(?<!associated )(?<!keeping )\bwith\b(?! evidence)")
# Begins a new statement: "no pneumothorax, and the effusion is unchanged", "on the right and none on the left".
_FRESH = re.compile(
    r",(?: and)? (?:stable|unchanged|persistent|again|chronic|old|mild|minimal|status|bilateral)\b"
    r"|, and (?:the|an?)\b| and (?:no|none)\b"
    r"| and the (?:[\w-]{1,20} ){1,4}(?:is|are|was|were|has|have|remains?)\b"
)
_ALTERNATIVE = r"(?:\b(?:or|versus|vs|and/or)\b\.?|/)"
_ALTERNATIVE_AFTER = re.compile(rf"\w*(?: [\w-]{{1,20}}){{0,2}},? ?{_ALTERNATIVE}")
_ALTERNATIVE_BEFORE = re.compile(rf"{_ALTERNATIVE} ?(?:[\w-]{{1,20}} ){{0,3}}$")
# Suggests edema and no more (CheXpert labeler, post_negation_uncertainty.txt).
_WEAK = re.compile(r"congestion|indistinctness|vascular prominence")
_LOOK = 60  # characters beside a mention in which its alternative stands


@dataclass(frozen=True, slots=True)
class Mention:
    """A condition named at [start:end] of a lower-case sentence."""

    condition: Condition
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Trigger:
    meaning: str
    reach: Reach
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Context:
    """What surrounds the mentions of one sentence."""

    text: str
    triggers: tuple[_Trigger, ...]
    ends: tuple[int, ...]


def mentions(text: str) -> list[Mention]:
    """Every condition the lower-case sentence names, in order of place."""
    found = []
    for condition, pattern in lexicon().mentions.items():
        here = [Mention(condition, *match.span()) for match in pattern.finditer(text)]
        found += _kept(text, condition, here) if here else []
    return sorted(found, key=lambda one: (one.start, one.end))


def _kept(text: str, condition: Condition, found: list[Mention]) -> list[Mention]:
    pattern = lexicon().unmentions.get(condition)
    spans = [match.span() for match in pattern.finditer(text)] if pattern else []
    return [one for one in found if not any(start <= one.start < end for start, end in spans)]


def context(text: str) -> Context:
    """Read the triggers of a lower-case sentence once, for all its mentions."""
    triggers, ends = [], [match.start() for pattern in (_WITH, _FRESH) for match in pattern.finditer(text)]
    for match in lexicon().triggers.finditer(text):
        meaning, _, reach = str(match.lastgroup).partition("_")
        if meaning == "end":
            ends.append(match.start())
        elif reach:  # "no change" has none: it only keeps "no" from being read
            triggers.append(_Trigger(meaning, reach, *match.span()))  # type: ignore[arg-type]
    return Context(text, tuple(triggers), tuple(sorted(ends)))


def verdict(mention: Mention, around: Context) -> Verdict:
    """Presence and hedge of one mention."""
    meanings = {trigger.meaning for trigger in _reaching(mention, around)}
    if "unsaid" in meanings:
        return None
    if "doubt" in meanings:
        return "uncertain", "possible"
    if "absent" in meanings:
        return "absent", None
    if "possible" in meanings or _WEAK.search(around.text, mention.start, mention.end):
        return "uncertain", "possible"
    if "likely" in meanings or _has_alternative(mention, around.text):
        return "uncertain", "likely"
    return "present", None


def said_at(place: int, mention: Mention, around: Context, said: tuple[Presence, Hedge | None]) -> Verdict:
    """`said` of a mention, or where a trigger stands between it and its other side, what is said at that place."""
    start, end = (place, mention.start) if place < mention.start else (mention.end, place)
    if any(start <= trigger.start < end for trigger in around.triggers):
        return verdict(Mention(mention.condition, place, place), around)
    return said


def denied_ahead(mention: Mention, around: Context) -> bool:
    """Whether a denial or a doubt stands before it."""
    return any(one.meaning in {"absent", "doubt"} and one.reach != "backward" for one in _reaching(mention, around))


def _reaching(mention: Mention, around: Context) -> Iterator[_Trigger]:
    for trigger in around.triggers:
        ahead = trigger.reach != "backward"
        start, end = (trigger.end, mention.start) if ahead else (mention.end, trigger.start)
        if start > end or any(start <= stop < end for stop in around.ends):
            continue
        if trigger.reach == "adjective" and _CLAUSE_END.search(around.text, start, end):
            continue
        yield trigger


def _has_alternative(mention: Mention, text: str) -> bool:
    before = text[max(0, mention.start - _LOOK) : mention.start]
    after = text[mention.end : mention.end + _LOOK]
    return bool(_ALTERNATIVE_AFTER.match(after) or _ALTERNATIVE_BEFORE.search(before))


_ORGAN_STATE = re.compile(
    r"\b(?:(?P<normal>normal\w*|unremarkable|within (?:\w+ )?limits|upper limits?|top normal|"
    r"(?:not|no) (?:\w+ )?(?:enlarged|enlargement|prominent|widened)|nonenlarged|non-enlarged|not (?:\w+ )?large|small)"
    r"|(?P<borderline>borderline)"
    r"|(?P<large>(?:enlarge|promin|widen|dilat)\w*|large|increased|accentuated|globular)"
    r"|(?P<steady>stable|unchanged|similar|no (?:\w+ ){0,2}change|not (?:\w+ )?changed|unaltered))\b"
)
_PHRASE_END = re.compile(r"[,;]|\b(?:but|while|although|with|without)\b")


def organ_verdict(mention: Mention, around: Context) -> Verdict:
    """The same for an organ: what its own clause, else a clause after or before, says of its size."""
    state = _state(mention, around.text)
    if state is None:
        return None
    if state.lastgroup == "steady":
        return "uncertain", "unsaid"
    if state.lastgroup == "normal":
        return "absent", None
    if _doubted(mention, state, around):
        return "uncertain", "possible"
    return ("uncertain", "likely") if state.lastgroup == "borderline" else ("present", None)


def _doubted(mention: Mention, state: re.Match[str], around: Context) -> bool:
    """Whether doubt reaches the organ or stands between it and its state ("the heart may be enlarged")."""
    start, end = min(mention.start, state.start()), max(mention.end, state.end())
    doubts = [one for one in around.triggers if one.meaning in {"doubt", "possible"}]
    reaching = {one.meaning for one in _reaching(mention, around)}
    return any(one.meaning in reaching or start <= one.start < end for one in doubts)


def _state(mention: Mention, text: str) -> re.Match[str] | None:
    """The nearest word of size: in the clause, in the clauses that follow, in those before."""
    bounds = [0, *(match.start() for match in _PHRASE_END.finditer(text)), len(text)]
    own = max(index for index, bound in enumerate(bounds[:-1]) if bound <= mention.start)
    inside = list(_ORGAN_STATE.finditer(text, bounds[own], bounds[own + 1]))
    if inside:
        strong = [match for match in inside if match.lastgroup != "steady"]
        return min(strong or inside, key=lambda match: _distance(match, mention))
    before = list(_ORGAN_STATE.finditer(text, 0, bounds[own]))
    return _ORGAN_STATE.search(text, bounds[own + 1]) or (before[-1] if before else None)


def _distance(match: re.Match[str], mention: Mention) -> int:
    """What follows counts as nearer: "mediastinal contour normal, heart enlarged"."""
    return match.start() - mention.end if match.start() >= mention.end else mention.start - match.end() + 5
