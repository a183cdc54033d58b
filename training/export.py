"""A trained checkpoint -> model/checkpoints/<name>: weights, processor, manifest, provenance, card, figures.

Weights are rounded to bfloat16 (half the file); what is evaluated is the rounded file loaded to fp32, which is also how
it is served: the figures on the card belong to the bytes in the repository.
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForImageTextToText, AutoProcessor

from model.prompting import PROMPT_VERSION
from training.config import Run
from training.evaluate.drafts import MAX_NEW_TOKENS
from training.evaluate.phantoms import evaluate
from training.tokenizer import VISION_TOKENS

_LIBRARIES = ("torch", "transformers", "trl", "tokenizers", "numpy", "opencv-python-headless")
_WEIGHTS = "model.safetensors"


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _wall_seconds(work: Path) -> dict[str, int]:
    marks = sorted(work.glob("*.done"), key=lambda path: path.stat().st_mtime)
    return {mark.stem: json.loads(mark.read_text())["wall_seconds"] for mark in marks}


def _command(run_file: Path) -> str:
    return f"python -m training.train_nano --run training/runs/{run_file.name}"


def write_weights(source: Path, out: Path) -> dict[str, Any]:
    """Round to bfloat16 and save with the processor; returns parameter count and the token ids of decoding."""
    out.mkdir(parents=True, exist_ok=True)
    model = AutoModelForImageTextToText.from_pretrained(source, dtype=torch.float32)
    processor = AutoProcessor.from_pretrained(source)
    tokenizer = processor.tokenizer
    stop = [tokenizer.eos_token_id, tokenizer.pad_token_id]
    suppressed = [tokenizer.convert_tokens_to_ids(token) for token in (*VISION_TOKENS, "<|im_start|>")]
    model.generation_config.update(eos_token_id=stop, suppress_tokens=suppressed)
    model.to(torch.bfloat16).save_pretrained(out)
    processor.save_pretrained(out)
    (out / _WEIGHTS).chmod(0o644)
    return {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "bytes": (out / _WEIGHTS).stat().st_size,
        "stop": stop,
        "suppressed": suppressed,
    }


def _versions() -> dict[str, str]:
    known = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            known[name] = version(name)
        except ModuleNotFoundError:
            continue
    return known


def _manifest(run: Run, out: Path, facts: dict[str, Any]) -> str:
    """The keys of model/manifest.py. Values are plain strings, numbers and lists, which JSON writes as TOML does."""
    quote = json.dumps
    return f"""# Written by training/export.py; how the weights were made is in training.toml.
name = {quote(run.name)}
architecture = "Qwen3VLForConditionalGeneration"
source = "here"
licence = "Apache-2.0"
weights = "."
weights_sha256 = {quote(_sha256(out / _WEIGHTS))}
prompt_version = {quote(PROMPT_VERSION)}
image_size = {run.architecture.image_size}
dtype = "float32" # the file is bfloat16; it was evaluated loaded to float32

[limits]
max_model_len = {run.architecture.max_positions}
max_new_tokens = {MAX_NEW_TOKENS}
images = 2

[decoding]
stop_token_ids = {quote(facts["stop"])}
suppressed_token_ids = {quote(facts["suppressed"])}
"""


def _training(run: Run, run_file: Path, out: Path, facts: dict[str, Any]) -> str:
    quote = json.dumps
    files = sorted(
        path for path in out.iterdir() if path.suffix in (".json", ".jinja") and path.name != "evaluation.json"
    )
    lines = [
        f"command = {quote(_command(run_file))}",
        f"run = {quote('training/runs/' + run_file.name)}",
        f"seed = {run.seed}",
        f"data = {quote(facts['data'])}",
        f"parameters = {facts['parameters']}",
        f"weights_bytes = {facts['bytes']}",
        "",
        "[wall_seconds]",
        *(f"{quote(name)} = {seconds}" for name, seconds in facts["wall_seconds"].items()),
        "",
        "[versions]",
        *(f"{quote(name)} = {quote(value)}" for name, value in facts["versions"].items()),
        "",
        "[sha256]",
        *(f"{quote(path.name)} = {quote(_sha256(path))}" for path in files),
    ]
    return "\n".join(lines) + "\n"


def _row(name: str, part: dict[str, Any]) -> str:
    change = part.get("change_macro_f1")
    told = "" if change is None else f"{change:.3f}"
    return f"| {name} | {part['studies']} | {part['findings_micro_f1']:.3f} | {told} |"


def _card(run: Run, run_file: Path, facts: dict[str, Any], figures: dict[str, Any]) -> str:
    template = (Path(__file__).parent / "card.md").read_text()
    rows = [
        _row("all", figures["all"]),
        _row("images swapped between studies", figures["swapped"]),
        _row("no prior", figures["without_prior"]),
        _row("with prior", figures["with_prior"]),
        _row("with prior film and report", figures["with_prior_and_report"]),
        _row("with prior film only", figures["with_prior_film_only"]),
    ]
    whole, route, alone = figures["all"], figures["dicom_route"], figures["drafted_alone"]
    return template.format(
        name=run.name,
        command=_command(run_file),
        seed=run.seed,
        run=f"training/runs/{run_file.name}",
        parameters=f"{facts['parameters']:,}",
        megabytes=f"{facts['bytes'] / 1e6:.1f}",
        data=facts["data"],
        table="\n".join(rows),
        heldout=figures["heldout_seed"],
        image_size=run.architecture.image_size,
        conditions=", ".join(f"{name} {value:.2f}" for name, value in whole["by_condition"].items()),
        changes=", ".join(f"{name} {value:.2f}" for name, value in whole["by_change"].items()),
        exact=f"{whole['exact_findings']:.0%}",
        unprompted=whole["comparisons_without_prior"],
        dicom=f"{route['same_findings']} of {route['studies']}",
        alone=f"{alone['same_text']} of {alone['studies']}",
        wall=", ".join(f"{name} {seconds} s" for name, seconds in facts["wall_seconds"].items()),
        versions=", ".join(f"{name} {value}" for name, value in facts["versions"].items()),
    )


def export(run: Run, run_file: Path, work: Path, source: Path, out: Path) -> None:
    """Write the checkpoint folder and measure it on the held-out studies."""
    facts, data = write_weights(source, out), run.data
    facts |= {
        "wall_seconds": _wall_seconds(work),
        "versions": _versions(),
        "data": f"training.phantom, {data.singles} single studies of seed {data.single_seed} and "
        f"{data.pairs} pairs of seed {data.pair_seed}",
    }
    (out / "manifest.toml").write_text(_manifest(run, out, facts))
    (out / "training.toml").write_text(_training(run, run_file, out, facts))
    figures = evaluate(out, run)
    (work / "drafts.json").write_text(json.dumps(figures.pop("drafts"), indent=1))
    (out / "evaluation.json").write_text(json.dumps(figures, indent=1) + "\n")
    (out / "CARD.md").write_text(_card(run, run_file, facts, figures))
    shutil.copy(run_file, out / "run.toml")
    print(json.dumps({"all": figures["all"], "swapped": figures["swapped"]}, indent=1), flush=True)
