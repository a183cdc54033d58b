"""What a report may say about its draft, and when it may be signed. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from app.domain.report import Decision
from app.errors import Conflict, ServiceError


class Contradiction(ServiceError):
    """The decisions do not fit the draft they are about."""

    http_status, title = 422, "The report contradicts its draft"


class NotReadyToSign(Conflict):
    """Something must be done to the text first; `reasons` says what."""

    title = "Not ready to be signed"

    @property
    def members(self) -> Mapping[str, object]:
        """Extension member of the problem."""
        return {"reasons": list(self.args[1:])}


@dataclass(frozen=True, slots=True)
class DraftLine:
    """A sentence of the draft, as far as these rules look at it."""

    index: int
    text: str
    flagged: bool


@dataclass(frozen=True, slots=True)
class DecidedSentence:
    """What the reader did with one sentence; text: the wording that stands, or that was rejected."""

    index: int
    decision: Decision
    text: str


def begun(draft: Sequence[DraftLine]) -> list[DecidedSentence]:
    """A report starts with nothing accepted: no sentence gets in without a reader's act."""
    return [DecidedSentence(line.index, Decision.PENDING, line.text) for line in draft]


def checked(draft: Sequence[DraftLine], given: Sequence[DecidedSentence]) -> list[DecidedSentence]:
    """The decisions as they are kept: each draft sentence once, in order, then what the reader added.

    A draft sentence that is not named is pending. Raises Contradiction for an index twice, for an "added" one that
    the draft has, for another that it has not, for an accepted text that is not the draft's, for an empty edit.
    """
    lines = {line.index: line for line in draft}
    decided = {sentence.index: sentence for sentence in given}
    if len(decided) != len(given):
        raise Contradiction("A sentence is named twice; name each once.")
    for sentence in given:
        _check(lines.get(sentence.index), sentence)
    kept = [decided.get(line.index, pending) for line, pending in zip(draft, begun(draft), strict=True)]
    return kept + sorted((s for s in given if s.index not in lines), key=lambda s: s.index)


def _check(line: DraftLine | None, given: DecidedSentence) -> None:
    name = f"Sentence {given.index}"
    if line is None and given.decision is not Decision.ADDED:
        raise Contradiction(f"{name} is not in the draft; only an added sentence may have a new index.")
    if line is not None and given.decision is Decision.ADDED:
        raise Contradiction(f"{name} is the draft's; an added sentence needs an index of its own.")
    if line is not None and given.decision is Decision.ACCEPTED and squeezed(given.text) != squeezed(line.text):
        raise Contradiction(f"{name} is accepted with another wording than the draft's; call it edited.")
    if given.decision in (Decision.EDITED, Decision.ADDED) and not given.text.strip():
        raise Contradiction(f"{name} is {given.decision} but empty; reject it, or leave it out.")


def objections(
    draft: Sequence[DraftLine], decided: Sequence[DecidedSentence], findings: str, impression: str
) -> list[str]:
    """Why the report may not be signed yet, in words; empty where it may.

    Nothing is signed by default: each draft sentence was decided on, and the text says what the decisions say.
    """
    text = squeezed(f"{findings} {impression}")
    flagged = {line.index for line in draft if line.flagged}
    return [
        *([] if text else ["the report is empty"]),
        *_undecided(decided, flagged),
        *(f"sentence {s.index} is {s.decision}, but its text is not in the report" for s in _missing(decided, text)),
        *(f"sentence {s.index} is rejected, but its text is in the report" for s in _left_in(decided, text)),
    ]


def _undecided(decided: Sequence[DecidedSentence], flagged: set[int]) -> Iterator[str]:
    for sentence in decided:
        if sentence.decision is Decision.PENDING:
            yield f"{'flagged ' if sentence.index in flagged else ''}sentence {sentence.index} is not decided"


def _missing(decided: Sequence[DecidedSentence], text: str) -> Iterator[DecidedSentence]:
    for sentence in decided:
        if sentence.decision in (Decision.ACCEPTED, Decision.EDITED) and squeezed(sentence.text) not in text:
            yield sentence


def _left_in(decided: Sequence[DecidedSentence], text: str) -> Iterator[DecidedSentence]:
    kept = [s for s in decided if s.decision in (Decision.ACCEPTED, Decision.EDITED)]
    rest = text
    for sentence in sorted(kept, key=lambda s: len(s.text), reverse=True):
        rest = rest.replace(squeezed(sentence.text), "\n", 1)
    for sentence in decided:
        if sentence.decision is Decision.REJECTED and squeezed(sentence.text) in rest:
            yield sentence


def squeezed(text: str) -> str:
    """White space as one space each."""
    return " ".join(text.split())


@dataclass(frozen=True, slots=True)
class Edit:
    """A piece of text that both have, or only the draft (deleted), or only the report (inserted)."""

    op: Literal["equal", "deleted", "inserted"]
    text: str


def word_diff(draft: str, report: str) -> list[Edit]:
    """Word by word; equal and deleted joined are the draft, equal and inserted joined are the report."""
    old, new = _words(draft), _words(report)
    edits: list[Edit] = []
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            edits.append(Edit("equal", "".join(old[a:b])))
            continue
        if b > a:
            edits.append(Edit("deleted", "".join(old[a:b])))
        if d > c:
            edits.append(Edit("inserted", "".join(new[c:d])))
    return edits


def _words(text: str) -> list[str]:
    return re.findall(r"\s+|\S+", text)
