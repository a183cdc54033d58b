"""The work of preparing, cut into shards of whole patients: the same functions in this process, in others, and on Ray.

Two passes. `read_shard` turns records into rows without priors (parts/). Then, over all parts, `decisions.decide`.
`finish_shard` drops, splits and links priors, which needs one shard only since patients are whole. Every file is
written under a temporary name and renamed, and is named by what it was made from (index entries, options, size and
time of each report and film): a run that was killed goes on where it stopped, and gives the same bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import pyarrow.parquet as pq
from blake3 import blake3

from training.datasets import splits
from training.datasets.decisions import Brief, Decisions
from training.datasets.manifest import VERSION, Row, table, write_table, write_text
from training.datasets.priors import with_priors
from training.datasets.problems import BadSource, Problem, dumps
from training.datasets.source import Adapter, Outcome, Record, Source

ADAPTERS = {
    "mimic_cxr": "training.datasets.mimic_cxr",
    "chexpert_plus": "training.datasets.chexpert_plus",
    "rexgradient": "training.datasets.rexgradient",
    "iu_xray": "training.datasets.iu_xray",
    "nih_cxr14": "training.datasets.nih",
    "phantoms": "training.datasets.phantoms",
    "feedback": "training.datasets.feedback",
}
SHARD_STUDIES = 2000
_UNREADABLE = (AttributeError, LookupError, TypeError, ValueError)  # what an adapter raises over a malformed record
_BRIEF_COLUMNS = ("study_id", "patient_id", "split", "order_key", "image_digest", "report_digest", "source_row")


def adapter_of(dataset: str) -> Adapter:
    """The module that knows a collection. Raises BadSource."""
    if dataset not in ADAPTERS:
        raise BadSource(f"there is no dataset {dataset!r}; known are {', '.join(ADAPTERS)}")
    return cast("Adapter", import_module(ADAPTERS[dataset]))


@dataclass(frozen=True)
class Shard:
    """Some whole patients of a collection. digest: of everything that decides the shard's rows."""

    index: int
    records: list[Record]
    digest: str

    def part(self, out: Path) -> Path:
        """Where its rows are kept between the passes."""
        return out / "parts" / f"{self.index:05d}-{self.digest[:16]}.parquet"

    def problems(self, out: Path) -> Path:
        """Where its problems are kept."""
        return self.part(out).with_suffix(".jsonl")


def cut(records: Iterable[Record], source: Source, size: int = SHARD_STUDIES) -> list[Shard]:
    """Records in shards of at least `size` studies (the last may be smaller), sorted, each patient in one shard."""
    ordered = sorted(records, key=lambda record: (record["patient"], record["study"], record.get("at", "")))
    shards: list[Shard] = []
    start = 0
    for stop in range(1, len(ordered) + 1):
        last = stop == len(ordered)
        if last or (stop - start >= size and ordered[stop]["patient"] != ordered[stop - 1]["patient"]):
            shards.append(_shard(len(shards), ordered[start:stop], source))
            start = stop
    return shards


def _shard(index: int, records: list[Record], source: Source) -> Shard:
    adapter = adapter_of(source.dataset)
    files = [_stamp(path) for record in records for path in _files(adapter, record, source)]
    made_from = [VERSION, source.dataset, str(source.root), dict(source.options), records, files]
    return Shard(index, records, blake3(json.dumps(made_from, sort_keys=True).encode()).hexdigest())


def _files(adapter: Adapter, record: Record, source: Source) -> Sequence[Path]:
    """None of a record that the adapter cannot take; `_outcome` says why. Raises BadSource."""
    try:
        return tuple(adapter.files(record, source))
    except BadSource:
        raise
    except _UNREADABLE:
        return ()


def _stamp(path: Path) -> tuple[str, int, int]:
    """What tells a changed file from the same one without reading it: path, size, time in ns; (path, -1, -1): none."""
    try:
        found = path.stat()
    except (OSError, ValueError):  # ValueError: a name that no file can have
        return str(path), -1, -1
    return str(path), found.st_size, found.st_mtime_ns


def read_shard(shard: Shard, source: Source, out: Path) -> int:
    """First pass over one shard; nothing is done where its part is there. Returns the number of its studies."""
    part = shard.part(out)
    if not part.exists():
        rows, problems = _read(shard.records, source)
        write_text(shard.problems(out), dumps(problems))
        write_table(part, table(rows))  # last: its presence says that the shard is done
    return len(shard.records)


def _read(records: Sequence[Record], source: Source) -> tuple[list[Row], list[Problem]]:
    adapter = adapter_of(source.dataset)
    rows: list[Row] = []
    problems: list[Problem] = []
    for record in records:
        outcome = _outcome(adapter, record, source)
        problems += outcome.problems
        if outcome.row is not None:
            row = outcome.row
            rows.append(replace(row, split=splits.settled(row.split, row.patient_id, source)))
    return rows, problems


def _outcome(adapter: Adapter, record: Record, source: Source) -> Outcome:
    """What the adapter reads; a record that it cannot take is one bad row, not the end of the run. Raises BadSource."""
    try:
        return adapter.read(record, source)
    except BadSource:
        raise
    except _UNREADABLE as error:
        at, said = str(record.get("at", record["study"])), f"{type(error).__name__}: {error}"
        return Outcome(None, (Problem(source.dataset, at, "unreadable entry", said, str(record["study"])),))


def briefs(parts: Iterable[Path]) -> Iterator[Brief]:
    """What decisions need of every row."""
    for part in parts:
        rows = pq.read_table(part, columns=[*_BRIEF_COLUMNS, "findings", "impression"]).to_pylist()
        for row in rows:
            words = len(row.pop("findings").split()) + len(row.pop("impression").split())
            yield Brief(**row, words=words)


def rows_of_part(part: Path) -> list[Row]:
    """The rows that `read_shard` wrote."""
    return [_row(values) for values in pq.read_table(part).to_pylist()]


def _row(values: dict[str, Any]) -> Row:
    labels = values["labels"]
    known = None if labels is None else {name: value for name, value in labels.items() if value is not None}
    return Row(**values | {"labels": known, "image_paths": tuple(values["image_paths"])})


def finish_shard(part: Path, target: Path, decided: Decisions) -> int:
    """Second pass over one shard. Returns the number of rows written; -1 where the file was there."""
    if target.exists():
        return -1
    kept = [row for row in rows_of_part(part) if row.source_row not in decided.dropped]
    moved = [replace(row, split=decided.splits.get(row.patient_id, row.split)) for row in kept]
    write_table(target, table(with_priors(moved)))
    return len(moved)
