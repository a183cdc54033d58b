"""Phantom films as DX For Presentation objects (PS3.3 A.26), 12 bits stored in 16.

The window in the object maps exactly the drawn grey levels, so an imaging chain that honours it gives the model
the film it was trained on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

import cv2
import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid

from training.phantom.film import Scene, render

DX_FOR_PRESENTATION = UID("1.2.840.10008.5.1.4.1.1.1.1")
_BLACK, _STEP, _TOP = 300, 13, 4095  # stored value of display level 0, stored steps per level, 12 bits
_FIELD_MM = 430.0

Photometric = Literal["MONOCHROME2", "MONOCHROME1"]


@dataclass(frozen=True)
class StudyIdentity:
    """What the caller wants the object to say about patient and study; UIDs left None are derived from the rest."""

    patient_id: str
    patient_name: str
    birth_date: date
    sex: str
    acquired: datetime
    accession_number: str
    issuer: str = "PHANTOM"
    study_instance_uid: str | None = None
    series_instance_uid: str | None = None
    sop_instance_uid: str | None = None
    study_description: str = "XR CHEST"
    institution: str = "Phantom Hospital"

    def uid(self, level: str, given: str | None) -> UID:
        """The given UID, or one that depends only on this identity."""
        sources = [level, self.patient_id, self.accession_number, self.acquired.isoformat()]
        return UID(given) if given else generate_uid(entropy_srcs=sources)


def _coded(value: str, scheme: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return code


def _grained(film: np.ndarray, seed: int) -> np.ndarray:
    """Fine detector grain that averages out at the model's size."""
    rng = np.random.default_rng(seed)
    grain = rng.standard_normal(film.shape, dtype=np.float32)
    return film + 2.5 * cv2.GaussianBlur(grain, (0, 0), 0.7) * (film > 4)


def stored_pixels(scene: Scene, edge: int, photometric: Photometric) -> np.ndarray:
    """uint16 [rows, cols], 12 bits; MONOCHROME1 holds the complement."""
    film = render(scene, edge)
    if edge >= 512:
        film = _grained(film, scene.seed)
    values = np.clip(np.rint(_BLACK + _STEP * film), 0, _TOP).astype("<u2")
    return values if photometric == "MONOCHROME2" else (_TOP - values).astype("<u2")


def _patient_and_study(ds: Dataset, who: StudyIdentity) -> None:
    ds.PatientName, ds.PatientID, ds.IssuerOfPatientID = who.patient_name, who.patient_id, who.issuer
    ds.PatientBirthDate, ds.PatientSex = who.birth_date.strftime("%Y%m%d"), who.sex
    years = who.acquired.year - who.birth_date.year
    had_birthday = (who.acquired.month, who.acquired.day) >= (who.birth_date.month, who.birth_date.day)
    ds.PatientAge = f"{years - (not had_birthday):03d}Y"
    ds.StudyInstanceUID = who.uid("study", who.study_instance_uid)
    ds.StudyID, ds.AccessionNumber, ds.StudyDescription = "1", who.accession_number, who.study_description
    ds.ReferringPhysicianName = ""
    day, time = who.acquired.strftime("%Y%m%d"), who.acquired.strftime("%H%M%S")
    ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = day
    ds.StudyTime = ds.SeriesTime = ds.AcquisitionTime = ds.ContentTime = time


def _series_and_equipment(ds: Dataset, who: StudyIdentity, scene: Scene) -> None:
    ds.SeriesInstanceUID = who.uid("series", who.series_instance_uid)
    ds.Modality, ds.SeriesNumber, ds.InstanceNumber = "DX", "1", "1"
    ds.PresentationIntentType, ds.SeriesDescription = "FOR PRESENTATION", f"CHEST {scene.view}"
    ds.Manufacturer, ds.ManufacturerModelName, ds.InstitutionName = "Phantom", "Procedural radiograph", who.institution
    ds.DeviceSerialNumber, ds.SoftwareVersions = "1", "1"
    ds.BodyPartExamined, ds.ViewPosition, ds.PatientOrientation = "CHEST", scene.view, ["L", "F"]
    ds.ImageLaterality, ds.PositionerType = "U", ""
    ds.AnatomicRegionSequence = [_coded("51185008", "SCT", "Chest")]
    view = {"AP": ("399348003", "antero-posterior"), "PA": ("399033003", "postero-anterior")}[scene.view]
    ds.ViewCodeSequence = [_coded(view[0], "SCT", view[1])]
    ds.ViewCodeSequence[0].ViewModifierCodeSequence = []


def _image(ds: Dataset, pixels: np.ndarray, edge: int, photometric: Photometric) -> None:
    ds.ImageType, ds.BurnedInAnnotation = ["ORIGINAL", "PRIMARY", ""], "NO"
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, photometric
    ds.Rows, ds.Columns = pixels.shape
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
    ds.PixelIntensityRelationship = "LOG"
    ds.PixelIntensityRelationshipSign = -1 if photometric == "MONOCHROME2" else 1
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = "0", "1", "US"
    ds.PresentationLUTShape = "IDENTITY" if photometric == "MONOCHROME2" else "INVERSE"
    ds.LossyImageCompression, ds.DetectorType, ds.AcquisitionContextSequence = "00", "DIRECT", []
    spacing = f"{_FIELD_MM / edge:.5f}"
    ds.ImagerPixelSpacing = [spacing, spacing]
    black = _BLACK if photometric == "MONOCHROME2" else _TOP - _BLACK - 255 * _STEP
    # PS3.3 C.11.2.1.2.1: LINEAR maps (centre - 0.5) -+ (width - 1) / 2 to the ends of the output.
    ds.WindowWidth = str(255 * _STEP + 1)
    ds.WindowCenter = str(black + (255 * _STEP + 1) / 2)
    ds.PixelData = pixels.tobytes()


def dx_dataset(
    scene: Scene, who: StudyIdentity, *, edge: int = 1280, photometric: Photometric = "MONOCHROME2"
) -> FileDataset:
    """One film as a DX For Presentation object, its longer edge `edge` px; same arguments, same bytes of pixels."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = DX_FOR_PRESENTATION
    meta.MediaStorageSOPInstanceUID = who.uid("instance", who.sop_instance_uid)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID, ds.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    _patient_and_study(ds, who)
    _series_and_equipment(ds, who, scene)
    _image(ds, stored_pixels(scene, edge, photometric), edge, photometric)
    return ds
