"""A trained checkpoint -> model/checkpoints/<name>: weights, processor, manifest, provenance, figures, card.

usage: python -m training.export prepare --checkpoint DIR --run RUN.toml --out CANDIDATE [--like NAME] [--base DIR]
       python -m training.evaluate run --checkpoint CANDIDATE --phantoms N --out RESULTS
       python -m training.export publish --candidate CANDIDATE --evaluation RESULTS/results.json --run RUN.toml
              --notes training/card_nano.md --command "…" [--work DIR] [--only-if-better BASELINE.json] [--out DIR]

`prepare` takes what SFT or RL left (a folder, or a LoRA adapter with --base) and writes what is served: weights rounded
to bfloat16 under their Hugging Face names, so that transformers and vLLM load the folder as it is, the processor, and a
manifest with the digest. What is evaluated are these bytes. `publish` refuses a candidate whose digest, names or
processor do not fit, or whose evaluation is of other weights or of studies that training has seen. With
--only-if-better it goes by the rule of training/export_decision.py and nothing else; the reason is printed and kept in
RESULTS/decision.json, and of a candidate that is exported beside its weights. All is written into CANDIDATE, which then
takes the place of the served folder in one step; training.train_nano ends the same way, without a decision.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForImageTextToText, AutoProcessor

from model.manifest import CHECKPOINTS, BadCheckpoint, Checkpoint, load_checkpoint
from model.prompting import PROMPT_VERSION
from model.weights_digest import digest_of, weight_files
from training import export_card, export_checks
from training.config import BadRunConfig, Run, load_run
from training.evaluate.drafts import MAX_NEW_TOKENS
from training.evaluate.phantoms import evaluate
from training.export_card import Provenance
from training.export_checks import BadExport
from training.export_decision import (
    DECISION,
    Verdict,
    decide,
    decided_before,
    read_results,
    require_held_out,
    sha256_of,
)
from training.tokenizer import VISION_TOKENS

NANO_NOTES = Path(__file__).parent / "card_nano.md"
_NEVER_WRITTEN = (*VISION_TOKENS, "<|im_start|>", "<|object_ref_start|>", "<|object_ref_end|>", "<|box_start|>",
                  "<|box_end|>", "<|quad_start|>", "<|quad_end|>")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Served:
    """How the checkpoint is run. image_size: px; dtype: what the bfloat16 file is loaded to; limits in tokens."""

    image_size: int
    dtype: str
    max_model_len: int
    max_new_tokens: int
    licence: str = "Apache-2.0"

    @classmethod
    def of_run(cls, run: Run) -> Served:
        """A network made from nothing: its own sizes, run in float32. Raises BadRunConfig."""
        return cls(run.sizes.image_size, "float32", run.sizes.max_positions, MAX_NEW_TOKENS)

    @classmethod
    def like(cls, name: str) -> Served:
        """As a checkpoint that there is. Raises BadCheckpoint."""
        known = load_checkpoint(name).manifest
        limits = known.limits
        return cls(known.image_size, known.dtype, limits.max_model_len, limits.max_new_tokens, known.licence)


def _network(source: Path, base: Path | None) -> Any:
    """The model in float32, or in bfloat16 where it is stored so; an adapter is merged into `base`."""
    options = {"dtype": "auto", "local_files_only": True, "output_loading_info": True}
    network, report = AutoModelForImageTextToText.from_pretrained(base or source, **options)
    export_checks.check_loaded(base or source, report)
    if base is None:
        return network
    from peft import PeftModel

    return PeftModel.from_pretrained(network.float(), source).merge_and_unload(safe_merge=True)


def write_weights(source: Path, out: Path, base: Path | None = None) -> dict[str, Any]:
    """Round to bfloat16 and save with the processor; returns parameter count, bytes, and the token ids of decoding.

    Raises BadExport where `source` is not a whole model, or its tensors do not fit its configuration.
    """
    export_checks.require_model_folder(base or source)
    if (source / "manifest.toml").is_file():
        load_checkpoint(source).weights_digest()
    network = _network(source, base)
    processor = AutoProcessor.from_pretrained(source if base is None else base, local_files_only=True)
    tokenizer = processor.tokenizer
    stop = [tokenizer.eos_token_id, tokenizer.pad_token_id]
    known = tokenizer.get_vocab()
    suppressed = [known[token] for token in _NEVER_WRITTEN if token in known]
    network.generation_config.update(eos_token_id=stop, suppress_tokens=suppressed)
    out.mkdir(parents=True, exist_ok=True)
    for stale in weight_files(out):
        stale.unlink()
    network.to(torch.bfloat16).save_pretrained(out)
    processor.save_pretrained(out)
    for path in weight_files(out):
        path.chmod(0o644)
    return {
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "bytes": sum(path.stat().st_size for path in weight_files(out)),
        "stop": list(dict.fromkeys(stop)),
        "suppressed": suppressed,
    }


def _manifest(name: str, served: Served, out: Path, facts: Mapping[str, Any]) -> str:
    """The keys of model/manifest.py. Values are plain strings, numbers and lists, which JSON writes as TOML does."""
    quote = json.dumps
    return f"""# Written by training/export.py; how the weights were made is in training.toml.
