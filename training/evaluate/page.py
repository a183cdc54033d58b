"""The one HTML page of an evaluation: tables, plots and example cases, everything inline, every text escaped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from training.evaluate import plots
from training.evaluate.examples import Example
from training.evaluate.groups import LARGE
from training.evaluate.metrics import FIGURES

_HERE = Path(__file__).parent
_SHOWN = ("inverse_radcliq_v1", "radcliq_v1", "findings_f1", "change_f1", "change_errors", "findings_errors")


def render(results: Mapping[str, Any], examples: Sequence[Example]) -> str:
    """The page. Only the plots, which are ours and escape their own labels, go in as markup."""
    environment = Environment(loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined)
    shown = [name for name in _SHOWN if name in results["figures"]]
    return environment.get_template("page.html.jinja").render(
        r=results,
        examples=examples,
        shown=shown,
        large=LARGE,
        titles={name: figure.title for name, figure in FIGURES.items()},
        better={name: figure.better for name, figure in FIGURES.items()},
        arms=_with_sizes(results["longitudinal"]["arms"]),
        plots={name: Markup(svg) for name, svg in _plots(results, shown[0]).items()},  # noqa: S704 - our own SVG
    )


def _with_sizes(arms: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """`studies` of each arm, as `by_group` tables have it."""
    return {name: {"studies": max(row["n"] for row in arm.values()), **arm} for name, arm in arms.items()}


def _plots(results: Mapping[str, Any], first: str) -> dict[str, str]:
    found = {
        "sites": plots.group_plot(results["sites"]["sites"], first, "site"),
        "arms": plots.group_plot(results["longitudinal"]["arms"], "change_f1", "prior"),
        "arm_errors": plots.group_plot(results["longitudinal"]["arms"], "findings_errors", "prior"),
        "reliability": plots.reliability_plot(results["calibration"]),
    }
    for policy in ("present", "present_or_uncertain"):
        found[f"labels_{policy}"] = plots.label_plot(results["labels"][policy]["conditions"], policy)
    for name, row in results["errors"].items():
        found[f"errors_{name}"] = plots.error_plot(row["shares"], name, row["n"])
    for attribute, part in results["subgroups"].items():
        found[f"group_{attribute}"] = plots.group_plot(part["groups"], first, attribute)
    return found
