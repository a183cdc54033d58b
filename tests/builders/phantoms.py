"""Phantom patients as DICOM files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from training.phantom.__main__ import identities
from training.phantom.dicom import dx_dataset
from training.phantom.studies import study


@dataclass(frozen=True)
class Film:
    """One DX file on disk."""

    path: Path
    study_instance_uid: str
    study_date: str


def patient_films(folder: Path, patient_id: str, seed: int, edge: int = 512) -> tuple[Film, Film]:
    """Prior and current film of one phantom patient."""
    made = study(seed, 0, with_prior=True)
    assert made.prior is not None
    films = []
    for name, scene, who in zip(
        ("prior", "current"), (made.prior, made.current), identities(made, patient_id), strict=True
    ):
        dataset = dx_dataset(scene, who, edge=edge)
        path = folder / f"{patient_id}-{name}.dcm"
        dataset.save_as(path, enforce_file_format=True)
        films.append(Film(path, str(dataset.StudyInstanceUID), str(dataset.StudyDate)))
    return films[0], films[1]
