"""From nothing to the exported nano checkpoint, stage by stage.

usage: python -m training.train_nano [--run training/runs/nano-sites.toml] [--work DIR] [--out DIR] [--ranks 2]
           [--through STAGE]

Stages: render the phantom films; pretrain the vision tower; assemble the network and its tokenizer; each [[sft]] stage
in order; each [[rl]] stage in order; export: WORK/candidate, evaluated on the held-out studies and with its card, takes
the place of OUT. A stage whose result is in WORK is not run again. Of one that was interrupted, an [[sft]] or [[rl]]
stage continues from its last checkpoint and render behind its last whole set of films; vision and export, some minutes
each, begin anew. Delete WORK to start from nothing. `--through rl-step2` ends behind that stage: nothing held out is
looked at.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import torch

from training import ranks
from training.architecture import network, processor
from training.config import RUNS, Run, load_run
from training.export import export
from training.phantom.studies import cached_films
from training.tokenizer import train_tokenizer

CHECKPOINTS = Path(__file__).parent.parent / "model" / "checkpoints"


def render(run: Run, work: Path, processes: int) -> None:
    """Fill WORK/cache with the films of training and validation."""
    data = run.phantoms
    for seed, count, with_prior in (
        (data.single_seed, data.rendered(with_prior=False), False),
        (data.pair_seed, data.rendered(with_prior=True), True),
        (data.validation_seed, data.validation, False),
    ):
        cached_films(work / "cache", seed, count, with_prior=with_prior, processes=processes, sites=data.sites)


def assemble(run: Run, work: Path) -> None:
    """Random language model + pretrained vision tower + tokenizer + processor -> WORK/base."""
    tokenizer = train_tokenizer(run.sizes.vocabulary, run.sizes.max_positions)
    model = network(run.sizes, tokenizer, run.seed)
    model.model.visual.load_state_dict(torch.load(work / "vision.pt", weights_only=True))
    model.save_pretrained(work / "base")
    processor(run.sizes, tokenizer).save_pretrained(work / "base")


def run_stage(name: str, work: Path, action: Callable[[], None]) -> None:
    """Run once; the time it took is kept in WORK/<name>.done."""
    mark = work / f"{name}.done"
    if mark.exists():
        print(f"{name}: done before ({mark.read_text().strip()})", flush=True)
        return
    print(f"{name}: started", flush=True)
    start = time.time()
    action()
    mark.write_text(json.dumps({"wall_seconds": round(time.time() - start)}))
    print(f"{name}: {time.time() - start:.0f} s", flush=True)


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.train_nano", description="Train the nano checkpoint.")
    parser.add_argument("--run", type=Path, default=RUNS / "nano-sites.toml")
    parser.add_argument("--work", type=Path, default=Path("build") / "nano")
    parser.add_argument("--out", type=Path, default=None, help="default: model/checkpoints/<name of the run>")
    parser.add_argument("--ranks", type=int, default=2, help="one-thread processes")
    parser.add_argument("--through", default="", help="end behind this stage: vision, base, sft-NAME or rl-NAME")
    return parser.parse_args(argv)


def _stages(options: argparse.Namespace, run: Run) -> Iterator[tuple[str, Callable[[], None]]]:
    """Name and action of each stage but the export, in order."""
    work = options.work
    yield "render", lambda: render(run, work, options.ranks)
    yield "vision", lambda: ranks.launch("training.vision", [str(options.run), str(work)], options.ranks)
    yield "base", lambda: assemble(run, work)
    source = work / "base"
    for kind, stages in (("sft", run.sft), ("rl", run.rl)):
        for stage in stages:
            target = work / f"{kind}-{stage.name}"
            names = [str(options.run), stage.name, str(work), str(source), str(target)]
            yield target.name, partial(ranks.launch, f"training.{kind}", names, options.ranks)
            source = target


def main(argv: list[str]) -> None:
    """Command line; see the module's docstring."""
    options = _arguments(argv)
    run, work = load_run(options.run), options.work
    stages = dict(_stages(options, run))
    if options.through and options.through not in stages:
        sys.exit(f"{options.run} has no stage {options.through!r}; it has: {', '.join(stages)}")
    work.mkdir(parents=True, exist_ok=True)
    for name, action in stages.items():
        run_stage(name, work, action)
        if name == options.through:
            return
    out = options.out or CHECKPOINTS / run.name
    export(run, options.run, work, work / name, out)


if __name__ == "__main__":
    main(sys.argv[1:])
