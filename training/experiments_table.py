"""The tables of training/experiments.py: each figure with its 95 % interval, and paired differences.

usage: python -m training.experiments_table [--results training/runs/results/nano-sites] [--json FILE]

The studies are the same for every arm and seed. A row of one seed resamples them; the row "all" pools an arm's seeds
(a study is drawn with what every seed wrote on it). A difference is of the same studies, arm against arm, seed by seed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from training.evaluate.resampling import Ratio, interval, mean, paired
from training.experiments import ARMS
from training.experiments_contrasts import composite, drops, given, priors, silence, subgroups, where
from training.rewards.compositions import PUBLISHED

Columns = Mapping[str, Sequence[Any]]
_SEED = 5
PUBLISHED_MIX = "paper's mix of stand-ins"
ALL = "all"


def _array(columns: Columns, name: str) -> np.ndarray:
    """NaN where there is no value: of all studies in files from before the column."""
    values = columns.get(name, [None] * len(columns["study"]))
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)


def _f1(columns: Columns, kind: str) -> Ratio:
    """Micro-F1: 2 TP / (said + true)."""
    hit, said, true = (_array(columns, f"{kind}_{part}") for part in ("hit", "said", "true"))
    return Ratio(2 * hit, said + true)


def _change_errors(columns: Columns) -> Ratio:
    """Change statements that only one of draft and reference makes."""
    hit, said, true = (_array(columns, f"change_{part}") for part in ("hit", "said", "true"))
    return mean(said + true - 2 * hit)


def _published_mix(columns: Columns) -> Ratio:
    """The paper's step-1 mix by its weights, of stand-ins; 0 ... 1, mean over studies, not to be quoted as RadCliQ.

    Sentence similarity stands for BERTScore, findings F1 for SembScore, F1 of finding and change statements (1 where
    neither report has one) for RadGraph F1.
    """
    hit, said, true = (
        _array(columns, f"found_{part}") + _array(columns, f"change_{part}") for part in ("hit", "said", "true")
    )
    stands_for = {
        "bertscore": _array(columns, "sentence_similarity"),
        "sembscore": _array(columns, "findings_f1"),
        "radgraph_combined": np.where(said + true > 0, 2 * hit / np.maximum(said + true, 1), 1.0),
    }
    return mean(np.sum([weight * stands_for[name] for name, weight in PUBLISHED.items() if weight], axis=0))


FIGURES: dict[str, Callable[[Columns], Ratio]] = {
    "findings F1": lambda columns: _f1(columns, "found"),
    "change F1": lambda columns: _f1(columns, "change"),
    "1/(1+errors)": lambda columns: mean(_array(columns, "findings_errors")),
    "errors": lambda columns: mean(_array(columns, "errors")),
    "BLEU-2": lambda columns: mean(_array(columns, "bleu2")),
    "sentence similarity": lambda columns: mean(_array(columns, "sentence_similarity")),
    PUBLISHED_MIX: _published_mix,
    "exact": lambda columns: mean(_array(columns, "exact")),
    "change errors": _change_errors,
}
_CONTRASTED = ("findings F1", "1/(1+errors)", "errors")
_OF_REWARDS = ("findings F1", "change F1", "1/(1+errors)", "BLEU-2")
_COMPOSITES = {"rl_step1": "composite less it", "rl_all_terms": "composite with the error term less it"}
_OF_DROPS = (*_OF_REWARDS, "errors", "sentence similarity", PUBLISHED_MIX)
_OF_PRIORS = (*_CONTRASTED, "change F1", "change errors")


def _figures(names: Sequence[str]) -> dict[str, Callable[[Columns], Ratio]]:
    return {name: FIGURES[name] for name in names}


def chosen(columns: Columns, keep: Callable[[Mapping[str, Any]], bool]) -> Columns:
    """The rows for which `keep` holds; it is given the row's text columns."""
    told = ("site", "condition", "pair")
    rows = zip(*(columns[name] for name in told), strict=True)
    return where(columns, [keep(dict(zip(told, row, strict=True))) for row in rows])


