"""The data card of a manifest: what is in it, for whom, and what was left out, counted from the files themselves."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from training.datasets.manifest import LABELS, SPLITS, write_text
from training.datasets.problems import Problem, dumps

Counts = dict[str, Any]
_COLUMNS = (
    "dataset",
    "split",
    "sections",
    "view",
    "sex",
    "age",
    "race",
    "patient_id",
    "prior_study_id",
    "prior_report",
    "prior_date",
    "indication",
    "comparison",
    "labels",
    "order_key",
)
_BANDS = ((18, "under 18"), (40, "18-39"), (60, "40-59"), (80, "60-79"), (200, "80 and over"))


def _age_band(row: Mapping[str, Any]) -> str:
    age = row["age"]
    return "unknown" if age is None else next(name for limit, name in _BANDS if age < limit)


def _prior(row: Mapping[str, Any]) -> str:
    if row["prior_study_id"] is None:
        return "none"
    return "film and report" if row["prior_report"] else "film only"


_KINDS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "sections": lambda row: row["sections"],
    "views": lambda row: row["view"] or "unknown",
    "sexes": lambda row: row["sex"] or "unknown",
    "ages": _age_band,
    "races": lambda row: row["race"] or "unknown",
    "priors": _prior,
    "order": lambda row: "none" if not row["order_key"] else ("date" if "-" in row["order_key"] else "ordinal"),
    "indication": lambda row: "given" if row["indication"] else "none",
    "comparison": lambda row: "given" if row["comparison"] else "none",
}


def _ordered(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


class _Site:
    """Running counts of one site."""

    def __init__(self) -> None:
        self.splits: Counter[str] = Counter()
        self.kinds: dict[str, Counter[str]] = {kind: Counter() for kind in _KINDS}
        self.labels: Counter[str] = Counter()
        self.patients: dict[str, set[str]] = {split: set() for split in SPLITS}

    def add(self, row: Mapping[str, Any]) -> None:
        self.splits[row["split"]] += 1
        self.patients[row["split"]].add(row["patient_id"])
        for kind, value in _KINDS.items():
            self.kinds[kind][value(row)] += 1
        self.labels.update(name for name in LABELS if row["labels"] and row["labels"][name] == 1)

    def counts(self) -> Counts:
        return {
            "studies": sum(self.splits.values()),
            "patients": len(set().union(*self.patients.values())),
            "splits": {split: self.splits[split] for split in SPLITS},
            "patients by split": {split: len(self.patients[split]) for split in SPLITS},
            **{kind: _ordered(counted) for kind, counted in self.kinds.items()},
            "labels present": _ordered(self.labels),
        }


def count(shards: Iterable[Path]) -> dict[str, Counts]:
    """Counts by site over the shards."""
    sites: dict[str, _Site] = {}
    for shard in shards:
        for row in pq.read_table(shard, columns=list(_COLUMNS)).to_pylist():
            sites.setdefault(row["dataset"], _Site()).add(row)
    return {name: sites[name].counts() for name in sorted(sites)}


def _lines(title: str, counted: Mapping[str, int]) -> str:
    inside = ", ".join(f"{name} {number:,}" for name, number in counted.items()) or "none"
    return f"| {title} | {inside} |\n"


def markdown(title: str, card: Counts) -> str:
    """The card for people."""
    parts = [f"# {title}\n\nMade by `python -m training.datasets.prepare`; the same figures are in card.json.\n"]
    for site, counted in card["sites"].items():
        parts.append(
            f"\n## {site}\n\n{counted['studies']:,} studies of {counted['patients']:,} patients\n\n| | |\n|---|---|\n"
        )
        parts += [_lines(kind, value) for kind, value in counted.items() if isinstance(value, dict)]
    parts.append(
        "\n## Left out, and kept with a remark\n\nEach row, with its place and reason, is in bad_rows.jsonl.\n\n"
    )
    parts.append("| | |\n|---|---|\n")
    parts += [_lines(kind, card[kind]) for kind in ("dropped", "remarks")]
    parts.append(f"\n## Made from\n\n```json\n{json.dumps(card['made from'], indent=2, ensure_ascii=False)}\n```\n")
    return "".join(parts)


def write_card(out: Path, title: str, shards: Iterable[Path], problems: Iterable[Problem], made_from: Counts) -> Counts:
    """Write bad_rows.jsonl, CARD.md and card.json (last: it says that the manifest is finished); returns the counts."""
    listed = sorted(problems)
    write_text(out / "bad_rows.jsonl", dumps(listed))
    card: Counts = {
        "sites": count(shards),
        "dropped": _ordered(Counter(problem.reason for problem in listed if problem.dropped)),
        "remarks": _ordered(Counter(problem.reason for problem in listed if not problem.dropped)),
        "made from": made_from,
    }
    write_text(out / "CARD.md", markdown(title, card))
    write_text(out / "card.json", json.dumps(card, indent=2, ensure_ascii=False) + "\n")
    return card