name = {quote(name)}
architecture = "Qwen3VLForConditionalGeneration"
source = "here"
licence = {quote(served.licence)}
weights = "."
weights_sha256 = {quote(digest_of(out))}
prompt_version = {quote(PROMPT_VERSION)}
image_size = {served.image_size}
dtype = {quote(served.dtype)} # the file is bfloat16; it is evaluated and served loaded to this

[limits]
max_model_len = {served.max_model_len}
max_new_tokens = {served.max_new_tokens}
images = 2

[decoding]
stop_token_ids = {quote(facts["stop"])}
suppressed_token_ids = {quote(facts["suppressed"])}
"""


def prepare(source: Path, out: Path, name: str, served: Served, base: Path | None = None) -> dict[str, Any]:
    """Write a candidate folder, and check it; returns what `write_weights` does. Raises BadExport, BadCheckpoint."""
    facts = write_weights(source, out, base)
    (out / "manifest.toml").write_text(_manifest(name, served, out, facts))
    export_checks.check_candidate(out)
    return facts


@dataclass(frozen=True, slots=True)
class Told:
    """What the card is told beside the candidate. commands: word for word; work: folders with the stages' *.done."""

    run_file: Path
    notes: Path
    commands: tuple[str, ...]
    work: tuple[Path, ...] = ()


def _provenance(checkpoint: Checkpoint, run: Run, told: Told) -> Provenance:
    from safetensors import safe_open

    tensors = 0
    for path in weight_files(checkpoint.weights):
        with safe_open(path, "pt") as file:
            tensors += sum(torch.Size(file.get_slice(key).get_shape()).numel() for key in file.keys())  # noqa: SIM118
    return Provenance(
        commands=told.commands,
        run=f"training/runs/{told.run_file.name}",
        seed=run.seed,
        data=export_card.data_in_words(run),
        wall_seconds=export_card.wall_seconds(told.work),
        versions=export_card.library_versions(),
        parameters=tensors,
        weights_bytes=sum(path.stat().st_size for path in weight_files(checkpoint.weights)),
    )


def publish(
    candidate: Path, results_file: Path, told: Told, out: Path | None = None, baseline: Path | None = None
) -> Verdict | None:
    """Put a candidate where the service finds it, default model/checkpoints/<its name>; returns the verdict, if any.

    With a baseline only if better. Raises BadExport, BadCheckpoint, BadRunConfig.
    """
    checkpoint, results, run = (
        export_checks.check_candidate(candidate),
        read_results(results_file),
        load_run(told.run_file),
    )
    export_checks.check_evaluated(checkpoint, results)
    require_held_out(results, run)
    verdict = decide(results, read_results(baseline)) if baseline else None
    if verdict is not None:
        print(f"{checkpoint.name}: {verdict.reason}", flush=True)
        _keep_decision(verdict, results_file.parent)
    if verdict is not None and not verdict.better:
        return verdict
    return _put(candidate, out or CHECKPOINTS / checkpoint.name, run, told, results_file, verdict)


def export(run: Run, run_file: Path, work: Path, source: Path, out: Path) -> None:
    """The last stage of training.train_nano: a candidate in WORK, measured on held-out phantoms, replaces `out`.

    Until it is whole `out` stays as it is. WORK/results.json keeps the figures with the drafts.
    """
    candidate, results_file = work / "candidate", work / "results.json"
    shutil.rmtree(candidate, ignore_errors=True)
    prepare(source, candidate, run.name, Served.of_run(run))
    results = export_card.phantom_results(evaluate(candidate, run))
    results_file.write_text(json.dumps(results, indent=1) + "\n")
    command = f"python -m training.train_nano --run training/runs/{run_file.name}"
    _put(candidate, out, run, Told(run_file, NANO_NOTES, (command,), (work,)), results_file)
    print(json.dumps(results["figures"], indent=1), flush=True)


