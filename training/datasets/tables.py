"""Tolerant readers of the files that collections come as: a broken line is reported, the rest is read."""

from __future__ import annotations

import csv
import gzip
from collections import deque
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO

from training.datasets.problems import BadSource, Problem

_FIELD_LIMIT = 1 << 20  # characters; the longest report field known is below 20,000


def find(root: Path, *names: str, why: str) -> Path:
    """The first of the names (each also with .gz) below root. Raises BadSource naming all of them."""
    for name in names:
        for path in (root / name, root / f"{name}.gz"):
            if path.is_file():
                return path
    raise BadSource(f"{root} has no {' or '.join(names)} (nor .gz), needed for {why}; give the folder that holds it")


def find_optional(root: Path, *names: str) -> Path | None:
    """Like `find`, None where there is none."""
    return next((path for name in names for path in (root / name, root / f"{name}.gz") if path.is_file()), None)


def decode(raw: bytes) -> tuple[str, bool]:
    """Text, and whether it was UTF-8; otherwise it is read as Windows-1252, unknown bytes replaced."""
    try:
        return raw.decode("utf-8-sig"), True
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace"), False


def _open(path: Path) -> IO[str]:
    opener = gzip.open if path.suffix == ".gz" else open
    return opener(path, "rt", encoding="utf-8-sig", errors="surrogateescape", newline="")


class _Lines:
    """Lines of a file, of which some can be given back; counts them."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream, self._back = stream, deque[str]()
        self.taken: list[str] = []
        self.number = 0

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._back.popleft() if self._back else next(self._stream)
        self.taken.append(line)
        self.number += 1
        return line

    def give_back(self) -> None:
        """All lines of the present record but its first."""
        self._back.extendleft(reversed(self.taken[1:]))
        self.number -= len(self.taken) - 1


def _repaired(field: str) -> str:
    """A field with bytes that are not UTF-8, read as Windows-1252."""
    return field if field.isascii() else decode(field.encode("utf-8", "surrogateescape"))[0]


def _is_utf8(field: str) -> bool:
    return field.isascii() or not any("\udc80" <= character <= "\udcff" for character in field)


def read_csv(path: Path, dataset: str, needed: Collection[str]) -> Iterator[tuple[int, dict[str, str]] | Problem]:
    """(line, row) of every readable record, a Problem for every other; the header is line 1.

    A record with too few or too many fields is a Problem; if an open quote made it swallow lines, those are read
    again as records of their own. Raises BadSource where a needed column is missing or the file is empty.
    """
    csv.field_size_limit(_FIELD_LIMIT)
    with _open(path) as stream:
        lines = _Lines(stream)
        header = [name.strip() for name in next(csv.reader(lines, strict=True), [])]
        missing = sorted(set(needed) - set(header))
        if missing:
            raise BadSource(f"{path} has no column {', '.join(missing)}; its columns are {', '.join(header) or 'none'}")
        reader = csv.reader(lines, strict=True)
        while True:
            lines.taken = []
            start = lines.number + 1
            try:
                record = next(reader, None)
                wrong = "" if record is None or _fits(record, header) else f"{len(record)} fields, not {len(header)}"
            except csv.Error as error:
                record, wrong = [], str(error)
            if record is None:
                return
            if wrong:
                lines.give_back()
                reader = csv.reader(lines, strict=True)
                yield Problem(dataset, f"{path.name}:{start}", "unreadable line", wrong)
            elif record:
                yield from _checked(
                    record, header, Problem(dataset, f"{path.name}:{start}", "not UTF-8", dropped=False)
                )


def _fits(record: list[str], header: list[str]) -> bool:
    """Whether the record has its columns; commas behind the last one are forgiven (they are removed)."""
    while len(record) > len(header) and not record[-1]:
        record.pop()
    return not record or len(record) == len(header)


def _checked(record: list[str], header: list[str], remark: Problem) -> Iterator[tuple[int, dict[str, str]] | Problem]:
    if not all(map(_is_utf8, record)):
        record = [_repaired(field) for field in record]
        yield remark
    yield int(remark.source.rsplit(":", 1)[1]), dict(zip(header, record, strict=True))


def rows_of(
    path: Path, dataset: str, needed: Collection[str], problems: list[Problem]
) -> Iterator[tuple[int, dict[str, str]]]:
    """The readable records of `read_csv`; what is wrong with the others is appended to `problems`."""
    for item in read_csv(path, dataset, needed):
        if isinstance(item, Problem):
            problems.append(item)
        else:
            yield item
