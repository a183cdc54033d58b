"""Report text <-> sections <-> sentences, and the model's tokens laid over them.

Everything is a span of the text as it was written: what lies between sentences is white space, headings and list
numbers, so nothing a model wrote can be lost or invented on the way to the reader.

Headings: "Findings:" and "Impression:" (any case; "Conclusion" and "Opinion" count as impression) anywhere a sentence
may start, in capitals also without the colon, or alone on their line. Text before any heading is findings. Headings
of other sections of a report ("Comparison:", "Technique:", ...) start text of section "other".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

SectionName = Literal["findings", "impression", "other"]

_SECTIONS: dict[SectionName, str] = {
    "findings": "findings?|observations?",
    "impression": "impressions?|conclusions?|opinion",
    "other": (
        "(?:clinical )?indications?|(?:clinical )?history|clinical information|reason for (?:exam|examination|study)|"
        "comparisons?|techniques?|examinations?|exam|procedure|study|recommendations?|final report|"
        "electronically signed(?: by)?"
    ),
}
_ANY = "|".join(_SECTIONS.values())
_MARK = r"[*_#]{0,3}"  # a model may write headings in Markdown
_LINE_START = r"(?:(?<=\n)|(?<=\A))[ \t]*"
_AFTER_SENTENCE = r"(?:(?<=\n)|(?<=\A)|(?<=[.!?:;)\]*]\s))[ \t]*"
# At a line's start, after a sentence, or (capitalised, with colon) anywhere: a missing full stop hides no heading.
_HEADING = re.compile(
    rf"{_AFTER_SENTENCE}{_MARK}[ \t]*(?i:(?P<start>{_ANY})){_MARK}[ \t]*(?::{_MARK}|(?=\r?\n)|(?=\Z))"
    rf"|(?<!\w){_MARK}(?P<inside>F(?i:indings)|I(?i:mpression)){_MARK}:{_MARK}"
    rf"|{_LINE_START}(?P<capitals>FINDINGS|IMPRESSION|CONCLUSION)(?=\s)"
)
_NAMES: dict[SectionName, re.Pattern[str]] = {
    name: re.compile(words, re.IGNORECASE) for name, words in _SECTIONS.items()
}

_LIST_NUMBER = re.compile(r"(?:\(?\d{1,2}[.)]|[-•*–])\s+(?=\S)")
_STOP = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s|$)|\n")
_BARE_NUMBER = re.compile(r"\(?\d{1,2}[.)]")
_ABBREVIATION = re.compile(
    r"\b(?:drs?|mrs?|ms|prof|vs|approx|ca|cf|fig|e\.g|i\.e)\.$|\b(?:dr|mr|mrs|ms|prof)\.(?: [a-z]\.)+$", re.IGNORECASE
)
# These may also end a sentence: what follows decides.
_PERHAPS_ABBREVIATION = re.compile(
    r"(?:\b(?:resp|incl|max|min|st|etc|(?:[a-z]\.){1,3}[a-z])|(?<![\w-])[a-z])\.$", re.IGNORECASE
)
_NUMBER_SIGN = re.compile(r"\bno\.$", re.IGNORECASE)
_RUNS_ON = re.compile(r"(?:,|\b(?:a|an|and|at|by|for|from|in|is|of|on|or|the|to|with))$", re.IGNORECASE)
_CONTENT = re.compile(r"\w")
_SEEN = 200  # characters before and after a stop that decide whether it ends a sentence; bounds the work per stop


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of the report: text == report[start:end]."""

    section: SectionName
    text: str
    start: int
    end: int


def sections(report: str) -> tuple[Span, ...]:
    """The sections that hold text, in order, without headings and surrounding white space."""
    spans = (_trimmed(report, name, start, end) for name, start, end in _blocks(report))
    return tuple(span for span in spans if span.text)


def section_text(report: str, name: SectionName) -> str:
    """All text of one section, "" where it is missing."""
    return " ".join(span.text for span in sections(report) if span.section == name)


