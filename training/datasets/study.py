"""From what an adapter found about one study to its manifest row: films chosen, emptiness judged, digests made."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from blake3 import blake3

from training.datasets.films import Film, choose, is_frontal
from training.datasets.manifest import Row, sections_of
from training.datasets.problems import Problem
from training.datasets.source import Outcome, Source

_WORD = re.compile(r"[^\W_]+")


@dataclass
class Found:
    """One study as its source gives it; texts already single-spaced."""

    study_id: str
    patient_id: str
    order_key: str
    source_row: str
    films: Sequence[Film]
    findings: str = ""
    impression: str = ""
    indication: str = ""
    comparison: str = ""
    split: str = ""
    attributes: dict[str, Any] = field(default_factory=dict)  # sex, age, race, ethnicity, procedure, labels
    remarks: list[tuple[str, str]] = field(default_factory=list)
    reported: bool = True  # False: the collection has labels and no reports


def report_digest(findings: str, impression: str) -> str:
    """BLAKE3 over the words of a report, whatever the case and punctuation; "" of an empty one."""
    words = [*_WORD.findall(findings.lower()), "/", *_WORD.findall(impression.lower())]
    return blake3(" ".join(words).encode()).hexdigest() if len(words) > 1 else ""


def finish(found: Found, source: Source) -> Outcome:
    """The row, or why there is none: no film that can be read, or findings and impression both empty."""
    choice = choose(found.films, whole=source.flag("digest", default=True))
    remarks = [*found.remarks, *choice.remarks]
    dropped = ""
    if found.reported and not found.findings and not found.impression:
        dropped = "findings and impression both empty"
    elif choice.film is None:
        dropped = "no readable image"
    elif not is_frontal(choice.film.view):
        remarks.append(("no frontal film", f"{choice.film.view} kept as the study's film"))

    def problem(reason: str, detail: str = "", *, drops: bool = False) -> Problem:
        return Problem(source.dataset, found.source_row, reason, detail, found.study_id, drops)

    problems = tuple(problem(reason, detail) for reason, detail in remarks)
    if dropped or choice.film is None:
        return Outcome(None, (*problems, problem(dropped, drops=True)))
    return Outcome(_row(found, source, choice.film, choice.paths, choice.digest), problems)


def _row(found: Found, source: Source, film: Film, paths: tuple[str, ...], digest: str) -> Row:
    return Row(
        study_id=found.study_id,
        patient_id=found.patient_id,
        dataset=source.dataset,
        split=found.split,
        image=film.path,
        image_paths=paths,
        view=film.view,
        order_key=found.order_key,
        findings=found.findings,
        impression=found.impression,
        indication=found.indication,
        comparison=found.comparison,
        sections=sections_of(found.findings, found.impression),
        source_row=found.source_row,
        image_digest=digest,
        report_digest=report_digest(found.findings, found.impression),
        **found.attributes,
    )
