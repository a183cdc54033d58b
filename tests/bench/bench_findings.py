"""Findings read from 532 real radiology reports (Open-I) against their labels, and reports per second on one core.

``python -m tests.bench.bench_findings [--half all|tuning|held-out] [--errors] [--output FILE.json]``

The labels are ChestX-ray14's; compared are the conditions both name:
- Nodule or Mass: a lung lesion or a calcified nodule (CheXpert counts no calcified one, the labels do);
- Pleural_Thickening or Fibrosis: pleural other, whose list holds thickening, scars and fibrosis;
- Infiltration: a lung opacity that is called an infiltrate. CheXpert does not tell it from other opacities, so it is
  shown and kept out of the headline.
Not compared: Emphysema, Hernia (no CheXpert condition), `normal` (also false for old fractures, scoliosis, ...).

The annotators counted "probable X" and "X or Y" as findings, "may be X" and "cannot exclude X" not: so does the
headline. CheXpert's own reading (only what is stated outright) is given beside it. Halves: by a hash of the
report's id; rules were tuned on one.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from model.findings import Condition, Finding, chexpert_labels, read_findings
from model.report_text import compose

GOAL_F1, GOAL_SPEED = 0.90, 200.0
HALVES = ("tuning", "held-out")


@dataclass(frozen=True)
class Compared:
    """One row of the comparison; term: only statements recognised by a word that begins so."""

    labels: tuple[str, ...]
    conditions: tuple[Condition, ...]
    term: str = ""
    headline: bool = True


ROWS: dict[str, Compared] = {
    "Atelectasis": Compared(("Atelectasis",), ("atelectasis",)),
    "Cardiomegaly": Compared(("Cardiomegaly",), ("cardiomegaly",)),
    "Consolidation": Compared(("Consolidation",), ("consolidation",)),
    "Edema": Compared(("Edema",), ("edema",)),
    "Pleural Effusion": Compared(("Effusion",), ("effusion",)),
    "Pneumonia": Compared(("Pneumonia",), ("pneumonia",)),
    "Pneumothorax": Compared(("Pneumothorax",), ("pneumothorax",)),
    "Lung Lesion": Compared(("Nodule", "Mass"), ("lung lesion", "calcified nodule")),
    "Pleural Other": Compared(("Pleural_Thickening", "Fibrosis"), ("pleural other",)),
    "Infiltration": Compared(("Infiltration",), ("lung opacity",), term="infiltrat", headline=False),
}


@dataclass
class Count:
    """Reports; F1 is 1 where a condition is neither labelled nor read."""

    hits: int = 0
    false_alarms: int = 0
    misses: int = 0

    @property
    def f1(self) -> float:
        """2 TP / (2 TP + FP + FN)."""
        total = 2 * self.hits + self.false_alarms + self.misses
        return 2 * self.hits / total if total else 1.0

    def add(self, said: bool, true: bool) -> None:
        """Count one report."""
        self.hits += said and true
        self.false_alarms += said and not true
        self.misses += true and not said


@dataclass
class Result:
    """Counts by row, and every disagreement of the headline."""

    rows: dict[str, Count] = field(default_factory=lambda: {name: Count() for name in ROWS})
    errors: list[dict[str, str]] = field(default_factory=list)

    @property
    def micro(self) -> Count:
        """All headline rows together."""
        rows = [count for name, count in self.rows.items() if ROWS[name].headline]
        return Count(
            sum(row.hits for row in rows), sum(row.false_alarms for row in rows), sum(row.misses for row in rows)
        )


def reports(path: Path) -> list[dict[str, Any]]:
    """The labelled reports, each with its text and half."""
    read = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        one
        | {
            "text": compose(one["findings"] or "", one["impression"] or ""),
            "half": HALVES[sha256(one["id"].encode()).digest()[0] % 2],
        }
        for one in read
    ]


def lenient(finding: Finding) -> bool:
    """As the annotators count: stated, probable, or one of two alternatives."""
    return finding.presence == "present" or finding.hedge == "likely"


def strict(finding: Finding) -> bool:
    """As CheXpert counts: stated."""
    return finding.presence == "present"


def compare(rows: Iterable[dict[str, Any]], counts: Callable[[Finding], bool]) -> Result:
    """Every report against its labels."""
    result = Result()
    for report in rows:
        read = read_findings(report["text"])
        for name, row in ROWS.items():
            about = [f for f in read if f.condition in row.conditions and f.term.startswith(row.term)]
            said, true = any(map(counts, about)), any(report["gold14"][label] for label in row.labels)
            result.rows[name].add(said, true)
            if said != true:
                result.errors.append(_error(report, name, about, true))
    return result


def _error(report: dict[str, Any], name: str, about: list[Finding], true: bool) -> dict[str, str]:
    told = " | ".join(f"[{f.presence}{f'/{f.hedge}' if f.hedge else ''}] {f.sentence}" for f in about)
    return {"id": report["id"], "half": report["half"], "row": name, "kind": _kind(about, true), "read": told}


def _kind(about: list[Finding], true: bool) -> str:
    """What went wrong: the finding was denied, hedged, not named at all (misses), or stated (false alarms)."""
    if not true:
        return "false alarm"
    if not about:
        return "missed: not named"
    return "missed: negation" if all(f.presence == "absent" for f in about) else "missed: uncertainty"


def speed(texts: list[str], seconds: float = 2.0) -> float:
    """Reports per CPU second of this process, labels and all; the first pass is not counted."""
    for text in texts:
        chexpert_labels(text)
    done, start = 0, time.process_time()
    while time.process_time() - start < seconds:
        for text in texts:
            read_findings(text)
        done += len(texts)
    return done / (time.process_time() - start)


def measure(path: Path, half: str = "all") -> dict[str, Any]:
    """All figures, JSON-ready."""
    rows = reports(path)
    found: dict[str, Any] = {"reports": len(rows), "reports_per_cpu_second": round(speed([r["text"] for r in rows]))}
    for name in ("all", *HALVES) if half == "all" else (half,):
        chosen = [row for row in rows if name in {"all", row["half"]}]
        headline = compare(chosen, lenient)
        found[name] = {
            "reports": len(chosen),
            "micro_f1": round(headline.micro.f1, 4),
            "micro_f1_stated_only": round(compare(chosen, strict).micro.f1, 4),
            "conditions": {
                key: {"f1": round(count.f1, 3), "tp": count.hits, "fp": count.false_alarms, "fn": count.misses}
                for key, count in headline.rows.items()
            },
            "errors": headline.errors,
        }
    return found


def table(found: dict[str, Any], errors: bool) -> str:
    """For people."""
    lines = [f"{found['reports']} reports, {found['reports_per_cpu_second']} reports/s/core (goal {GOAL_SPEED:.0f})"]
    for name in ("all", *HALVES):
        if name not in found:
            continue
        part = found[name]
        lines.append(f"\n{name}: {part['reports']} reports; micro-F1 of findings present {part['micro_f1']:.3f}")
        lines[-1] += f" (goal {GOAL_F1:.2f}); {part['micro_f1_stated_only']:.3f} if only outright statements count"
        lines.append(f"{'condition':<18}{'F1':>7}{'TP':>5}{'FP':>5}{'FN':>5}")
        for key, row in part["conditions"].items():
            beside = "" if ROWS[key].headline else "  (not in the headline)"
            lines.append(f"{key:<18}{row['f1']:>7.3f}{row['tp']:>5}{row['fp']:>5}{row['fn']:>5}{beside}")
    if errors:
        shown = found.get("all") or next(found[name] for name in HALVES if name in found)
        lines += ["", *(f"{e['id']} ({e['half']}) {e['row']}, {e['kind']}: {e['read']}" for e in shown["errors"])]
    return "\n".join(lines)


def main() -> int:
    """Exit code 1 where a goal is not met."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--half", choices=("all", *HALVES), default="all")
    arguments.add_argument("--errors", action="store_true", help="list every disagreement")
    arguments.add_argument("--output", type=Path, help="write the figures here as JSON")
    chosen = arguments.parse_args()
    root = os.environ.get("UNIRG_TEST_DATA")
    if not root:
        sys.stderr.write("UNIRG_TEST_DATA is not set: it names the folder that holds openi_dev/reports.jsonl\n")
        return 2
    found = measure(Path(root) / "openi_dev" / "reports.jsonl", chosen.half)
    sys.stdout.write(table(found, chosen.errors) + "\n")
    if chosen.output:
        chosen.output.write_text(json.dumps(found, indent=2) + "\n")
    met = found["reports_per_cpu_second"] >= GOAL_SPEED
    return 0 if met and all(found[name]["micro_f1"] >= GOAL_F1 for name in ("all", *HALVES) if name in found) else 1


if __name__ == "__main__":
    sys.exit(main())