def _put(
    candidate: Path, target: Path, run: Run, told: Told, results_file: Path, verdict: Verdict | None = None
) -> Verdict | None:
    """Complete the candidate with provenance, figures and card, then put it in the target's place in one step.

    Weights that are there already keep the decision they came by; a decision on other weights is not carried over.
    """
    _put_back(target)
    checkpoint, results = load_checkpoint(candidate), json.loads(results_file.read_text(encoding="utf-8"))
    manifest, stages = checkpoint.manifest, export_card.stages_in_words(run)
    verdict = verdict or decided_before(target, checkpoint.weights_digest())
    provenance = _provenance(checkpoint, run, told)
    text = export_card.card(
        manifest.name, manifest.image_size, provenance, stages, results, _notes(told.notes), verdict
    )
    shutil.copy(told.run_file, candidate / "run.toml")
    (candidate / "training.toml").write_text(export_card.training_toml(candidate, provenance))
    (candidate / "evaluation.json").write_text(_figures(results, results_file))
    (candidate / "CARD.md").write_text(text)
    (candidate / DECISION).unlink(missing_ok=True)
    if verdict is not None:
        _keep_decision(verdict, candidate)
    _replace(candidate, target)
    load_checkpoint(target).weights_digest()
    print(f"{checkpoint.name}: exported to {target}", flush=True)
    return verdict


def _notes(path: Path) -> str:
    notes = path.read_text(encoding="utf-8")
    if "## Known failures" not in notes:
        raise BadExport(
            f'{path} names no known failures; write them under "## Known failures", as training/card_nano.md'
        )
    return notes


def _keep_decision(verdict: Verdict, folder: Path) -> None:
    (folder / DECISION).write_text(json.dumps(verdict.as_json(), indent=1) + "\n")


def _figures(results: Mapping[str, Any], path: Path) -> str:
    """The results without the studies one by one, which have the size of a data set; with the digest of the whole."""
    told = {key: value for key, value in results.items() if key not in ("studies", "drafts")}
    return json.dumps({**told, "results_sha256": sha256_of(path)}, indent=1, ensure_ascii=False) + "\n"


def _beside(target: Path) -> tuple[Path, Path]:
    return target.with_name(f".{target.name}.new"), target.with_name(f".{target.name}.old")


def _put_back(target: Path) -> None:
    """What a kill between the two renamings of `_replace` left aside."""
    old = _beside(target)[1]
    if old.exists() and not target.exists():
        old.rename(target)


def _replace(candidate: Path, target: Path) -> None:
    """The copy is made aside and takes the target's place by renaming: what is there is the old or the new, whole.

    Between the two renamings there is neither, for an instant (`_put_back`).
    """
    if candidate.resolve() == target.resolve():
        return
    fresh, old = _beside(target)
    for left in (fresh, old):
        shutil.rmtree(left, ignore_errors=True)
    shutil.copytree(candidate, fresh)
    if target.exists():
        target.rename(old)
    fresh.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.export", description="Export a trained checkpoint.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    first = verbs.add_parser("prepare", help="write the weights as they are served")
    first.add_argument(
        "--checkpoint", type=Path, required=True, help="what training left: a model folder or an adapter"
    )
    first.add_argument("--base", type=Path, help="the model an adapter was trained on")
    first.add_argument("--like", help="a checkpoint whose image size, type and limits are taken; else the run's own")
    first.add_argument("--name", help="default: of the run")
    second = verbs.add_parser("publish", help="put a candidate into model/checkpoints")
    second.add_argument("--candidate", type=Path, required=True, help="folder made by prepare")
    second.add_argument("--evaluation", type=Path, required=True, help="results.json of the candidate, held-out data")
    second.add_argument("--notes", type=Path, required=True, help="Markdown with a part on known failures")
    second.add_argument("--command", action="append", required=True, help="how it was made, word for word; may repeat")
    second.add_argument("--work", type=Path, action="append", default=[], help="folder with *.done of the stages")
    second.add_argument("--only-if-better", type=Path, metavar="BASELINE.json", help="results.json to be better than")
    for verb in (first, second):
        verb.add_argument("--run", type=Path, required=True, help="the configuration it was trained by")
    first.add_argument("--out", type=Path, required=True, help="the candidate's folder")
    second.add_argument("--out", type=Path, help="default: model/checkpoints/<name>")
    return parser.parse_args(argv)


def main(argv: Sequence[str]) -> int:
    """0: done, also where the candidate is not better; 1: refused with a reason."""
    asked = _arguments(argv)
    try:
        run = load_run(asked.run)
        if asked.verb == "prepare":
            served = Served.like(asked.like) if asked.like else Served.of_run(run)
            prepare(asked.checkpoint, asked.out, asked.name or run.name, served, asked.base)
        else:
            told = Told(asked.run, asked.notes, tuple(asked.command), tuple(asked.work))
            publish(asked.candidate, asked.evaluation, told, asked.out, asked.only_if_better)
    except (BadExport, BadCheckpoint, BadRunConfig, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
