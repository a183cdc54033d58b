"""One signed report beside its draft, in counts. Pure: the same texts and decisions always give the same figures.

Classes are the conditions of `model.findings`. A sentence that states several findings is counted once in the class of
each, one that states none in the class "none".
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from app.domain.report import Decision
from model.findings import Finding, read_findings
from model.report_text import sentences

NONE = "none"
KEPT = (Decision.ACCEPTED, Decision.EDITED)
SENTENCES_REMEMBERED = 1 << 15
"""Drafts repeat themselves: most sentences are read once in the life of a process."""
Stated = tuple[str, str]
"""Condition and side of a finding that is present or uncertain; side "" where the text names none."""


@dataclass(frozen=True, slots=True)
class SignedText:
    """What the record holds of one signed report. drafted, decided: the rows of `Draft.sentences`, `Report.sentences`.

    drafted is None for a report that was written from nothing.
    """

    findings: str
    impression: str
    drafted: Sequence[Mapping[str, Any]] | None
    decided: Sequence[Mapping[str, Any]]


@dataclass(slots=True)
class Figures:
    """Counts that can be added up. Keys are (class or flag code, decision), or the class alone.

    flagged: draft sentences with at least one flag. unchanged, reworded, deleted: draft sentences; added: sentences of
    the signed text that come from none of the draft's. both, only_draft, only_signed: findings by class.
    """

    with_draft: int = 0
    flagged: int = 0
    unchanged: int = 0
    reworded: int = 0
    deleted: int = 0
    added: int = 0
    decisions: Counter[Decision] = field(default_factory=Counter)
    by_class: Counter[tuple[str, Decision]] = field(default_factory=Counter)
    by_flag: Counter[tuple[str, Decision]] = field(default_factory=Counter)
    both: Counter[str] = field(default_factory=Counter)
    only_draft: Counter[str] = field(default_factory=Counter)
    only_signed: Counter[str] = field(default_factory=Counter)

    def add(self, other: Figures) -> None:
        """Count the other's in."""
        for name in ("with_draft", "flagged", "unchanged", "reworded", "deleted", "added"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("decisions", "by_class", "by_flag", "both", "only_draft", "only_signed"):
            getattr(self, name).update(getattr(other, name))


@lru_cache(SENTENCES_REMEMBERED)
def _read(sentence: str) -> tuple[Finding, ...]:
    return read_findings(sentence)


def classes(sentence: str) -> tuple[str, ...]:
    """The conditions that the sentence speaks of, present or not, each once; ("none",) where it states no finding."""
    return tuple(dict.fromkeys(finding.condition for finding in _read(sentence))) or (NONE,)


def stated(texts: Iterable[str]) -> set[Stated]:
    """The findings that are present or uncertain in any of the sentences. A denial is the lack of a finding."""
    return {
        (finding.condition, finding.side or "")
        for text in texts
        for finding in _read(text)
        if finding.presence != "absent"
    }


def figures(report: SignedText) -> Figures:
    """Of one report. Without a draft only its decisions, which are all "added"."""
    found = Figures()
    drafted = {int(row["index"]): row for row in report.drafted or ()}
    decided = {int(row["index"]): row for row in report.decided}
    for index in sorted(drafted.keys() | decided.keys()):
        _count_decision(found, drafted.get(index), decided.get(index))
    if report.drafted is not None:
        found.with_draft = 1
        _count_sentences(found, report, decided)
        _count_findings(found, report)
    return found


def _count_decision(found: Figures, drafted: Mapping[str, Any] | None, decided: Mapping[str, Any] | None) -> None:
    """A draft sentence is classed by its draft's wording, an added one by its own."""
    decision = Decision(decided["decision"]) if decided else Decision.PENDING
    text = str((drafted or decided or {})["text"])
    found.decisions[decision] += 1
    for name in classes(text):
        found.by_class[name, decision] += 1
    codes = {str(flag["code"]) for flag in drafted["flags"]} if drafted else set()
    found.flagged += bool(codes)
    for code in codes:
        found.by_flag[code, decision] += 1


def _count_sentences(found: Figures, report: SignedText, decided: Mapping[int, Mapping[str, Any]]) -> None:
    """The text tells, not the decision alone: an edit that changed nothing is unchanged."""
    rest = f"{_squeezed(report.findings)}\n{_squeezed(report.impression)}"
    texts = {int(row["index"]): _squeezed(row["text"]) for row in report.drafted or ()}
    standing = {
        index: _squeezed(row["text"])
        for index, row in decided.items()
        if index in texts and Decision(row["decision"]) in KEPT
    }
    for index in sorted(standing, key=lambda at: (-len(standing[at]), at)):
        rest = rest.replace(standing[index], "\n", 1)
    for index, text in texts.items():
        if index not in standing:
            found.deleted += 1
        elif standing[index] == text:
            found.unchanged += 1
        else:
            found.reworded += 1
    found.added = sum(len(sentences(piece)) for piece in rest.split("\n"))


def _squeezed(text: str) -> str:
    return " ".join(text.split())


def _count_findings(found: Figures, report: SignedText) -> None:
    drafted = stated(str(row["text"]) for row in report.drafted or ())
    spans = [*sentences(report.findings), *sentences(report.impression)]
    signed = stated(span.text for span in spans if span.section != "other")
    found.both.update(name for name, _ in sorted(drafted & signed))
    found.only_draft.update(name for name, _ in sorted(drafted - signed))
    found.only_signed.update(name for name, _ in sorted(signed - drafted))


def median(seconds: Sequence[float]) -> float | None:
    """The middle one, the mean of the two middle ones, or None of none."""
    return statistics.median(seconds) if seconds else None


def p90(seconds: Sequence[float]) -> float | None:
    """The smallest that nine tenths do not exceed (nearest rank), or None of none."""
    return sorted(seconds)[math.ceil(0.9 * len(seconds)) - 1] if seconds else None