def sentences(report: str) -> tuple[Span, ...]:
    """Every sentence of every section in order; list numbers are not part of a sentence.

    Decimals ("4.5 cm"), list numbers and abbreviations ("Dr.", "approx.", "e.g.") end no sentence; a line break does
    unless the line runs on. Pieces without a letter or digit are left out.
    """
    return tuple(span for block in sections(report) for span in _sentences(report, block))


def compose(findings: str, impression: str = "") -> str:
    """The report in the form the model writes; inverse of `section_text` for single-spaced texts without headings."""
    parts = [f"Findings: {findings.strip()}"] if findings.strip() else []
    parts += [f"Impression: {impression.strip()}"] if impression.strip() else []
    return " ".join(parts)


def mean_logprobs(report: str, tokens: Sequence[tuple[str, float]], spans: Sequence[Span]) -> tuple[float | None, ...]:
    """Mean natural-log probability of the tokens of each span, None where it has none.

    tokens: (text, logprob) in order of generation. A token belongs to the span in which its first visible character
    lies. All None where the tokens do not spell the report: a figure that may be of another sentence is none.
    """
    if "".join(text for text, _ in tokens) != report:
        return (None,) * len(spans)
    sums = [0.0] * len(spans)
    counts = [0] * len(spans)
    for place, logprob in _places(tokens):
        for index, span in enumerate(spans):
            if span.start <= place < span.end:
                sums[index] += logprob
                counts[index] += 1
    return tuple(total / count if count else None for total, count in zip(sums, counts, strict=True))


def _places(tokens: Sequence[tuple[str, float]]) -> Iterator[tuple[int, float]]:
    at = 0
    for text, logprob in tokens:
        yield at + len(text) - len(text.lstrip()), logprob
        at += len(text)


def _blocks(report: str) -> Iterator[tuple[SectionName, int, int]]:
    name: SectionName = "findings"
    start = 0
    for heading in _HEADING.finditer(report):
        yield name, start, heading.start()
        name, start = _named(next(filter(None, heading.groups()))), heading.end()
    yield name, start, len(report)


def _named(words: str) -> SectionName:
    return next(name for name, pattern in _NAMES.items() if pattern.fullmatch(words))


def _trimmed(report: str, name: SectionName, start: int, end: int) -> Span:
    text = report[start:end]
    start, end = start + len(text) - len(text.lstrip()), end - (len(text) - len(text.rstrip()))
    return Span(name, report[start:end], start, max(start, end))


def _sentences(report: str, block: Span) -> Iterator[Span]:
    start = block.start
    for stop in _STOP.finditer(report, block.start, block.end):
        before = report[max(start, stop.end() - _SEEN) : stop.end()]
        if stop.start() >= start and _ends(before, report[stop.end() : min(block.end, stop.end() + _SEEN)]):
            yield from _sentence(report, block.section, start, stop.end())
            start = stop.end()
    yield from _sentence(report, block.section, start, block.end)


def _sentence(report: str, name: SectionName, start: int, end: int) -> Iterator[Span]:
    span = _trimmed(report, name, start, end)
    number = _LIST_NUMBER.match(span.text)
    if number:
        span = _trimmed(report, name, span.start + number.end(), span.end)
    if _CONTENT.search(span.text):
        yield span


def _ends(before: str, after: str) -> bool:
    """Whether the stop at the end of `before` ends a sentence, given what follows it."""
    following = after.lstrip()
    if before.endswith("\n"):
        return not _RUNS_ON.search(before.rstrip()) and _starts_a_line(after)
    if _BARE_NUMBER.fullmatch(before.strip()) or _ABBREVIATION.search(before):
        return False
    if _NUMBER_SIGN.search(before) and following[:1].isdigit():
        return False
    return not (_PERHAPS_ABBREVIATION.search(before) and following[:1].islower())


def _starts_a_line(after: str) -> bool:
    first = after.lstrip(" \t\r")[:1]
    return first in {"", "\n"} or not first.islower() or bool(_LIST_NUMBER.match(after.lstrip()))
