"""Phantom films as DX objects: valid, and read back by the service's imaging as the film that was drawn."""

from __future__ import annotations

import subprocess
from datetime import date, datetime
from io import BytesIO

import numpy as np
import pydicom
import pytest

from model.imaging import to_model_image
from training.phantom.__main__ import main
from training.phantom.dicom import StudyIdentity, dx_dataset
from training.phantom.film import model_film
from training.phantom.studies import study

WHO = StudyIdentity("PID1", "Test^Case", date(1950, 5, 17), "F", datetime(2024, 5, 16, 8, 0), "ACC1")  # noqa: DTZ001


def written(photometric: str) -> pydicom.Dataset:
    made = dx_dataset(study(6, 0, with_prior=False).current, WHO, edge=640, photometric=photometric)
    buffer = BytesIO()
    made.save_as(buffer, enforce_file_format=True)
    buffer.seek(0)
    return pydicom.dcmread(buffer)


def test_attributes_are_the_callers():
    ds = written("MONOCHROME2")
    assert (ds.PatientID, ds.IssuerOfPatientID, ds.PatientAge, ds.AccessionNumber) == (
        "PID1",
        "PHANTOM",
        "073Y",
        "ACC1",
    )
    assert (ds.StudyDate, ds.Modality, ds.BodyPartExamined, ds.BitsStored) == ("20240516", "DX", "CHEST", 12)
    assert ds.pixel_array.max() < 4096
    assert written("MONOCHROME2").SOPInstanceUID == ds.SOPInstanceUID


@pytest.mark.parametrize("photometric", ["MONOCHROME2", "MONOCHROME1"])
def test_imaging_gives_back_the_film_of_training(photometric: str):
    film = model_film(study(6, 0, with_prior=False).current).astype(int)
    seen = np.asarray(to_model_image(written(photometric), 128)).astype(int)
    assert np.abs(seen - film).mean() < 3


@pytest.mark.peer("dicom3tools")
@pytest.mark.parametrize("extra", [[], ["--monochrome1"]])
def test_written_patient_is_valid_dx(tmp_path, extra: list[str]):
    main(["--out", str(tmp_path), "--edge", "512", *extra])
    for name in ("prior.dcm", "current.dcm"):
        told = subprocess.run(["dciodvfy", str(tmp_path / name)], capture_output=True, text=True, check=False)
        assert "Error" not in told.stderr + told.stdout
    prior, current = (pydicom.dcmread(tmp_path / f"{name}.dcm") for name in ("prior", "current"))
    assert prior.PatientID == current.PatientID
    assert prior.PatientBirthDate == current.PatientBirthDate
    assert prior.StudyDate < current.StudyDate
    assert prior.StudyInstanceUID != current.StudyInstanceUID
    assert (tmp_path / "truth.json").exists()
