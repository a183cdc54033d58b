"""What was wrong with the source: every row that was dropped, and every row kept with a remark, with the reason."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path


class BadSource(ValueError):
    """A collection is not laid out as published; the message names the file that is missing or wrong, and the fix."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One finding about the source.

    source: file and line, or key. reason: one of few words, counted in the card. detail: the particulars.
    dropped: the row is not in the manifest; otherwise it is, with this remark.
    """

    dataset: str
    source: str
    reason: str
    detail: str = ""
    study: str = ""
    dropped: bool = True


def dumps(problems: Iterable[Problem]) -> str:
    """One JSON object per line."""
    return "".join(json.dumps(asdict(problem), ensure_ascii=False) + "\n" for problem in problems)


def loads(path: Path) -> list[Problem]:
    """What `dumps` wrote."""
    return [Problem(**json.loads(line)) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]