PARTS: dict[str, Callable[[Mapping[str, Any], str], bool]] = {
    "seen sites": lambda row, unseen: row["condition"] == "given" and row["site"] != unseen,
    "unseen site": lambda row, unseen: row["condition"] == "given" and row["site"] == unseen,
    "pairs, true prior": lambda row, _: row["condition"] == "given" and bool(row["pair"]),
    "pairs, no prior": lambda row, _: row["condition"] == "none",
    "pairs, wrong prior": lambda row, _: row["condition"] == "wrong",
    "pairs, copied report (no model)": lambda row, _: row["condition"] == "copied",
}


def load(folder: Path) -> dict[str, dict[int, dict[str, Any]]]:
    """Result files by arm and seed."""
    found: dict[str, dict[int, dict[str, Any]]] = {}
    for path in sorted(folder.glob("seed-*.json")):
        told = json.loads(path.read_text())
        found.setdefault(told["arm"], {})[told["seed"]] = told
    return found


def by_seed(
    results: Mapping[str, Mapping[int, Mapping[str, Any]]], arm: str, base: str = "sft"
) -> dict[int | str, tuple[Columns, Columns | None]]:
    """Of each seed of an arm, and of all of them pooled: its scores, and those of the arm `base` of the same seeds."""
    seeds = sorted(results[arm])
    groups: dict[int | str, list[int]] = {seed: [seed] for seed in seeds}
    if len(seeds) > 1:
        groups[ALL] = seeds
    other = results.get(base, {}) if arm != base else {}
    return {
        name: (_pooled(results[arm], group), _pooled(other, group) if set(group) <= set(other) else None)
        for name, group in groups.items()
    }


def _pooled(told: Mapping[int, Mapping[str, Any]], seeds: Sequence[int]) -> Columns:
    """All rows of the seeds; a column that the file of one of them is from before has no value there."""
    every = [told[seed]["scores"] for seed in seeds]
    names = {name for scores in every for name in scores}
    return {
        name: [value for scores in every for value in scores.get(name, [None] * len(scores["study"]))] for name in names
    }


def figure(columns: Columns, name: str) -> dict[str, Any]:
    """A figure of one arm and seed with its interval."""
    return interval(FIGURES[name](columns), columns["study"], seed=_SEED).as_json()


def difference(first: Columns, second: Columns, name: str) -> dict[str, Any]:
    """The first less the second on the same studies. Raises ValueError where they are not the same."""
    if list(first["study"]) != list(second["study"]):
        raise ValueError("the two arms were scored on different studies; score both with the same --per-site")
    return paired(FIGURES[name](first), FIGURES[name](second), first["study"], seed=_SEED).as_json()


def tables(folder: Path, unseen: str = "harbour") -> dict[str, Any]:
    """Every figure of every part, arm and seed; differences of each arm to "sft"."""
    results = load(folder)
    order = [arm.name for arm in ARMS if arm.name in results]
    out: dict[str, Any] = {"cpu_seconds": {}, "figures": {}, "against_sft": {}}
    for arm in order:
        out["cpu_seconds"][arm] = {seed: told.get("cpu_seconds") for seed, told in results[arm].items()}
        for seed, (scores, base) in by_seed(results, arm).items():
            for part, rule in PARTS.items():
                columns = chosen(scores, lambda row, rule=rule: rule(row, unseen))  # type: ignore[misc]
                if not columns["study"]:
                    continue
                place = out["figures"].setdefault(part, {}).setdefault(arm, {})
                place[seed] = {name: figure(columns, name) for name in FIGURES}
                if base is not None:
                    other = chosen(base, lambda row, rule=rule: rule(row, unseen))  # type: ignore[misc]
                    against = out["against_sft"].setdefault(part, {}).setdefault(arm, {})
                    against[seed] = {name: difference(columns, other, name) for name in FIGURES}
    return out


