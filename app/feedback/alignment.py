"""Which sentence of the signed report is which of the draft: kept, reworded, deleted, added. Pure, deterministic.

A global alignment (Needleman and Wunsch, J Mol Biol 1970) of the two lists of sentences, in which equal sentences count
most, then those that the reader's desk recorded as one's rewording, then those that share words. Sentences that are
left over and equal were moved. Sorted by `draft` the pairs are the draft, sorted by `signed` the signed text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from model.report_text import sentences

Change = Literal["kept", "reworded", "deleted", "added"]

ALIKE = 0.5
"""Share of common words (2 x common / all) from which two sentences are wordings of one; below, one went, one came."""
_EQUAL, _RECORDED = 4.0, 2.0
_LIST_NUMBER = re.compile(r"(?:\(?\d{1,2}[.)]|[-•*–])\s+(?=\S)")
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Piece:
    """One sentence of a section ("findings" or "impression"), white space as one space each."""

    section: str
    text: str

    @property
    def key(self) -> str:
        """The text without its list number: what "kept" compares."""
        return _LIST_NUMBER.sub("", self.text, count=1) if _LIST_NUMBER.match(self.text) else self.text


@dataclass(frozen=True, slots=True)
class Pair:
    """draft, signed: index of the sentence, None where it is on one side only.

    similarity: share of common words, 0 to 1; moved: equal, but not where the order of the others puts it.
    """

    change: Change
    draft: int | None
    signed: int | None
    similarity: float
    moved: bool = False


def pieces(section: str, text: str) -> tuple[Piece, ...]:
    """The section's sentences; joined by spaces they are the text with single spaces, list numbers included."""
    ends = [span.end for span in sentences(text)]
    cuts = [end for end in ends[:-1] if text[end : end + 1].isspace()]
    parts = (text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True))
    return tuple(Piece(section, squeezed) for part in parts if (squeezed := " ".join(part.split())))


def align(
    draft: Sequence[Piece], signed: Sequence[Piece], recorded: Mapping[int, Sequence[str]] | None = None
) -> tuple[Pair, ...]:
    """Every sentence of both sides exactly once, in the order of the signed text, deletions where they stood.

    recorded: by index of a draft sentence, the sentences which the reader's desk says it was edited into.
    """
    edits = {index: {" ".join(text.split()) for text in texts} for index, texts in (recorded or {}).items()}
    alike = [[_similarity(a, b) for b in signed] for a in draft]
    worth = [
        [_worth(a, b, alike[i][j], b.text in edits.get(i, ())) for j, b in enumerate(signed)]
        for i, a in enumerate(draft)
    ]
    matched = dict(_best_path(worth))
    moved = dict(_moved(draft, signed, matched))
    return tuple(_pairs(draft, signed, {**matched, **moved}, set(moved), alike))


def _similarity(a: Piece, b: Piece) -> float:
    if a.key == b.key:
        return 1.0
    matcher = SequenceMatcher(None, _WORD.findall(a.key.lower()), _WORD.findall(b.key.lower()), autojunk=False)
    return matcher.ratio() if matcher.quick_ratio() > 0 else 0.0


def _worth(a: Piece, b: Piece, alike: float, recorded: bool) -> float:
    """What it is worth to pair the two; 0: they are no pair."""
    if a.key == b.key:
        return _EQUAL
    if recorded:
        return _RECORDED + alike
    return alike if alike >= ALIKE else 0.0


def _best_path(worth: Sequence[Sequence[float]]) -> Iterator[tuple[int, int]]:
    """The pairs of the best monotone alignment; of equally good ones always the same."""
    rows, columns = len(worth), len(worth[0]) if worth else 0
    best = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    for i in reversed(range(rows)):
        for j in reversed(range(columns)):
            paired = best[i + 1][j + 1] + worth[i][j] if worth[i][j] else 0.0
            best[i][j] = max(paired, best[i + 1][j], best[i][j + 1])
    i = j = 0
    while i < rows and j < columns:
        if worth[i][j] and best[i][j] == best[i + 1][j + 1] + worth[i][j]:
            yield i, j
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1


def _moved(draft: Sequence[Piece], signed: Sequence[Piece], matched: Mapping[int, int]) -> Iterator[tuple[int, int]]:
    free = [j for j in range(len(signed)) if j not in set(matched.values())]
    for i, piece in enumerate(draft):
        place = next((j for j in free if signed[j].key == piece.key), None) if i not in matched else None
        if place is not None:
            free.remove(place)
            yield i, place


def _pairs(
    draft: Sequence[Piece],
    signed: Sequence[Piece],
    matched: Mapping[int, int],
    moved: set[int],
    alike: Sequence[Sequence[float]],
) -> Iterator[Pair]:
    origin = {j: i for i, j in matched.items()}
    deleted = [i for i in range(len(draft)) if i not in matched]
    for j in range(len(signed)):
        i = origin.get(j)
        while i is not None and deleted and deleted[0] < i:
            yield Pair("deleted", deleted.pop(0), None, 0.0)
        if i is None:
            yield Pair("added", None, j, 0.0)
        else:
            change: Change = "kept" if draft[i].key == signed[j].key else "reworded"
            yield Pair(change, i, j, round(alike[i][j], 4), i in moved)
    for i in deleted:
        yield Pair("deleted", i, None, 0.0)
