"""Prepare manifests from collections on disk, and a mixture of them.

usage: python -m training.datasets.prepare CONFIG.toml
       python -m training.datasets.prepare dataset=mimic_cxr path=/data/mimic-cxr-jpg out=/data/manifests/mimic
                                           [workers=8] [engine=processes|ray] [shard=2000] [option=value ...]

CONFIG.toml: `out`, `workers`, `engine`; one [[source]] per collection (dataset, path, perhaps name, options), each
prepared into OUT/<name or dataset>; perhaps [mixture] (seed, views) with [[mixture.share]] (name, weight or cap),
written to OUT/mixture. The options of each collection: docs/training-data.md.

A run that is interrupted continues where it stopped when started again, with the same bytes as its result; what an
index entry, an option, a report or a film (by size and time of the file) changed is read anew.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from blake3 import blake3
from tqdm import tqdm

from training.datasets import decisions, splits
from training.datasets.card import Counts, write_card
from training.datasets.decisions import Decisions, decide
from training.datasets.manifest import BadManifest, write_text
from training.datasets.mixture import BadMixture, Share, mix
from training.datasets.problems import BadSource, Problem, dumps, loads
from training.datasets.running import in_processes, on_ray
from training.datasets.shards import SHARD_STUDIES, Shard, adapter_of, briefs, cut, finish_shard, read_shard
from training.datasets.source import Plan, Source

ENGINES = {"processes": in_processes, "ray": on_ray}
_SHARED_OPTIONS = ("digest", *decisions.OPTIONS, *splits.OPTIONS)


@dataclass(frozen=True)
class How:
    """How the work is run: on how many workers of which engine, in shards of how many studies; quiet: no bars."""

    workers: int = 1
    engine: str = "processes"
    shard: int = SHARD_STUDIES
    quiet: bool = False


@dataclass(frozen=True)
class Job:
    """One collection and where its manifest goes."""

    source: Source
    out: Path
    how: How = field(default_factory=How)


def _checked(source: Source) -> Source:
    known = (*adapter_of(source.dataset).OPTIONS, *_SHARED_OPTIONS)
    unknown = sorted(set(source.options) - set(known))
    if unknown:
        raise BadSource(f"{source.dataset} has no option {', '.join(unknown)}; its options are {', '.join(known)}")
    splits.shares(source)
    return source


def _run(what: str, work: Callable[[Any], int], jobs: Sequence[Any], how: How, total: int) -> None:
    if how.engine not in ENGINES:
        raise BadSource(f"there is no engine {how.engine!r}; known are {', '.join(ENGINES)}")
    with tqdm(total=total, desc=what, unit=" studies", disable=how.quiet) as bar:
        for done in ENGINES[how.engine](work, jobs, how.workers):
            bar.update(max(done, 0))


@dataclass(frozen=True)
class _Finish:
    """Second pass over one part; picklable."""

    decided: Decisions

    def __call__(self, pair: tuple[Path, Path]) -> int:
        return finish_shard(*pair, self.decided)


def _first_pass(job: Job, plan: Plan) -> list[Shard]:
    shards = cut(plan.records, job.source, job.how.shard)
    wanted = {path for shard in shards for path in (shard.part(job.out), shard.problems(job.out))}
    for old in (job.out / "parts").glob("*"):
        if old not in wanted:
            old.unlink()
    work = partial(read_shard, source=job.source, out=job.out)
    _run(f"{job.source.dataset}: reading", work, shards, job.how, len(plan.records))
    return shards


def _second_pass(job: Job, shards: Sequence[Shard], decided: Decisions) -> list[Path]:
    """The manifest's shards; those of a former state are removed first."""
    parts = [shard.part(job.out) for shard in shards]
    targets = [job.out / f"shard-{shard.index:05d}-of-{len(shards):05d}.parquet" for shard in shards]
    said = [sorted(decided.dropped), sorted(decided.splits.items()), [part.name for part in parts]]
    state = blake3(json.dumps(said).encode()).hexdigest()
    mark = job.out / "parts.state"
    if not mark.is_file() or mark.read_text() != state:
        (job.out / "card.json").unlink(missing_ok=True)
        for old in job.out.glob("shard-*.parquet"):
            old.unlink()
        write_text(mark, state)
    pairs = list(zip(parts, targets, strict=True))
    _run(f"{job.source.dataset}: priors", _Finish(decided), pairs, job.how, sum(len(s.records) for s in shards))
    return targets


