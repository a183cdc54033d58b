"""Scores of drafts against what the phantom films truly show; every figure is computed from the draft's text."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from model import findings as read
from training.evaluate.drafts import Case
from training.phantom.findings import CHANGE_WORDS, SIDES, Findings, changes
from training.rewards.reading import any_compares, written

_SIDED = ("effusion", "pneumothorax", "consolidation", "atelectasis", "line", "pacemaker")
Pairs = Sequence[tuple[set[Hashable], set[Hashable]]]


def true_findings(chest: Findings) -> set[Hashable]:
    """(condition, side) of everything the film shows."""
    general = (("cardiomegaly", chest.cardiomegaly), ("edema", chest.edema), ("tube", chest.tube))
    found: set[Hashable] = {(name, None) for name, value in general if value}
    return found | {(name, side) for side in SIDES for name in _SIDED if getattr(chest.side(side), name)}


def true_changes(case: Case) -> set[Hashable]:
    """(condition, side, zone, word) of every compared finding; empty without a prior."""
    if case.study.prior is None:
        return set()
    pairs = changes(case.study.prior.findings, case.study.current.findings)
    return {(one.finding, one.side, one.zone, one.word) for one in pairs}


def micro_f1(pairs: Pairs) -> float:
    """2 TP / (said + true) over all studies; 0 where nothing was said and nothing is true."""
    hit = sum(len(said & true) for said, true in pairs)
    total = sum(len(said) + len(true) for said, true in pairs)
    return 2 * hit / total if total else 0.0


def findings_pairs(drafts: Sequence[str], cases: Sequence[Case]) -> Pairs:
    """What each draft states as present against what its (own) study's film shows."""
    return [
        (set(read.present(draft)), true_findings(case.study.current.findings))
        for draft, case in zip(drafts, cases, strict=True)
    ]


def change_pairs(drafts: Sequence[str], cases: Sequence[Case]) -> Pairs:
    """Stated against true changes of the studies that have a prior."""
    return [
        (set(read.changes(draft)), true_changes(case))
        for draft, case in zip(drafts, cases, strict=True)
        if case.study.prior is not None
    ]


def by_condition(pairs: Pairs) -> dict[str, float]:
    """F1 of each condition, sides kept apart."""
    names = sorted({item[0] for said, true in pairs for item in said | true})  # type: ignore[index]
    return {
        name: round(micro_f1([({i for i in s if i[0] == name}, {i for i in t if i[0] == name}) for s, t in pairs]), 3)  # type: ignore[index]
        for name in names
    }


def by_change(pairs: Pairs) -> dict[str, float]:
    """F1 of each change word."""
    return {
        word: round(micro_f1([({i for i in s if i[-1] == word}, {i for i in t if i[-1] == word}) for s, t in pairs]), 3)  # type: ignore[index]
        for word in CHANGE_WORDS
    }


def unprompted_comparisons(drafts: Sequence[str], cases: Sequence[Case]) -> int:
    """Drafts that compare although no prior was given."""
    return sum(
        any_compares(written(draft)) for draft, case in zip(drafts, cases, strict=True) if case.study.prior is None
    )


def summary(drafts: Sequence[str], cases: Sequence[Case]) -> dict[str, object]:
    """All figures of one set of drafts."""
    found, compared = findings_pairs(drafts, cases), change_pairs(drafts, cases)
    words = by_change(compared)
    result: dict[str, object] = {
        "studies": len(cases),
        "findings_micro_f1": round(micro_f1(found), 4),
        "by_condition": by_condition(found),
    }
    if compared:
        result |= {"change_macro_f1": round(sum(words.values()) / len(words), 4), "by_change": words}
    return result | {
        "exact_findings": round(sum(said == true for said, true in found) / max(1, len(found)), 3),
        "comparisons_without_prior": unprompted_comparisons(drafts, cases),
        "distinct_drafts": len(set(drafts)),
    }
