"""Evaluate a checkpoint, or predictions that exist, as the field does. Research, not for diagnosis.

usage: python -m training.evaluate run --checkpoint NAME --phantoms N --out DIR       (N studies of each site)
       python -m training.evaluate run --checkpoint NAME --manifest DIR --out DIR
       python -m training.evaluate run --checkpoint NAME --rexrank FILE --img-root DIR --out DIR
       python -m training.evaluate score --predictions FILE --out DIR
       python -m training.evaluate compare FIRST/results.json SECOND/results.json [--out FILE]
       python -m training.evaluate sites RUN/results.json RUN/results.json ... [--out FILE]
       python -m training.evaluate tables --predictions FILE --out DIR

`run` and `score` write results.json (every figure, and every study's scores) and index.html; drafts are kept in the
same folder, and a run that was killed goes on. `unirg evaluate ...` is the same.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from model.manifest import BadCheckpoint, load_checkpoint
from training.datasets.manifest import BadManifest
from training.evaluate import rexrank
from training.evaluate.cases import Draft, NoStudies, StudyCase, judged_in
from training.evaluate.comparing import NotComparable, compare, leave_one_site_out
from training.evaluate.drafting import Drafted, identity
from training.evaluate.examples import examples
from training.evaluate.metrics import BadMetricsFile, Judges, read_setup
from training.evaluate.page import render
from training.evaluate.resampling import DRAWS
from training.evaluate.run import FORMAT, Outcome, Plan, evaluate, judge_arms
from training.phantom.reports import SITES
from training.rewards.catalogue import UnknownReward

REFUSALS = (BadCheckpoint, BadManifest, BadMetricsFile, NoStudies, NotComparable, rexrank.BadRecords, UnknownReward)
HELDOUT_SEED = 90_000


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="unirg evaluate", description="Evaluate report drafts. Not for diagnosis.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    run = verbs.add_parser("run", help="draft with a checkpoint and judge")
    run.add_argument("--checkpoint", required=True, help="name under model/checkpoints, or a folder with manifest.toml")
    run.add_argument("--weights", type=Path, help="folder of the weights, if elsewhere")
    data = run.add_mutually_exclusive_group(required=True)
    data.add_argument("--phantoms", type=int, metavar="N", help="so many phantom studies of each site")
    data.add_argument("--manifest", type=Path, help="folder made by training.datasets")
    data.add_argument("--rexrank", type=Path, help="ReXrank test cases")
    run.add_argument("--img-root", type=Path, default=Path(), help="folder of the images that --rexrank names")
    run.add_argument("--sites", help="phantom sites or datasets of the manifest, by comma; default all")
    run.add_argument("--phantom-seed", type=int, default=HELDOUT_SEED, help="of the studies; never one trained on")
    run.add_argument("--part", default="test", help="split of the manifest")
    run.add_argument("--trained-sites", default="", help="sites the checkpoint was trained on, by comma")
    run.add_argument("--no-priors", action="store_true", help="do not draft again without and with wrong priors")
    run.add_argument("--batch", type=int, default=8, help="studies drafted together")
    run.add_argument("--device", help="of torch; default the first GPU, else the CPU")
    score = verbs.add_parser("score", help="judge predictions in ReXrank's format")
    tables = verbs.add_parser("tables", help="write the tables that ReXrank's scorers read")
    for verb in (score, tables):
        verb.add_argument("--predictions", type=Path, required=True, help="ReXrank cases with model_prediction")
    score.add_argument("--img-root", type=Path, default=Path(), help="folder of the images, for the examples")
    for verb in (run, score, tables):
        verb.add_argument("--split", choices=("reports", "findings"), default="reports", help="what is judged")
        verb.add_argument("--out", type=Path, required=True, help="folder for what is written")
    for verb in (run, score):
        verb.add_argument("--metrics", type=Path, help="TOML: [rewards.weights], [rewards.options.<metric>]")
    _comparisons(verbs)
    for verb in verbs.choices.values():
        verb.add_argument("--seed", type=int, default=0, help="of the resampling")
        verb.add_argument("--draws", type=int, default=DRAWS, help="bootstrap samples")
    return parser


def _comparisons(verbs: Any) -> None:
    pair = verbs.add_parser("compare", help="paired significance of two runs")
    pair.add_argument("results", type=Path, nargs=2, help="results.json of each run")
    sites = verbs.add_parser("sites", help="leave-one-site-out over runs that were trained on different sites")
    sites.add_argument("results", type=Path, nargs="+", help="results.json of each run")
    for verb in (pair, sites):
        verb.add_argument("--out", type=Path, help="JSON file; default the terminal")


def _listed(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def _cases(asked: argparse.Namespace) -> tuple[list[StudyCase], str]:
    """The studies and where they are from, in words."""
    if asked.phantoms is not None:
        from training.evaluate.phantom_studies import phantom_cases

        sites = _listed(asked.sites) or list(SITES)
        told = f"{asked.phantoms} phantom studies of each of {', '.join(sites)}, seed {asked.phantom_seed}"
        return phantom_cases(asked.phantom_seed, asked.phantoms, sites), told
    if asked.manifest is not None:
        from training.evaluate.manifest_studies import manifest_cases

        told = f"{asked.part} part of the manifest {asked.manifest.name}"
        return manifest_cases(asked.manifest, asked.part, _listed(asked.sites)), told
    records = rexrank.read_records(asked.rexrank)
    cases = [rexrank.study_case(name, record, asked.img_root, asked.rexrank.stem) for name, record in records.items()]
    return cases, f"ReXrank cases of {asked.rexrank.name}"


def _write(outcome: Outcome, folder: Path, seed: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shown = examples(outcome.results, outcome.cases, seed)
    (folder / "index.html").write_text(render(outcome.results, shown), encoding="utf-8")
    _write_json(folder / "results.json", outcome.results)
    print(f"{folder / 'index.html'} and results.json: {outcome.results['data']['studies']} studies")


def _write_json(path: Path | None, value: Any) -> None:
    text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)
    if path is None:
        print(text)
        return
    part = path.with_name(f"{path.name}.writing")
    part.write_text(text + "\n", encoding="utf-8")
    part.replace(path)


def run(asked: argparse.Namespace) -> None:
    """Draft and judge."""
    from training.evaluate.writing import Writer

    checkpoint = load_checkpoint(asked.checkpoint, asked.weights)
    cases, source = _cases(asked)
    system = {"name": checkpoint.name, **identity(checkpoint)}
    plan = Plan(system, source, asked.split, asked.out, _listed(asked.trained_sites), not asked.no_priors,
                asked.seed, asked.draws, asked.batch)  # fmt: skip
    writer = cache(lambda: Writer(checkpoint, asked.device))
    _write(evaluate(plan, cases, writer, Judges(read_setup(asked.metrics))), asked.out, asked.seed)


def score(asked: argparse.Namespace) -> None:
    """Judge predictions that exist. They name no prior and no token probabilities, so these parts stay empty."""
    records = rexrank.read_records(asked.predictions)
    predicted = {name: rexrank.prediction(record) for name, record in records.items()}
    said = {name: Draft(text) for name, text in predicted.items() if text is not None}
    cases = [
        rexrank.study_case(name, record, asked.img_root, asked.predictions.stem) for name, record in records.items()
    ]
    wanted = judged_in(cases, asked.split)
    faults = {case.study: f"no {rexrank.PREDICTION}" for case in wanted if case.study not in said}
    system = {"name": asked.predictions.stem, "weights": "not stated by the predictions"}
    plan = Plan(system, f"Predictions of {asked.predictions.name}", asked.split, asked.out, seed=asked.seed,
                draws=asked.draws)  # fmt: skip
    outcome = judge_arms(plan, {"main": (wanted, Drafted(said, faults))}, Judges(read_setup(asked.metrics)))
    _write(outcome, asked.out, asked.seed)


def tables(asked: argparse.Namespace) -> None:
    """ReXrank's CSV files."""
    for path in rexrank.write_tables(rexrank.read_records(asked.predictions), asked.split, asked.out):
        print(path)


def _results(path: Path) -> dict[str, Any]:
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise NotComparable(f"{path} is not JSON ({error}); give the results.json of an evaluation") from None
    if not isinstance(loaded, dict) or loaded.get("format") != FORMAT:
        raise NotComparable(f"{path} is not of the format {FORMAT}; evaluate again with this version")
    return loaded


def compared(asked: argparse.Namespace) -> None:
    """Paired significance."""
    first, second = (_results(path) for path in asked.results)
    _write_json(asked.out, compare(first, second, seed=asked.seed, draws=asked.draws))


def sites(asked: argparse.Namespace) -> None:
    """Leave-one-site-out."""
    runs = [_results(path) for path in asked.results]
    _write_json(asked.out, leave_one_site_out(runs, seed=asked.seed, draws=asked.draws))


VERBS: dict[str, Callable[[argparse.Namespace], None]] = {
    "run": run,
    "score": score,
    "tables": tables,
    "compare": compared,
    "sites": sites,
}


def main(argv: Sequence[str]) -> int:
    """0: done, 1: refused with a reason, 2: wrong usage."""
    asked = _parser().parse_args(argv)
    try:
        VERBS[asked.verb](asked)
    except (*REFUSALS, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