def contrasts(folder: Path, unseen: str = "harbour") -> dict[str, Any]:
    """Of every arm and seed: kinds of prior, comparisons without one, the drop to the unseen site, subgroups."""
    results = load(folder)
    few, of_priors, of_drops = map(_figures, (_CONTRASTED, _OF_PRIORS, _OF_DROPS))
    out: dict[str, Any] = {"priors": {}, "compares without prior": {}, "drops": {}, "subgroups": {}}
    for arm in (arm.name for arm in ARMS if arm.name in results):
        for seed, (columns, base) in by_seed(results, arm).items():
            made = {
                "priors": priors(columns, of_priors, _SEED),
                "compares without prior": {"all": {"compares": silence(columns, _SEED)}},
                "drops": drops(columns, base, of_drops, unseen, _SEED),
            }
            for name, rows in made.items():
                out[name].setdefault(arm, {})[seed] = rows
            for kind, rows in subgroups(columns, few, _SEED).items():
                out["subgroups"].setdefault(kind, {}).setdefault(arm, {})[seed] = rows
    out["composite less one reward"] = _against_single(results)
    return out


def _against_single(results: Mapping[str, Mapping[int, Mapping[str, Any]]]) -> dict[str, Any]:
    """GRPO step 1 on a composite (its own, all terms of step 2) less that on one reward, by that reward's arm."""
    out: dict[str, Any] = {}
    measured = _figures(_OF_REWARDS)
    for arm in (arm.name for arm in ARMS if arm.reward and arm.name in results):
        for whole, title in _COMPOSITES.items():
            for seed, (alone, mixed) in by_seed(results, arm, base=whole).items():
                if mixed is not None:
                    both = given(mixed), given(alone)
                    rows = composite(*both, measured, _SEED) | {PUBLISHED_MIX: difference(*both, PUBLISHED_MIX)}
                    out.setdefault(arm, {}).setdefault(seed, {})[title] = rows
    return out


def _cell(told: Mapping[str, Any]) -> str:
    if told["value"] is None:
        return "-"
    low, high = told["low"], told["high"]
    return f"{told['value']:.3f}" + ("" if low is None or high is None else f" [{low:.3f}, {high:.3f}]")


def _lines(part: str, by_arm: Mapping[str, Mapping[int | str, Mapping[str, Any]]]) -> list[str]:
    lines = [f"\n## {part}\n", "| arm | seed | n | " + " | ".join(FIGURES) + " |", "|" + "---|" * (3 + len(FIGURES))]
    for arm, seeds in by_arm.items():
        for seed, figures in seeds.items():
            cells = " | ".join(_cell(figures[name]) for name in FIGURES)
            lines.append(f"| {arm} | {seed} | {figures['errors']['n']} | {cells} |")
    return lines


def _contrast_lines(title: str, by_arm: Mapping[str, Mapping[int | str, Mapping[str, Mapping[str, Any]]]]) -> list[str]:
    names = next((list(one) for seeds in by_arm.values() for rows in seeds.values() for one in rows.values()), [])
    lines = [f"\n## {title}\n", "| arm | seed | what | " + " | ".join(names) + " |", "|" + "---|" * (3 + len(names))]
    for arm, seeds in by_arm.items():
        for seed, rows in seeds.items():
            for what, figures in rows.items():
                cells = " | ".join(_cell(figures[name]) for name in names)
                lines.append(f"| {arm} | {seed} | {what} | {cells} |")
    return lines


def contrast_text(told: Mapping[str, Any]) -> str:
    """The contrasts as Markdown."""
    lines: list[str] = []
    for title, by_arm in told.items():
        parts = by_arm.items() if title == "subgroups" else [("", by_arm)]
        for part, rows in parts:
            lines += _contrast_lines(f"{title}: {part}" if part else title, rows)
    return "\n".join(lines)


def text(told: Mapping[str, Any]) -> str:
    """The tables as Markdown."""
    lines = [f"CPU-seconds: {json.dumps(told['cpu_seconds'])}"]
    for part, by_arm in told["figures"].items():
        lines += _lines(part, by_arm)
    for part, by_arm in told["against_sft"].items():
        lines += _lines(f"{part}: difference to sft", by_arm)
    return "\n".join(lines)


def main(argv: list[str]) -> None:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m training.experiments_table", description="Tables of the arms.")
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "runs" / "results" / "nano-sites")
    parser.add_argument("--json", type=Path, default=None)
    options = parser.parse_args(argv)
    told, more = tables(options.results), contrasts(options.results)
    if options.json:
        options.json.write_text(json.dumps(told | more, indent=1) + "\n")
    print(text(told), contrast_text(more), sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
