"""Drafts of many studies: in batches, kept line by line as they are written, so that a killed run goes on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from tqdm import tqdm

from model.errors import ImagingError
from model.manifest import Checkpoint
from training.evaluate.cases import Draft, Film, Split, StudyCase
from training.evaluate.writing import PromptTooLong, Question


class DraftWriter(Protocol):
    """What drafts are asked of; training/evaluate/writing.py is one."""

    @property
    def image_size(self) -> int:
        """Side of the films, px."""
        ...

    def write(self, questions: Sequence[Question]) -> list[Draft]:
        """One draft per question, in order."""
        ...


@dataclass
class Drafted:
    """Drafts by study, and why the other studies have none."""

    drafts: dict[str, Draft] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)


def identity(checkpoint: Checkpoint) -> dict[str, str]:
    """What decides a draft beside its question: the weights, and the manifest with size of films, limits and decoding.

    SHA-256 of each, hexadecimal. Raises BadCheckpoint.
    """
    manifest = hashlib.sha256(repr(checkpoint.manifest).encode()).hexdigest()
    return {"weights": checkpoint.weights_digest(), "manifest": manifest}


def question_digest(case: StudyCase, split: Split) -> str:
    """SHA-256 of what a draft answers: the prompt, and where its films come from."""
    told = [case.prompt(split).text, *(_origin(film) for film in case.films())]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def _origin(film: Film) -> list[str]:
    """What the film is made from. One that does not tell (no partial) is another one in every process."""
    return [_told(part) for part in film.args] if isinstance(film, partial) else [repr(film)]


def _told(part: Any) -> str:
    """A file with its size and time of change, so that another picture under the old name is noticed."""
    if not isinstance(part, Path):
        return repr(part)
    try:
        state = part.stat()
    except OSError:
        return str(part.absolute())
    return f"{part.absolute()} {state.st_size} {state.st_mtime_ns}"


class KeptDrafts:
    """A file of drafts, one JSON line each, under a first line that says whose they are.

    drafts: by study and `question_digest`. Lines of another identity are not taken over, nor is a last line
    that was cut off.
    """

    def __init__(self, path: Path, identity: Mapping[str, str]) -> None:
        self._path, self._identity = path, dict(identity)
        self.drafts = dict(self._read())
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.writing")
        part.write_text(json.dumps(self._identity) + "\n" + _lines(self.drafts), encoding="utf-8")
        part.replace(path)

    def _read(self) -> Iterator[tuple[tuple[str, str], Draft]]:
        whole = self._path.read_text(encoding="utf-8").split("\n")[:-1] if self._path.is_file() else []
        if whole and json.loads(whole[0]) == self._identity:
            for row in map(json.loads, whole[1:]):
                yield (
                    (row["study"], row["question"]),
                    Draft(row["text"], tuple((text, log) for text, log in row["tokens"])),
                )

    def add(self, drafts: Mapping[tuple[str, str], Draft]) -> None:
        """Kept when this returns."""
        self.drafts.update(drafts)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(_lines(drafts))


def _lines(drafts: Mapping[tuple[str, str], Draft]) -> str:
    rows = (
        {"study": study, "question": question, "text": draft.text, "tokens": draft.tokens}
        for (study, question), draft in drafts.items()
    )
    return "".join(json.dumps(row) + "\n" for row in rows)


def write_drafts(
    cases: Sequence[StudyCase],
    split: Split,
    writer: Callable[[], DraftWriter],
    kept: KeptDrafts,
    *,
    batch: int,
    label: str = "drafts",
) -> Drafted:
    """A draft of every study whose films can be read. writer: called only where something is left to draft."""
    keys = {case.study: (case.study, question_digest(case, split)) for case in cases}
    todo = sorted((case for case in cases if keys[case.study] not in kept.drafts), key=lambda case: len(case.films()))
    found = Drafted()
    with tqdm(total=len(cases), initial=len(cases) - len(todo), unit="study", desc=label, disable=not todo) as bar:
        for start in range(0, len(todo), batch):
            some = todo[start : start + batch]
            fresh = _written(some, split, writer())
            kept.add({keys[study]: draft for study, draft in fresh.drafts.items()})
            found.faults |= fresh.faults
            bar.update(len(some))
    found.drafts = {study: kept.drafts[key] for study, key in keys.items() if key in kept.drafts}
    return found


def _written(cases: Sequence[StudyCase], split: Split, writer: DraftWriter) -> Drafted:
    questions: dict[str, Question] = {}
    found = Drafted()
    for case in cases:
        try:
            films = tuple(film(writer.image_size) for film in case.films())
            questions[case.study] = Question(case.prompt(split), films)
        except (ImagingError, OSError) as error:
            found.faults[case.study] = f"film cannot be read: {error}"
    try:
        drafts = writer.write(list(questions.values())) if questions else []
        found.drafts = dict(zip(questions, drafts, strict=True))
    except PromptTooLong as error:
        if len(cases) == 1:
            return Drafted(faults={cases[0].study: str(error)})
        for case in cases:
            alone = _written([case], split, writer)
            found.drafts, found.faults = found.drafts | alone.drafts, found.faults | alone.faults
    return found
