"""Small valid DX objects for tests that need a file, not a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian

from app.domain.identifiers import derived_uid, new_id

ROWS, COLUMNS = 64, 48


def radiograph(**values: object) -> FileDataset:
    """A PA chest DX of 48 x 64 px; `values` override any element, None removes it."""
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.ImageType = ["ORIGINAL", "PRIMARY"]
    dataset.SOPClassUID = DigitalXRayImageStorageForPresentation
    dataset.SOPInstanceUID = derived_uid("instance", new_id())
    dataset.StudyInstanceUID = derived_uid("study", new_id())
    dataset.SeriesInstanceUID = derived_uid("series", new_id())
    dataset.StudyDate, dataset.StudyTime = "20260301", "080000"
    dataset.AccessionNumber, dataset.Modality, dataset.StudyDescription = "A-1", "DX", "XR CHEST PA"
    dataset.PresentationIntentType, dataset.BodyPartExamined, dataset.ViewPosition = "FOR PRESENTATION", "CHEST", "PA"
    dataset.PatientName, dataset.PatientID, dataset.IssuerOfPatientID = "Phantom^One", "P-1", "HOSPITAL"
    dataset.PatientBirthDate, dataset.PatientSex = "19600101", "F"
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = ROWS, COLUMNS
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 16, 12, 11, 0
    dataset.WindowCenter, dataset.WindowWidth = "2048", "4096"
    dataset.PixelData = np.linspace(0, 4095, ROWS * COLUMNS).astype("<u2").tobytes()
    for keyword, value in values.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    return FileDataset("", dataset, file_meta=meta, preamble=b"\0" * 128)


def save(dataset: FileDataset, path: Path) -> Path:
    """As a Part 10 file."""
    dataset.save_as(path, enforce_file_format=True)
    return path
