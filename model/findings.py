"""Report text -> structured findings, by rules.

Used by the guardrails (comparison without a prior, sides that contradict each other) and by evaluation, so that what is
measured is what a reader would read. Sentences are cut into clauses; negation reaches forward within a sentence
("no effusion or pneumothorax"), side, zone and size are looked for in the finding's own clause first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from model.report_text import SectionName, sentences

Condition = Literal[
    "cardiomegaly", "edema", "effusion", "pneumothorax", "consolidation", "atelectasis", "tube", "line", "pacemaker"
]
Presence = Literal["present", "absent", "uncertain"]
Side = Literal["right", "left", "bilateral"]
Zone = Literal["upper", "mid", "lower"]
Change = Literal["new", "worse", "improved", "resolved", "stable"]

CHANGES: tuple[Change, ...] = ("new", "worse", "improved", "resolved", "stable")
UNSIDED: frozenset[Condition] = frozenset({"cardiomegaly", "edema", "tube"})


@dataclass(frozen=True)
class Finding:
    """One statement about one condition; None where the text does not say."""

    condition: Condition
    presence: Presence
    side: Side | None
    zone: Zone | None
    size: str | None
    change: Change | None
    section: SectionName
    sentence: str


_CONDITIONS: dict[Condition, re.Pattern[str]] = {
    name: re.compile(pattern)  # type: ignore[misc]
    for name, pattern in {
        "cardiomegaly": r"cardiomegaly|(?:heart|cardiac|cardiomediastinal)\b[^,;]*",
        "edema": r"\bo?edema\b|vascular congestion",
        "effusion": r"\beffusions?\b|pleural fluid",
        "pneumothorax": r"\bpneumothora(?:x|ces)\b",
        "consolidation": r"\bconsolidations?\b|\bpneumonia\b",
        "atelectasis": r"\batelecta(?:sis|ses|tic)\b",
        "tube": r"endotracheal tube|\bet tube\b|\bett\b|\bintubated\b",
        "line": r"central (?:venous )?(?:line|catheter)|\bpicc\b|\bport-?a-?cath\b",
        "pacemaker": r"\bpacemaker\b|\bpacer\b",
    }.items()
}
_HEART_LARGE = re.compile(r"cardiomegaly|enlarged|prominent")
_HEART_NORMAL = re.compile(r"normal|unremarkable|not enlarged|within limits|\bno\b")
_NEGATION = re.compile(
    r"\bno\b(?! (?:interval |significant )?change)|\bwithout\b(?! (?:\w+ )?change)|\bnone\b|\babsent\b|\bclear of\b|"
    r"\bfree of\b|\bnegative for\b|\bnot (?:seen|present|identified)\b|\bexcluded\b"
)
_AFTER_NEGATION = re.compile(r"\bnone\b|\babsent\b|\bnot (?:seen|present|identified)\b|\bexcluded\b")
_NEGATION_END = re.compile(r"\b(?:but|however|although|except)\b")
_UNCERTAIN = re.compile(
    r"\b(?:possible|possibly|probable|probably|suspected|suspicious|questionable|equivocal|may|might|"
    r"cannot be excluded|cannot exclude|not excluded)\b"
)
_CHANGE_WORDS: dict[Change, re.Pattern[str]] = {
    "resolved": re.compile(r"\bresolved\b|\bresolution\b|\bno longer\b|\bremoved\b|\bcleared\b"),
    "worse": re.compile(r"\bworse(?:ned|ning)?\b|\bincreas(?:ed|ing|e)\b|\blarger\b|\bprogress(?:ed|ion|ing)\b"),
    "improved": re.compile(
        r"\bimprov(?:ed|ing|ement)\b|\bdecreas(?:ed|ing|e)\b|\bsmaller\b|\bregress(?:ed|ion)\b|\breduced\b"
    ),
    "stable": re.compile(r"\bstable\b|\bunchanged\b|\bpersist(?:s|ent|ing)\b|\b(?:no|without) (?:\w+ )?change\b"),
    "new": re.compile(r"\bnew(?:ly)?\b|\bdevelopment of\b|\bhas developed\b"),
}
_COMPARISON = re.compile(
    r"\bcompar(?:ed|ison|e)\b|\bprior\b|\bprevious(?:ly)?\b|\bearlier\b|\binterval\b|\bsince\b|\bchanges?\b|\bagain\b|"
    + "|".join(pattern.pattern for pattern in _CHANGE_WORDS.values())
)
_SIDE = re.compile(r"\b(right|left|bilateral(?:ly)?|both)\b")
_ZONE = re.compile(r"\b(upper|mid|middle|lower|apical|basal|base)\b")
_SIZE = re.compile(r"\b(trace|tiny|small|mild|minimal|moderate|large|severe|marked)\b")
_CLAUSE = re.compile(r",|;|\band\b|\bwith\b|\bbut\b")
_ZONES: dict[str, Zone] = {
    "upper": "upper",
    "apical": "upper",
    "mid": "mid",
    "middle": "mid",
    "lower": "lower",
    "basal": "lower",
    "base": "lower",
}


def is_comparison(sentence: str) -> bool:
    """Whether the sentence speaks of an earlier state ("unchanged", "new", "compared with ...")."""
    return bool(_COMPARISON.search(sentence.lower()))


def _change(lowered: str) -> Change | None:
    return next((word for word, pattern in _CHANGE_WORDS.items() if pattern.search(lowered)), None)


def _negated(lowered: str, start: int, end: int) -> bool:
    for trigger in _NEGATION.finditer(lowered, 0, start):
        if not _NEGATION_END.search(lowered, trigger.end(), start):
            return True
    return bool(_AFTER_NEGATION.search(lowered, end))


def _presence(condition: Condition, lowered: str, match: re.Match[str], change: Change | None) -> Presence | None:
    if change == "resolved":
        return "absent"
    if condition == "cardiomegaly" and match.group() != "cardiomegaly":
        if _HEART_LARGE.search(match.group()) or re.search(r"\benlarged (?:heart|cardiac)", lowered):
            return "absent" if _NEGATION.search(lowered) or "not enlarged" in lowered else "present"
        return "absent" if _HEART_NORMAL.search(lowered) else None
    if _UNCERTAIN.search(lowered):
        return "uncertain"
    return "absent" if _negated(lowered, match.start(), match.end()) else "present"


def _clause(lowered: str, match: re.Match[str]) -> str:
    """The part of the sentence between the separators around the finding."""
    start, end = 0, len(lowered)
    for cut in _CLAUSE.finditer(lowered):
        if cut.end() <= match.start():
            start = cut.end()
        elif cut.start() >= match.end():
            end = cut.start()
            break
    return lowered[start:end]


def _word(pattern: re.Pattern[str], clause: str, lowered: str) -> str | None:
    found = pattern.search(clause) or pattern.search(lowered)
    return found.group(1) if found else None


def _side(condition: Condition, clause: str, lowered: str) -> Side | None:
    word = None if condition in UNSIDED else _word(_SIDE, clause, lowered)
    if word in ("right", "left"):
        return "right" if word == "right" else "left"
    return "bilateral" if word else None


def _read_sentence(section: SectionName, sentence: str) -> Iterator[Finding]:
    lowered = sentence.lower()
    change = _change(lowered)
    for condition, pattern in _CONDITIONS.items():
        match = pattern.search(lowered)
        presence = _presence(condition, lowered, match, change) if match else None
        if match is None or presence is None:
            continue
        clause = _clause(lowered, match)
        zone = _word(_ZONE, clause, lowered) if condition == "consolidation" else None
        yield Finding(
            condition,
            presence,
            _side(condition, clause, lowered),
            _ZONES[zone] if zone else None,
            _word(_SIZE, clause, clause),
            change,
            section,
            sentence,
        )


def read_findings(text: str) -> tuple[Finding, ...]:
    """All statements of findings and impression in order; at most one per condition and sentence."""
    return tuple(
        finding
        for span in sentences(text)
        if span.section != "other"
        for finding in _read_sentence(span.section, span.text)
    )


def sides(finding: Finding) -> tuple[Side | None, ...]:
    """The single sides a statement speaks of: bilateral counts as right and left."""
    return ("right", "left") if finding.side == "bilateral" else (finding.side,)


def present(text: str) -> set[tuple[Condition, Side | None]]:
    """Condition and side of everything the text states as present, in any section."""
    return {
        (found.condition, side) for found in read_findings(text) if found.presence == "present" for side in sides(found)
    }


def changes(text: str) -> set[tuple[Condition, Side | None, Zone | None, Change]]:
    """Every stated change against the prior, with side and (of a consolidation) zone."""
    return {
        (found.condition, side, found.zone, found.change)
        for found in read_findings(text)
        if found.change
        for side in sides(found)
    }


def side_contradictions(text: str) -> list[tuple[Finding, Finding]]:
    """Pairs (findings, impression) in which the impression puts a condition on a side the findings deny or do not name.

    A statement without a side contradicts nothing.
    """
    read = read_findings(text)
    pairs = []
    for claim in read:
        if claim.section != "impression" or claim.presence != "present" or claim.side is None:
            continue
        same = [
            f for f in read if f.section == "findings" and f.condition == claim.condition and f.presence == "present"
        ]
        told = {side for f in same for side in sides(f)}
        if same and None not in told and not set(sides(claim)) <= told:
            pairs.append((same[0], claim))
    return pairs
