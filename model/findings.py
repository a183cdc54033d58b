"""Report text -> structured findings, by rules: CheXpert's 14 conditions, devices by kind, side, zone, size, change.

Used by the guardrails (what contradicts itself), by oversight, by rewards and by evaluation, so that what is measured
is what a reader would read. Whether a sentence compares is asked of comparison.py. Words are recognised by the open
phrase lists of the CheXpert labeler and our additions (model/phrases), and judged by ConText's rules
(findings_context.py). Time is linear in the text's length, and no text raises. Measured in
docs/decisions/0015-findings-extraction.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from model.findings_change import partly_as_improved
from model.findings_context import context, denied_ahead, mentions, organ_verdict, said_at, verdict
from model.findings_details import Details
from model.findings_record import (
    BROAD,
    CHANGES,
    CONDITIONS,
    DEVICES,
    ORGANS,
    UNSIDED,
    Change,
    Condition,
    Finding,
    Hedge,
    Presence,
    Severity,
    Side,
    Zone,
)
from model.report_text import SectionName, Span, sentences
from model.wording import spelled_out

__all__ = [
    "BROAD",
    "CHANGES",
    "CHEXPERT",
    "CONDITIONS",
    "DEVICES",
    "UNSIDED",
    "Change",
    "Condition",
    "Finding",
    "Hedge",
    "Presence",
    "Severity",
    "Side",
    "Zone",
    "changes",
    "chexpert_labels",
    "present",
    "read_findings",
    "side_contradictions",
    "sides",
]

CHEXPERT: dict[str, tuple[Condition, ...]] = {
    "No Finding": (),
    "Enlarged Cardiomediastinum": ("enlarged cardiomediastinum",),
    "Cardiomegaly": ("cardiomegaly",),
    "Lung Lesion": ("lung lesion",),
    "Lung Opacity": ("lung opacity",),
    "Edema": ("edema",),
    "Consolidation": ("consolidation",),
    "Pneumonia": ("pneumonia",),
    "Atelectasis": ("atelectasis",),
    "Pneumothorax": ("pneumothorax",),
    "Pleural Effusion": ("effusion",),
    "Pleural Other": ("pleural other",),
    "Fracture": ("fracture",),
    "Support Devices": DEVICES,
}
"""CheXpert's labels, in the order of its files, and the conditions each is made of."""
_ASSERTS = re.compile(r"megal|enlarg|widen")
_BLANK = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ufeff ]+")
_LINES = re.compile(r"\n[\n ]+")
# A run-on without a full stop is read in pieces, so that the work per word stays bounded.
_PIECE = re.compile(r"(?s:.{1,600}(?:(?=\s)|\Z)|.{1,600})")


def read_findings(text: str, *, every_section: bool = False) -> tuple[Finding, ...]:
    """All statements of findings and impression in order; the condition `other` is left out.

    every_section: also those under any other heading ("Comparison:").

    Statements of one sentence that agree in condition, presence, side and zone are one. Control characters count as
    blanks; a Finding's sentence has runs of blanks as one.
    """
    return tuple(
        finding for finding in _statements(_spans(text, every_section=every_section)) if finding.condition != "other"
    )


def chexpert_labels(text: str) -> dict[str, int | None]:
    """1 present, 0 absent, -1 uncertain, None not mentioned, for CheXpert's 14 labels.

    Over all statements present wins, then uncertain (CheXpert labeler, stages/aggregate.py). Heart failure, stated or
    doubted, makes cardiomegaly at least uncertain. "No Finding" is 1 where nothing but devices is present or
    uncertain (CheXpert's no_finding list counted), else None: never 0 or -1. A text without a sentence has no label.
    """
    spans = _spans(text)
    read = tuple(_statements(spans))
    labels = {label: _label([one.presence for one in read if one.condition in of]) for label, of in CHEXPERT.items()}
    failing = any(one.term in {"chf", "heart failure"} and one.presence != "absent" for one in read)
    if failing and labels["Cardiomegaly"] != 1:
        labels["Cardiomegaly"] = -1
    found = any(one.presence != "absent" and one.condition not in (*DEVICES, "calcified nodule") for one in read)
    labels["No Finding"] = 1 if spans and not found else None
    return labels


