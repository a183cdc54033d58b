"""The paper's tables in small: base, SFT, more SFT for the same compute, RL only, SFT + RL; single rewards, composite.

usage: python -m training.experiments [--run training/runs/nano-sites.toml] [--work build/experiments] [--seeds 1 2 3]
           [--arms NAME ...] [--processes 2] [--results training/runs/results] [--per-site 240] [--shared-sft]

Per seed the arms below. Rendered films, vision pretraining and the tokenizer are shared by all seeds (they belong to no
arm); the language model's initial weights, the order of the data and all sampling differ by seed. With `--shared-sft`
the SFT stages that `training.train_nano` has finished in WORK are the arms "base" and "sft" of every seed, which then
differ in what follows on them alone.
"RL only" (from base) and "more SFT" get the CPU-seconds that both RL steps were measured to spend. More SFT spends them
on a longer last stage in place of sft's, under one schedule: SFT begun anew from the end of sft loses
(docs/training-nano-history.md).

Every arm writes RESULTS/<run>/seed-<n>-<arm>.json: one column per score, one row per held-out study of the trained
sites and the unseen one; training/evaluate/resampling.py makes intervals and paired tests of them
(`python -m training.experiments_table`). An arm that has its file is not run again, one that was killed continues; an
arm whose sources have files but no weights here (another machine) trains them again, and takes what
they spent from the files. One seed is the unit: training/runs/nano-sites.toml says what it costs.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import sys
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from training import ranks
from training.config import RUNS, RewardTerm, RlStage, Run, SftStage, load_run


@dataclass(frozen=True)
class Arm:
    """source: the arm whose last weights it starts from. stages: names of [[sft]] or [[rl]] stages, in order.

    costs: arms whose CPU-seconds together this one gets (its stage's steps follow from them); `like` has the same kind
    of step, and tells what one costs. longer: in place of its source's last stage, whose steps it has as well, from the
    weights before that stage.
    reward: this reward alone in place of the stage's own. rewards_of: those of another [[rl]] stage in their place.
    """

    name: str
    source: str
    stages: tuple[str, ...]
    costs: tuple[str, ...] = ()
    like: str = ""
    longer: bool = False
    reward: str = ""
    rewards_of: str = ""


ARMS = (
    Arm("base", "", ("words",)),
    Arm("sft", "base", ("read", "mixed", "compare")),
    Arm("rl_step1", "sft", ("step1",)),
    Arm("rl_step2", "rl_step1", ("step2",)),
    Arm("more_sft", "sft", ("compare",), costs=("rl_step1", "rl_step2"), like="sft", longer=True),
    Arm("rl_only", "base", ("step1",), costs=("rl_step1", "rl_step2"), like="rl_step1"),
    Arm("rl_bleu2", "sft", ("step1",), reward="bleu2"),
    Arm("rl_findings_f1", "sft", ("step1",), reward="findings_f1"),
    Arm("rl_findings_errors", "sft", ("step1",), reward="findings_errors"),
    Arm("rl_all_terms", "sft", ("step1",), rewards_of="step2"),
)
_VISION_RANKS = 2  # each jitters its part of a batch: another number gives another tower
_BY_NAME = {arm.name: arm for arm in ARMS}


def folder_of(work: Path, seed: int, arm: str) -> Path:
    """Where an arm trains."""
    return work / f"seed-{seed}" / arm


def _stages(options: argparse.Namespace, seed: int, arm: str) -> dict[str, dict[str, float]]:
    """What each finished stage of an arm spent; of an arm whose weights are gone the result file tells it."""
    path = result_path(options, arm, seed)
    if path.exists():
        return dict(json.loads(path.read_text())["stages"])
    done = sorted(folder_of(options.work, seed, arm).glob("*/result.json"))
    kept = ("cpu_seconds", "wall_seconds", "steps")
    return {one.parent.name: {key: json.loads(one.read_text())[key] for key in kept} for one in done}


def _spent(options: argparse.Namespace, seed: int, arm: str) -> float:
    """CPU-seconds over the stages of a finished arm."""
    return sum(one["cpu_seconds"] for one in _stages(options, seed, arm).values())


def _stage(run: Run, arm: Arm, name: str, options: argparse.Namespace, seed: int) -> SftStage | RlStage:
    """The stage as the run has it, with the arm's reward and, for the same compute, its number of steps."""
    stage: Any = next(one for one in (*run.sft, *run.rl) if one.name == name)
    if arm.reward:
        stage = replace(stage, rewards=(RewardTerm(arm.reward, 1.0),))
    if arm.rewards_of:
        stage = replace(stage, rewards=next(one.rewards for one in run.rl if one.name == arm.rewards_of))
    if arm.costs:
        like = _stages(options, seed, arm.like)[name]
        budget = sum(_spent(options, seed, one) for one in arm.costs) + (like["cpu_seconds"] if arm.longer else 0)
        steps = max(1, round(budget * like["steps"] / like["cpu_seconds"]))
        stage = replace(stage, steps=steps, **({"stop": steps} if isinstance(stage, SftStage) else {}))
    return stage


def train_arm(run: Run, arm: Arm, options: argparse.Namespace, seed: int) -> Path:
    """Run the stages that are not done, of the arms it starts from first; returns the folder of its weights.

    Weights do not leave the machine they were made on, results do: where only results are, a source is trained again.
    """
    folder = folder_of(options.work, seed, arm.name)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = _BY_NAME.get(arm.source)
        source = train_arm(run, before, options, seed) if before else _start(run, options.work, seed)
        if before and arm.longer:
            source = source.parent / before.stages[-2]
        for name in arm.stages:
            out = folder / name
            if not (out / "result.json").exists():
                _train(run, _stage(run, arm, name, options, seed), options.work, source, out)
            source = out
    return source


def _train(run: Run, stage: SftStage | RlStage, work: Path, source: Path, out: Path) -> None:
    if isinstance(stage, RlStage):
        from training import rl

        rl.train(run, stage, work, source, out)
    else:
        from training import sft

        sft.train(run, stage, work, source, out)


def _start(run: Run, work: Path, seed: int) -> Path:
    """A language model of this seed on the shared vision tower."""
    from training.train_nano import assemble

    folder = folder_of(work, seed, "start")
    if not (folder / "base" / "model.safetensors").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "vision.pt").write_bytes((work / "vision.pt").read_bytes())
        assemble(run, folder)
    return folder / "base"