def prepare(job: Job) -> Counts:
    """Make the manifest of one collection; returns its card's counts. Raises BadSource."""
    source = _checked(job.source)
    plan = adapter_of(source.dataset).plan(source)
    if not plan.records:
        raise BadSource(f"{source.root}: the index files of {source.dataset} name no study{_first(plan.problems)}")
    shards = _first_pass(job, plan)
    decided = decide(list(briefs(shard.part(job.out) for shard in shards)), source)
    targets = _second_pass(job, shards, decided)
    problems: list[Problem] = [*plan.problems, *decided.problems]
    for shard in shards:
        problems += loads(shard.problems(job.out))
    made_from = {"dataset": source.dataset, "path": str(source.root), "options": dict(source.options)}
    return write_card(job.out, source.dataset, targets, problems, made_from)


def _first(problems: Sequence[Problem]) -> str:
    return f"; first of {len(problems)} problems: {dumps(problems[:1]).strip()}" if problems else ""


def _value(text: str) -> str | int | float | bool:
    return {"true": True, "false": False}.get(text.lower(), text)


def job_of(values: dict[str, Any], out: Path | None = None, how: How | None = None) -> Job:
    """A job from `dataset`, `path`, `out` and options, as arguments or a [[source]] give them. Raises BadSource."""
    values = dict(values)
    try:
        dataset, root = str(values.pop("dataset")), Path(str(values.pop("path"))).resolve()
        name = str(values.pop("name", dataset))
        target = out / name if out else Path(str(values.pop("out")))
    except KeyError as error:
        raise BadSource(f"give {error.args[0]}=… (needed are dataset, path and out)") from error
    if dataset != "phantoms" and not root.is_dir():
        raise BadSource(f"path = {root} is not a folder")
    return Job(_checked(Source(dataset, root, values)), target, how or How())


def _how(values: dict[str, Any]) -> How:
    """Take `workers`, `engine` and `shard` out of the values. Raises BadSource."""
    try:
        workers, shard = int(values.pop("workers", 1)), int(values.pop("shard", SHARD_STUDIES))
    except ValueError as error:
        raise BadSource("workers and shard must be whole numbers") from error
    if workers < 0 or shard < 1:
        raise BadSource("workers must not be negative, shard at least 1")
    return How(workers, str(values.pop("engine", "processes")), shard)


def _jobs_of_arguments(arguments: Iterable[str]) -> list[Job]:
    pairs = [argument.partition("=") for argument in arguments]
    wrong = [name for name, sign, _ in pairs if not sign]
    if wrong:
        raise BadSource(f"{wrong[0]!r} is neither a .toml file nor name=value")
    values: dict[str, Any] = {name: _value(text) for name, _, text in pairs}
    how = _how(values)
    return [job_of(values, how=how)]


def _apart(jobs: Sequence[Job], config: dict[str, Any]) -> None:
    """Raises BadSource where one manifest would overwrite another."""
    names = ["mixture"] if "mixture" in config else []
    for job in jobs:
        if job.out.name in names:
            raise BadSource(f"two manifests would be written to {job.out}; give each [[source]] a name = … of its own")
        names.append(job.out.name)


def _mixture(table: dict[str, Any], out: Path, jobs: Sequence[Job]) -> None:
    made = {job.out.name: job.out for job in jobs}
    views = tuple(table.get("views", ()))
    named = table.get("share", [{"name": name} for name in made])
    missing = [share["name"] for share in named if share["name"] not in made]
    if missing:
        raise BadMixture(f"the mixture names {missing[0]!r}, which is no [[source]]; there are {', '.join(made)}")
    shares = [Share(made[s["name"]], s.get("weight"), s.get("cap"), views) for s in named]
    _told(out / "mixture", mix(shares, out / "mixture", seed=int(table.get("seed", 0))))


def _told(out: Path, card: Counts) -> None:
    total = sum(site["studies"] for site in card["sites"].values())
    print(f"{out}: {total:,} studies, {sum(card['dropped'].values()):,} left out; see CARD.md", flush=True)


def main(argv: Sequence[str]) -> None:
    """Command line; see the module's docstring."""
    if not argv or argv[0] in {"-h", "--help"}:
        raise SystemExit(__doc__)
    try:
        if not argv[0].endswith(".toml"):
            for job in _jobs_of_arguments(argv):
                _told(job.out, prepare(job))
            return
        config = tomllib.loads(Path(argv[0]).read_text(encoding="utf-8"))
        how = _how(config)
        if "out" not in config or not config.get("source"):
            raise BadSource(f"{argv[0]} needs out = … and at least one [[source]]")
        out = Path(config["out"])
        jobs = [job_of(table, out, how) for table in config["source"]]
        _apart(jobs, config)
        for job in jobs:
            _told(job.out, prepare(job))
        if "mixture" in config:
            _mixture(config["mixture"], out, jobs)
    except (BadSource, BadManifest, BadMixture, OSError, tomllib.TOMLDecodeError) as error:
        raise SystemExit(f"{type(error).__name__}: {error}") from error


if __name__ == "__main__":
    main(sys.argv[1:])
