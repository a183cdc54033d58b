"""Studies of a prepared manifest (training/datasets/manifest.py) as they are evaluated."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from training.datasets import phantoms
from training.datasets.manifest import read_table
from training.datasets.priors import prompt_prior
from training.evaluate.cases import UNKNOWN, Film, NoStudies, PriorStudy, StudyCase, age_band, sex_group
from training.evaluate.films import read_film

Record = Mapping[str, Any]
_COLUMNS = (
    *("study_id", "patient_id", "dataset", "split", "image", "order_key", "findings", "impression", "indication"),
    *("comparison", "prior_study_id", "prior_image", "prior_report", "prior_date", "sex", "age", "race"),
)


def manifest_cases(folder: Path, split: str, datasets: Sequence[str] = ()) -> list[StudyCase]:
    """The studies of one split (of some datasets) that have a report. Raises BadManifest, NoStudies.

    encounter: place among all studies that the manifest holds of the patient, by order_key. The prior is the one that
    training shows.
    """
    rows = read_table(folder, _COLUMNS).to_pylist()
    encounters = _encounters(rows)
    chosen = [
        case_of(row, encounters[row["dataset"], row["study_id"]])
        for row in rows
        if row["split"] == split
        and (not datasets or row["dataset"] in datasets)
        and (row["findings"] or row["impression"])
    ]
    if not chosen:
        there = sorted({(row["dataset"], row["split"]) for row in rows})
        raise NoStudies(f"{folder} has no reported studies of split {split}; it holds {there}")
    return chosen


def case_of(row: Record, encounter: int) -> StudyCase:
    """One manifest row."""
    return StudyCase(
        study=row["study_id"],
        patient=f"{row['dataset']}/{row['patient_id']}",
        site=row["dataset"],
        film=film_of(row["image"]),
        findings=row["findings"] or "",
        impression=row["impression"] or "",
        indication=row["indication"] or None,
        comparison=row["comparison"] or None,
        prior=_prior(row),
        encounter=encounter,
        groups={"sex": sex_group(row["sex"]), "age": age_band(row["age"]), "race": row["race"] or UNKNOWN},
    )


def film_of(reference: str) -> Film:
    """The picture behind a manifest's `image`: a file, or a phantom drawn anew."""
    return partial(_phantom, reference) if reference.startswith("phantom:") else partial(read_film, Path(reference))


def _phantom(reference: str, size: int) -> Image.Image:
    return Image.fromarray(phantoms.film_of(f"{reference.rpartition(':')[0]}:{size}"))


def _prior(row: Record) -> PriorStudy | None:
    prior = prompt_prior(row)
    return PriorStudy(film_of(row["prior_image"]), prior.report, prior.study_date) if prior else None


def _encounters(rows: Sequence[Record]) -> dict[tuple[str, str], int]:
    patients: defaultdict[tuple[str, str], list[Record]] = defaultdict(list)
    for row in rows:
        patients[row["dataset"], row["patient_id"]].append(row)
    by_order: Callable[[Record], str] = lambda row: row["order_key"]  # noqa: E731
    return {
        (row["dataset"], row["study_id"]): place
        for studies in patients.values()
        for place, row in enumerate(sorted(studies, key=by_order), start=1)
    }