def _child(options: argparse.Namespace, arm: str, seed: int) -> None:
    """Train and score one arm in a one-thread process of its own."""
    command = ["--run", str(options.run), "--work", str(options.work), "--results", str(options.results)]
    command += ["--seeds", str(seed), "--per-site", str(options.per_site), "--only", arm]
    ranks.launch("training.experiments", command, 1)


def _one(options: argparse.Namespace, arm: Arm, seed: int) -> None:
    """What a child process does."""
    from training.experiments_scores import score_checkpoint

    run = replace(load_run(options.run), seed=seed)
    start = time.time()
    weights = train_arm(run, arm, options, seed)
    stages = _stages(options, seed, arm.name)
    spent = {"cpu_seconds": round(_spent(options, seed, arm.name), 1), "stages": stages}
    drafts = folder_of(options.work, seed, arm.name) / "drafts.json"
    columns = score_checkpoint(weights, run.phantoms, options.per_site, drafts)
    result = {"run": options.run.stem, "seed": seed, "arm": arm.name, "source": arm.source, **spent, "scores": columns}
    path = result_path(options, arm.name, seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, separators=(",", ":")) + "\n")
    print(f"seed {seed} {arm.name}: {time.time() - start:.0f} s", flush=True)


def result_path(options: argparse.Namespace, arm: str, seed: int) -> Path:
    """Where an arm's scores go."""
    return Path(options.results) / options.run.stem / f"seed-{seed}-{arm}.json"


def _shared(options: argparse.Namespace) -> None:
    """Films and the vision tower, once for all arms and seeds."""
    from training.train_nano import render, run_stage

    run, work = load_run(options.run), options.work
    work.mkdir(parents=True, exist_ok=True)
    run_stage("render", work, lambda: render(run, work, options.processes))
    see = [str(options.run), str(work)]
    run_stage("vision", work, lambda: ranks.launch("training.vision", see, _VISION_RANKS))


def _share_sft(options: argparse.Namespace) -> None:
    """Each seed's SFT stages are those of WORK. Exits where one is not finished there."""
    for seed in options.seeds:
        for arm in ("base", "sft"):
            folder = folder_of(options.work, seed, arm)
            folder.mkdir(parents=True, exist_ok=True)
            for stage in _BY_NAME[arm].stages:
                made = (options.work / f"sft-{stage}").resolve()
                if not (made / "result.json").exists():
                    sys.exit(
                        f"{made} is not finished: run `python -m training.train_nano --work {options.work}` first."
                    )
                if not (folder / stage).exists():
                    (folder / stage).symlink_to(made)


def run_all(options: argparse.Namespace) -> None:
    """All wanted arms of all seeds, `processes` at a time, each after those it starts from or is measured by."""
    _shared(options)
    if options.shared_sft:
        _share_sft(options)
    arms = [arm for arm in ARMS if not options.arms or arm.name in options.arms]
    waiting: dict[tuple[int, str], Future[None]] = {}

    def after(seed: int, arm: Arm) -> None:
        for name in {arm.source, *arm.costs, arm.like}:
            if (seed, name) in waiting:
                waiting[seed, name].result()
        if not result_path(options, arm.name, seed).exists():
            _child(options, arm.name, seed)

    with ThreadPoolExecutor(options.processes) as pool:
        for arm in arms:
            for seed in options.seeds:
                waiting[seed, arm.name] = pool.submit(after, seed, arm)
        for future in waiting.values():
            future.result()


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.experiments", description="Run the arms of the tables.")
    parser.add_argument("--run", type=Path, default=RUNS / "nano-sites.toml")
    parser.add_argument("--work", type=Path, default=Path("build") / "experiments")
    parser.add_argument("--results", type=Path, default=RUNS / "results")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--arms", nargs="*", default=[], choices=[*_BY_NAME, []])
    parser.add_argument("--processes", type=int, default=2, help="one-thread processes")
    parser.add_argument("--per-site", type=int, default=240, help="held-out studies per site, half of them pairs")
    parser.add_argument("--shared-sft", action="store_true", help="every seed starts from WORK's finished SFT")
    parser.add_argument("--only", default="", help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def main(argv: list[str]) -> None:
    """Command line; see the module's docstring."""
    options = _arguments(argv)
    if options.only:
        _one(options, _BY_NAME[options.only], options.seeds[0])
    else:
        run_all(options)


if __name__ == "__main__":
    main(sys.argv[1:])
