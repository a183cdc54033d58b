"""One static page of a training run: every figure of the progress file as a plot, and how the run ended.

usage: python -m training.run_report OUT [TITLE]      reads OUT/progress.jsonl, OUT/result.json; writes OUT/report.html

Plots are drawn by matplotlib and stand in the page as SVG: the file needs no network and can be kept with the weights.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup
from matplotlib.figure import Figure

from training.monitoring import Progress, column

PANELS: dict[str, tuple[str, ...]] = {
    "Reward": ("reward/composite", "reward_std"),
    "Reward components": ("reward/",),
    "Recall of present conditions": ("recall/",),
    "Length: generated over reference words": ("length_ratio",),
    "Outputs without a finding": ("no_finding_share", "no_finding_share_reference"),
    "Same text for different studies": ("duplicate_share", "duplicate_share_reference"),
    "Word 3-grams taken from the prior report": ("prior_similarity", "prior_similarity_reference"),
    "Comparison although no prior was given": ("comparison_without_prior",),
    "Entropy, nats per token": ("entropy",),
    "Divergence from the reference policy, nats per token": ("kl",),
    "Clipped share of tokens": ("clip_ratio/low_mean", "clip_ratio/high_mean"),
    "Groups whose rollouts all earn the same": ("frac_reward_zero_std",),
    "Completion length, tokens": ("completions/mean_length", "completions/max_length"),
    "Gradient norm": ("grad_norm",),
}
_SKIPPED = ("reward/composite", "reward/missing")
_SMOOTH = 9

_PAGE = jinja2.Template(
    """<!doctype html><html lang="en"><meta charset="utf-8"><title>{{ title }}</title>
<style>body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:75rem;padding:0 1rem;color:#1c2430}
h1{font-size:1.4rem}h2{font-size:1rem;margin:0 0 .3rem}
.grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(24rem,1fr));gap:1.5rem}
svg{width:100%;height:auto}.stop{border-left:4px solid #b3261e;padding-left:.8rem}
td{padding:.1rem 1rem .1rem 0}</style>
<h1>{{ title }}</h1>
{% if stopped %}<p class="stop"><b>Stopped: {{ stopped.rule }}.</b> {{ stopped.reason }}.
Weights kept: {{ stopped.weights_of }}.</p>{% endif %}
<table>{% for name, value in facts %}<tr><td>{{ name }}</td><td>{{ value }}</td></tr>{% endfor %}</table>
<p>Thin lines: each step. Thick lines: mean of the last {{ smooth }} steps.</p>
<div class="grid">{% for panel, drawing in plots %}<figure><h2>{{ panel }}</h2>{{ drawing }}</figure>{% endfor %}</div>
</html>
""",
    autoescape=True,
)


def _named(rows: Sequence[Mapping[str, float]], wanted: Sequence[str]) -> list[str]:
    """Figures of a panel: exact names, or all that start with a name ending in "/"."""
    known = sorted({name for row in rows for name in row})
    found = [name for name in known for one in wanted if name == one or (one.endswith("/") and name.startswith(one))]
    return [name for name in found if not (wanted[0] == "reward/" and name in _SKIPPED)]


def _smoothed(values: Sequence[float]) -> list[float]:
    windows = (values[max(0, i + 1 - _SMOOTH) : i + 1] for i in range(len(values)))
    return [sum(window) / len(window) for window in windows]


def draw(rows: Sequence[Mapping[str, float]], names: Sequence[str]) -> str:
    """One plot over the steps, as an SVG element."""
    figure = Figure(figsize=(6, 3.2), layout="constrained")
    axes = figure.subplots()
    for name in names:
        steps, values = column(rows, name)
        (line,) = axes.plot(steps, values, linewidth=0.6, alpha=0.35)
        axes.plot(steps, _smoothed(values), color=line.get_color(), linewidth=1.6, label=name)
    axes.set_xlabel("step")
    axes.grid(alpha=0.3)
    if names:
        axes.legend(fontsize=6, loc="best")
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None})
    svg = text.getvalue()
    return svg[svg.index("<svg") :]


def page(rows: Sequence[Mapping[str, float]], result: Mapping[str, Any], title: str) -> str:
    """The whole page as text."""
    panels = [(panel, _named(rows, wanted)) for panel, wanted in PANELS.items()]
    # SVG made here from numbers and fixed names: the one thing that must not be escaped.
    plots = [(panel, Markup(draw(rows, names))) for panel, names in panels if names]  # noqa: S704
    facts = [(name.replace("_", " "), value) for name, value in result.items() if name != "stopped"]
    return _PAGE.render(title=title, plots=plots, facts=facts, stopped=result.get("stopped"), smooth=_SMOOTH)


def write(folder: Path, title: str) -> Path:
    """OUT/report.html of a run that ended, or is under way."""
    ended = folder / "result.json"
    result = json.loads(ended.read_text()) if ended.exists() else {}
    path = folder / "report.html"
    path.write_text(page(Progress(folder).rows(), result, title))
    return path


def main(arguments: list[str]) -> None:
    """Command line; see the module's docstring."""
    folder = Path(arguments[0])
    print(write(folder, arguments[1] if len(arguments) > 1 else folder.name))


if __name__ == "__main__":
    main(sys.argv[1:])
