"""Several manifests -> one: each site's training studies in a wanted share or up to a cap, all else whole.

The draw is by the hash of seed and study, so it is the same on every machine, and a larger cap holds all that a smaller
one holds. Priors stand in the rows and are not affected. Rows of training are in the order of their hash: sites are
mixed from the first row on. What is left out stands in bad_rows.jsonl, by reason: its view, or beyond the share or cap.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from training.datasets.card import Counts, write_card
from training.datasets.manifest import SCHEMA, read_table, write_table
from training.datasets.problems import Problem

_SHARD_ROWS = 20_000


class BadMixture(ValueError):
    """The shares cannot be mixed; the message says why."""


@dataclass(frozen=True)
class Share:
    """One manifest of the mixture.

    weight: share of the mixture's training studies, relative to the other weights; None: no wish. cap: at most so many
    training studies. views: only studies whose film has one of these (manifest.Row.view); empty: all.
    """

    manifest: Path
    weight: float | None = None
    cap: int | None = None
    views: tuple[str, ...] = ()


def _rank(seed: int, dataset: str, study: str) -> str:
    return hashlib.sha256(f"{seed}/{dataset}/{study}".encode()).hexdigest()


def sizes(available: Sequence[int], shares: Sequence[Share]) -> list[int]:
    """Training studies to take of each: the most that keeps all weights, then at most the caps.

    No study is taken twice, so the scarcest weighted manifest decides. Raises BadMixture for weights that are not
    positive, or if only some of the shares have one.
    """
    capped = [
        min(number, share.cap) if share.cap is not None else number
        for number, share in zip(available, shares, strict=True)
    ]
    weights = [share.weight for share in shares if share.weight is not None]
    if not weights:
        return capped
    if len(weights) != len(shares) or min(weights) <= 0:
        raise BadMixture("give every manifest of a mixture a weight above 0, or none of them (caps alone)")
    whole = min(number / weight for number, weight in zip(capped, weights, strict=True))
    return [round(whole * weight) for weight in weights]


def _ranked(rows: pa.Table, seed: int) -> pa.Array:
    """Places of the rows in the order of the draw."""
    names = zip(rows["dataset"].to_pylist(), rows["study_id"].to_pylist(), strict=True)
    ranked = sorted((_rank(seed, dataset, study), place) for place, (dataset, study) in enumerate(names))
    return pa.array([place for _, place in ranked], pa.int64())


def _left_out(rows: pa.Table, reason: str) -> list[Problem]:
    named = rows.select(["dataset", "source_row", "view", "study_id"]).to_pylist()
    return [Problem(one["dataset"], one["source_row"], reason, one["view"], one["study_id"]) for one in named]


def _seen(share: Share, problems: list[Problem]) -> pa.Table:
    rows = read_table(share.manifest)
    if not share.views:
        return rows
    wanted = pc.is_in(rows["view"], pa.array(share.views))
    problems += _left_out(rows.filter(pc.invert(wanted)), "view not asked for")
    return rows.filter(wanted)


def _mixed(shares: Sequence[Share], seed: int, problems: list[Problem]) -> Iterator[pa.Table]:
    """Training rows in order of hash, then the rest of each manifest in its order; what is left out, to `problems`."""
    tables = [_seen(share, problems) for share in shares]
    training = [rows.filter(pc.equal(rows["split"], "train")) for rows in tables]
    taken: list[pa.Table] = []
    for rows, size in zip(training, sizes([rows.num_rows for rows in training], shares), strict=True):
        ranked = _ranked(rows, seed)
        taken.append(rows.take(ranked[:size]))
        problems += _left_out(rows.take(ranked[size:]), "beyond the share or cap")
    together = pa.concat_tables(taken)
    yield together.take(_ranked(together, seed))
    yield from (rows.filter(pc.not_equal(rows["split"], "train")) for rows in tables)


def mix(shares: Sequence[Share], out: Path, *, seed: int = 0) -> Counts:
    """Write the mixture as a manifest of its own; returns its card's counts. Raises BadMixture, BadManifest."""
    if not shares or len({share.manifest.resolve() for share in shares}) < len(shares):
        raise BadMixture("a mixture needs manifests, each once")
    problems: list[Problem] = []
    rows = pa.concat_tables(list(_mixed(shares, seed, problems))).cast(SCHEMA)
    (out / "card.json").unlink(missing_ok=True)
    for old in out.glob("shard-*.parquet"):
        old.unlink()
    starts = range(0, max(rows.num_rows, 1), _SHARD_ROWS)
    paths = [out / f"shard-{number:05d}-of-{len(starts):05d}.parquet" for number in range(len(starts))]
    for path, start in zip(paths, starts, strict=True):
        write_table(path, rows.slice(start, _SHARD_ROWS))
    made_from = {
        "seed": seed,
        "mixture": [
            {"manifest": str(s.manifest), "weight": s.weight, "cap": s.cap, "views": list(s.views)} for s in shares
        ],
    }
    return write_card(out, "Mixture", paths, problems, made_from)
