"""What was judged once is not judged again: a reward behind an SQLite file, shared by processes and by runs.

Only complete judgements are kept. A missing value (an outage, a refusal to judge) is asked for again the next time.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from training.rewards.batch import Reward, Sample, Scores, scores

_WAIT = 60.0  # seconds for another process's write
_VARIABLES = 500  # per statement; SQLite's own ceiling was 999 for long
Entry = dict[str, Any]


@dataclass(frozen=True)
class Store:
    """JSON objects by key in one SQLite file, safe with many processes.

    A connection lives for one call only, so that forked and pickled owners share nothing but the path.
    """

    path: Path

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self.path, timeout=_WAIT)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("CREATE TABLE IF NOT EXISTS entry (key TEXT PRIMARY KEY, body TEXT NOT NULL)")
            with connection:
                yield connection

    def get(self, keys: Iterable[str]) -> dict[str, Entry]:
        """The entries that exist, by key. Raises sqlite3.Error where the file is not a database."""
        wanted = list(dict.fromkeys(keys))
        found: dict[str, Entry] = {}
        with self._open() as connection:
            for start in range(0, len(wanted), _VARIABLES):
                part = wanted[start : start + _VARIABLES]
                marks = ",".join("?" * len(part))
                rows = connection.execute(f"SELECT key, body FROM entry WHERE key IN ({marks})", part)  # noqa: S608
                found |= {key: json.loads(body) for key, body in rows}
        return found

    def put(self, entries: Mapping[str, Entry]) -> None:
        """Add or replace; all or nothing. Raises ValueError where an entry holds NaN or infinity."""
        rows = [(key, json.dumps(body, allow_nan=False)) for key, body in entries.items()]
        with self._open() as connection:
            connection.executemany("INSERT OR REPLACE INTO entry VALUES (?, ?)", rows)


def digest(*parts: object) -> str:
    """Key of anything JSON can hold, 64 hexadecimal digits."""
    return hashlib.sha256(json.dumps(parts, ensure_ascii=True).encode()).hexdigest()


@dataclass(frozen=True)
class Cached:
    """A reward that keeps its judgements in `store`.

    version: whatever decides the scores besides the texts (weights digest, judge, prompt version); another version
    finds nothing of the old one. Study and dataset names are not part of the key, so equal texts share a judgement.
    """

    reward: Reward
    store: Store
    version: str

    @property
    def name(self) -> str:
        """The wrapped reward's."""
        return self.reward.name

    @property
    def never_alone(self) -> bool:
        """The wrapped reward's, for the mix that must refuse it."""
        return bool(getattr(self.reward, "never_alone", False))

    def __call__(self, batch: Sequence[Sample]) -> Scores:
        """Scores of known texts from the file, of the others from the reward; equal samples are judged once."""
        keys = [self._key(sample) for sample in batch]
        known = self.store.get(keys)
        new = {key: sample for key, sample in zip(keys, batch, strict=True) if key not in known}
        if new:
            judged = dict(zip(new, _entries(self.reward(list(new.values()))), strict=True))
            self.store.put({key: _kept(entry) for key, entry in judged.items() if entry["value"] is not None})
            known |= judged
        return _scores([known[key] for key in keys])

    def _key(self, one: Sample) -> str:
        return digest(
            self.name, self.version, one.prediction, one.reference, one.has_prior, one.prior_report, one.asked
        )


def _entries(judged: Scores) -> list[Entry]:
    return [
        {
            "value": _plain(judged.values[i]),
            "components": {name: _plain(column[i]) for name, column in judged.components.items()},
        }
        for i in range(len(judged.values))
    ]


def _kept(entry: Entry) -> Entry:
    """What is taken from the file was not asked for: of it there is neither an answer nor none (batch.Scores)."""
    told = {name: None if name == "unanswered" else value for name, value in entry["components"].items()}
    return entry | {"components": told}


def _plain(value: np.float64) -> float | None:
    return None if np.isnan(value) else float(value)


def _scores(entries: Sequence[Entry]) -> Scores:
    names = dict.fromkeys(name for entry in entries for name in entry["components"])
    return scores(
        [entry["value"] for entry in entries],
        {name: [entry["components"].get(name) for entry in entries] for name in names},
    )