def _label(said: list[Presence]) -> int | None:
    order: tuple[tuple[Presence, int], ...] = (("present", 1), ("uncertain", -1), ("absent", 0))
    return next((value for presence, value in order if presence in said), None)


def _spans(text: str, *, every_section: bool = False) -> list[Span]:
    cleaned = _LINES.sub("\n\n", _BLANK.sub(" ", text))
    return [span for span in sentences(cleaned) if every_section or span.section != "other"]


def _statements(spans: Iterable[Span]) -> Iterator[Finding]:
    for span in spans:
        for piece in _PIECE.findall(span.text):
            yield from _read(span.section, piece)


def _read(section: SectionName, sentence: str) -> Iterator[Finding]:
    text = partly_as_improved(spelled_out(sentence.replace("\n", " ")))
    named = mentions(text)
    if not named:
        return
    around, details = context(text), Details(text, named)
    told = set()
    for mention in named:
        term = text[mention.start : mention.end]
        organ = mention.condition in ORGANS and not _ASSERTS.search(term)
        said = organ_verdict(mention, around) if organ else verdict(mention, around)
        if said is None:
            continue
        for one in details.statements(mention):
            here = said if one.at is None else said_at(one.at, mention, around, said)
            if here is None:
                continue
            change = None if one.is_change_shared and denied_ahead(mention, around) else one.change
            presence, hedge, change = _after_change(here, change)
            key = (mention.condition, presence, hedge, one.side, one.zone)
            if key not in told:
                told.add(key)
                yield Finding(
                    mention.condition,
                    presence,
                    one.side,
                    one.zone,
                    one.size,
                    change,
                    section,
                    sentence,
                    severity=one.severity,
                    size_mm=one.size_mm,
                    hedge=hedge,
                    term=term,
                )


def _after_change(
    said: tuple[Presence, Hedge | None], change: Change | None
) -> tuple[Presence, Hedge | None, Change | None]:
    """What has resolved is absent; what is absent is neither new nor worse ("new consolidation is not seen")."""
    presence, hedge = said
    if presence == "present" and change == "resolved":
        return "absent", None, change
    return presence, hedge, None if presence == "absent" and change in {"new", "worse"} else change


def sides(finding: Finding) -> tuple[Side | None, ...]:
    """The single sides a statement speaks of: bilateral counts as right and left."""
    return ("right", "left") if finding.side == "bilateral" else (finding.side,)


def present(text: str) -> set[tuple[Condition, Side | None]]:
    """Condition and side of everything the text states as present, in any section."""
    return {
        (found.condition, side) for found in read_findings(text) if found.presence == "present" for side in sides(found)
    }


def changes(text: str, *, every_section: bool = False) -> set[tuple[Condition, Side | None, Zone | None, Change]]:
    """Every stated change against the prior, with side and (of a consolidation) zone.

    "The heart is stable" says nothing of cardiomegaly and is left out.
    """
    return {
        (found.condition, side, found.zone if found.condition == "consolidation" else None, found.change)
        for found in read_findings(text, every_section=every_section)
        if found.change and found.hedge != "unsaid"
        for side in sides(found)
    }


def side_contradictions(text: str) -> list[tuple[Finding, Finding]]:
    """Pairs (findings, impression) in which the impression puts a condition on a side the findings deny or do not name.

    A statement without a side contradicts nothing, nor does one about a BROAD condition.
    """
    read = read_findings(text)
    pairs = []
    for claim in read:
        if (
            claim.section != "impression"
            or claim.presence != "present"
            or claim.side is None
            or claim.condition in BROAD
        ):
            continue
        same = [
            f for f in read if f.section == "findings" and f.condition == claim.condition and f.presence == "present"
        ]
        told = {side for f in same for side in sides(f)}
        if same and None not in told and not set(sides(claim)) <= told:
            pairs.append((same[0], claim))
    return pairs
