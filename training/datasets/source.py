"""What an adapter gives: a plan (which studies, whole patients together), and one study read from its files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from training.datasets.manifest import Row
from training.datasets.problems import BadSource, Problem

Options = Mapping[str, str | int | float | bool]
Record = dict[str, Any]


@dataclass(frozen=True)
class Source:
    """A collection on disk. options: of the adapter, see its OPTIONS and docs/training-data.md."""

    dataset: str
    root: Path
    options: Options = field(default_factory=dict)

    def option(self, name: str, default: str = "") -> str:
        """An option as text."""
        return str(self.options.get(name, default))

    def number(self, name: str, default: float) -> float:
        """An option as a number. Raises BadSource."""
        try:
            return float(self.options.get(name, default))
        except ValueError as error:
            raise BadSource(f"{self.dataset}: {name} must be a number, not {self.options[name]!r}") from error

    def flag(self, name: str, *, default: bool) -> bool:
        """An option as yes or no. Raises BadSource."""
        said = str(self.options.get(name, default)).lower()
        if said not in {"true", "false", "yes", "no", "1", "0"}:
            raise BadSource(f"{self.dataset}: {name} must be true or false, not {said!r}")
        return said in {"true", "yes", "1"}

    def choice(self, name: str, choices: Sequence[str]) -> str:
        """An option that is one of the choices, the first by default. Raises BadSource."""
        said = self.option(name, choices[0])
        if said not in choices:
            raise BadSource(f"{self.dataset}: {name} must be one of {', '.join(choices)}, not {said!r}")
        return said

    def folder(self, name: str, default: Path) -> Path:
        """An option that names a folder. Raises BadSource where it is not there."""
        path = Path(self.option(name, str(default)))
        if not path.is_dir():
            raise BadSource(f"{self.dataset}: {name} = {path} is not a folder")
        return path

    def file(self, name: str) -> Path | None:
        """An option that names a file, below the root or anywhere; None if not given. Raises BadSource."""
        said = self.option(name)
        if not said:
            return None
        for path in (self.root / said, Path(said)):
            if path.is_file():
                return path
        raise BadSource(f"{self.dataset}: {name} = {said} is not a file, nor is {self.root / said}")


@dataclass
class Plan:
    """All studies that the index files name, as JSON-like records with at least "patient" and "study"."""

    records: list[Record] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """A study as a row, or None and the reason among the problems; remarks about a kept row are problems too."""

    row: Row | None
    problems: tuple[Problem, ...] = ()


class Adapter(Protocol):
    """A module that knows one official layout.

    `plan` reads index files only and is pure; `read` opens the report and the images of one record, in any process,
    and `files` names what it opens, there or not: where one of them has changed, the study is read anew.
    A study that the source does not split has split "" and is split by its patient's hash.
    """

    OPTIONS: tuple[str, ...]

    def plan(self, source: Source) -> Plan:
        """Raises BadSource where the layout is not the published one."""
        ...

    def files(self, record: Record, source: Source) -> Iterable[Path]:
        """Report and films of one study."""
        ...

    def read(self, record: Record, source: Source) -> Outcome:
        """Read one study."""
        ...
