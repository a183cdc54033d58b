"""Two or more results files against each other: paired significance, and leave-one-site-out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from training.evaluate.metrics import FIGURES
from training.evaluate.resampling import DRAWS, Ratio, finite, paired, unpaired

Results = Mapping[str, Any]


class NotComparable(ValueError):
    """The results have no studies in common, or judge them by different references or splits."""


def compare(first: Results, second: Results, *, seed: int = 0, draws: int = DRAWS) -> dict[str, Any]:
    """First - second over the studies both have, by figure both have. Raises NotComparable.

    Each difference: value, 95 % interval and p of the paired bootstrap, p of approximate randomisation, n, patients.
    """
    rows = _common(first, second)
    patients = [left["patient"] for left, _ in rows]
    differences = {
        name: {
            "first": finite(_ratio([left for left, _ in rows], name).value),
            "second": finite(_ratio([right for _, right in rows], name).value),
            "better": FIGURES[name].better,
            **paired(
                _ratio([left for left, _ in rows], name),
                _ratio([right for _, right in rows], name),
                patients,
                seed=seed,
                draws=draws,
            ).as_json(),
        }
        for name in FIGURES
        if name in first["figures"] and name in second["figures"]
    }
    return {
        "first": first["system"],
        "second": second["system"],
        "split": first["data"]["split"],
        "studies": len(rows),
        "left_out": {"first": len(first["studies"]) - len(rows), "second": len(second["studies"]) - len(rows)},
        "seed": seed,
        "draws": draws,
        "figures": differences,
    }


def _common(first: Results, second: Results) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    _refuse_two_splits([first, second])
    other = {row["study"]: row for row in second["studies"]}
    rows = [(row, other[row["study"]]) for row in first["studies"] if row["study"] in other]
    if not rows:
        raise NotComparable("the two runs have no study in common; evaluate both on the same data")
    changed = [left["study"] for left, right in rows if left["reference"] != right["reference"]]
    if changed:
        raise NotComparable(
            f"{len(changed)} studies have different references, such as {changed[0]}; use the same data"
        )
    return rows


def _refuse_two_splits(runs: Sequence[Results]) -> None:
    if len({run["data"]["split"] for run in runs}) > 1:
        raise NotComparable("one run is of reports and the other of findings; evaluate all on the same split")


def _ratio(rows: Sequence[Mapping[str, Any]], name: str) -> Ratio:
    """A figure rebuilt from per-study scores; null is a study that was not judged."""
    pairs = [row["scores"].get(name) or (None, None) for row in rows]
    columns = zip(*pairs, strict=True)
    return Ratio(*(np.array([np.nan if v is None else v for v in column], dtype=np.float64) for column in columns))


def leave_one_site_out(runs: Sequence[Results], *, seed: int = 0, draws: int = DRAWS) -> dict[str, Any]:
    """Each run was trained without some site; at each site, runs that trained on it against runs that did not.

    The runs' own `trained_sites` tell. A site that no run, or every run, trained on has no drop. Of several runs of a
    kind the studies are pooled, each as its own; patients are drawn once for both kinds. Raises NotComparable where a
    run does not say what it trained on, or is of another split.
    """
    _refuse_two_splits(runs)
    untold = [run["system"]["name"] for run in runs if not run["sites"]["trained_sites"]]
    if untold:
        raise NotComparable(f"{', '.join(untold)}: evaluate with --trained-sites, so that seen and unseen can be told")
    sites = sorted({row["site"] for run in runs for row in run["studies"]})
    figures = [name for name in FIGURES if all(name in run["figures"] for run in runs)]
    return {
        "runs": [run["system"] | {"trained_sites": run["sites"]["trained_sites"]} for run in runs],
        "seed": seed,
        "draws": draws,
        "sites": {site: _at_site(site, runs, figures, seed, draws) for site in sites},
    }


def _at_site(site: str, runs: Sequence[Results], figures: Sequence[str], seed: int, draws: int) -> dict[str, Any]:
    seen: list[Mapping[str, Any]] = []
    unseen: list[Mapping[str, Any]] = []
    for run in runs:
        rows = [row for row in run["studies"] if row["site"] == site]
        (seen if site in run["sites"]["trained_sites"] else unseen).extend(rows)
    table: dict[str, Any] = {"n_seen": len(seen), "n_unseen": len(unseen)}
    for name in figures:
        entry: dict[str, Any] = {
            "seen": finite(_ratio(seen, name).value) if seen else None,
            "unseen": finite(_ratio(unseen, name).value) if unseen else None,
        }
        if seen and unseen:
            parts = [(_ratio(rows, name), [row["patient"] for row in rows]) for rows in (seen, unseen)]
            entry["drop"] = unpaired(parts[0], parts[1], seed=seed, draws=draws).as_json()
        table[name] = entry
    return table
