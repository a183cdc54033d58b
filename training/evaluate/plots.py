"""Plots of a results file as inline SVG: no script, no font and nothing else from outside the page."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from training.evaluate.metrics import FIGURES

_BLUE, _GREY = "#1f5a8a", "#8a8f98"
_STYLE = {"svg.fonttype": "none", "svg.hashsalt": "unirg", "font.size": 9, "font.family": "sans-serif"}


def _svg(figure: Figure) -> str:
    held = io.StringIO()
    with mpl.rc_context(_STYLE):
        figure.savefig(held, format="svg", bbox_inches="tight", metadata={"Date": None, "Creator": None})
    text = held.getvalue()
    return text[text.index("<svg") :]


def _axes(width: float, height: float, title: str) -> tuple[Figure, Any]:
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height))
        axes = figure.subplots()
    axes.set_title(title, fontsize=10, loc="left")
    axes.spines[["top", "right"]].set_visible(b=False)
    return figure, axes


def intervals(title: str, rows: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    """Points with 95 % intervals, one line each; rows without a value are left out. "" where none has one."""
    known = [(label, row) for label, row in rows if row and row.get("value") is not None]
    if not known:
        return ""
    figure, axes = _axes(6.2, 0.6 + 0.32 * len(known), title)
    for place, (_, row) in enumerate(reversed(known)):
        axes.plot(row["value"], place, "o", color=_BLUE, markersize=5)
        if row.get("low") is not None:
            axes.plot([row["low"], row["high"]], [place, place], color=_BLUE, linewidth=1.5)
    labels = [f"{label} (n = {row['n']})" if "n" in row else label for label, row in reversed(known)]
    axes.set_yticks(range(len(known)), [_plain(label) for label in labels])
    axes.set_ylim(-0.6, len(known) - 0.4)
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    return _svg(figure)


def _plain(label: str) -> str:
    """Matplotlib reads dollar signs as mathematics."""
    return label.replace("$", r"\$")


def group_plot(table: Mapping[str, Mapping[str, Any]], name: str, what: str) -> str:
    """One figure over groups of a `by_group` table."""
    rows = [(group, row[name]) for group, row in table.items() if name in row]
    return intervals(f"{FIGURES[name].title} by {what}", rows)


def error_plot(shares: Mapping[str, float], name: str, n: int) -> str:
    """Share of reports by number of errors."""
    if not shares:
        return ""
    figure, axes = _axes(4.6, 2.2, f"Reports by number of errors: {name} (n = {n})")
    axes.bar(list(shares), [100 * value for value in shares.values()], color=_BLUE, width=0.65)
    axes.set_ylabel("% of reports")
    return _svg(figure)


def label_plot(conditions: Mapping[str, Mapping[str, Any]], policy: str) -> str:
    """F1 of every condition that a reference has."""
    known = {name: row for name, row in conditions.items() if row["true"] and row["f1"] is not None}
    if not known:
        return ""
    figure, axes = _axes(6.2, 0.7 + 0.24 * len(known), f"F1 per condition, {policy.replace('_', ' ')}")
    names = list(reversed(known))
    axes.barh(
        [f"{name} (n = {known[name]['true']})" for name in names], [known[name]["f1"] for name in names], color=_BLUE
    )
    axes.set_xlim(0, 1)
    return _svg(figure)


def reliability_plot(section: Mapping[str, Any]) -> str:
    """Share of right sentences against their confidence; the size of a point is its share of sentences."""
    if not section.get("bins"):
        return ""
    figure, axes = _axes(3.6, 3.4, f"Sentence confidence (n = {section['n']} sentences)")
    bins = section["bins"]
    axes.plot([0, 1], [0, 1], color=_GREY, linewidth=1, linestyle="--")
    sizes = [20 + 300 * row["n"] / section["n"] for row in bins]
    axes.scatter([r["confidence"] for r in bins], [r["right"] for r in bins], s=sizes, color=_BLUE, alpha=0.75)
    axes.set_xlabel("confidence")
    axes.set_ylabel("share right")
    axes.set_xlim(0, 1.03)
    axes.set_ylim(0, 1.03)
    return _svg(figure)
