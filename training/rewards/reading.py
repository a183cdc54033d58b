"""Reports as the rule-based rewards read them: cached findings, words, and what counts as saying nothing.

Everything clinical comes from `model.findings`, the same reader that guards the drafts of the service; a mistake of
that reader is a hole of every reward built on it, which is why none of them should be trained on alone.
Of a reference, findings and impression are the truth. Of a prediction all text counts, whatever heading it stands
under (`claims`, `written`): what nobody reads could be written for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from model.comparison import compares
from model.findings import Finding, read_findings
from model.report_text import Span, sentences

_WORD = re.compile(r"[a-z0-9]+(?:[.'-][a-z0-9]+)*")
# Ranks of severity and size, finer than Finding.severity by the traces. A mild effusion is a small one.
_RANKS = {
    **dict.fromkeys(("trace", "tiny", "minimal", "slight"), 1),
    **dict.fromkeys(("small", "mild"), 2),
    "moderate": 3,
    **dict.fromkeys(("large", "marked", "severe", "massive", "extensive"), 4),
}
TOP_RANK = 4


@lru_cache(maxsize=8192)
def statements(text: str) -> tuple[Finding, ...]:
    """Every statement of findings and impression about a condition.

    "The heart is stable" says neither that it is large nor that it may be, and is left out. Cached: a reference is
    read once per group, a rollout once for rewards and monitoring.
    """
    return tuple(found for found in read_findings(text) if found.hedge != "unsaid")


@lru_cache(maxsize=8192)
def claims(text: str) -> tuple[Finding, ...]:
    """`statements`, and those under any other heading."""
    return tuple(found for found in read_findings(text, every_section=True) if found.hedge != "unsaid")


@lru_cache(maxsize=8192)
def written(text: str) -> tuple[Span, ...]:
    """Sentences of all sections."""
    return sentences(text)


def spans(text: str) -> tuple[Span, ...]:
    """Sentences of findings and impression."""
    return tuple(span for span in written(text) if span.section != "other")


def any_compares(sentences: Iterable[Span]) -> bool:
    """Whether any of the sentences speaks of an earlier state. Sentence by sentence: the rule is of one only."""
    return any(compares(span.text) for span in sentences)


def is_empty(text: str) -> bool:
    """Whether the text holds no sentence of findings or impression (headings alone say nothing)."""
    return not spans(text)


def words(text: str) -> list[str]:
    """Lower-case words and numbers of all sentences of all sections, without headings and punctuation."""
    return [word for span in written(text) for word in _WORD.findall(span.text.lower())]


def ngrams(tokens: list[str], n: int) -> list[tuple[str, ...]]:
    """All n-grams in order, with repeats."""
    return list(zip(*(tokens[i:] for i in range(n)), strict=False))


def severity(finding: Finding) -> int | None:
    """1 (trace) … 4 (severe), None where the text does not say."""
    return _RANKS.get(finding.size or "")


def by_condition(found: Iterable[Finding]) -> dict[str, list[Finding]]:
    """Statements grouped by condition, in order of first mention."""
    groups: dict[str, list[Finding]] = {}
    for one in found:
        groups.setdefault(one.condition, []).append(one)
    return groups
