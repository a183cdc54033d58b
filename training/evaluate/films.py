"""A film file as the checkpoint sees it: DICOM, PNG and JPEG take the same way through model/imaging.py."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

from model.errors import NotAnImage
from model.imaging import to_model_image

_DICM_OFFSET = 128  # PS3.10 7.1: the preamble


def read_film(path: Path, size: int) -> Image.Image:
    """8-bit L image, size x size px, aspect kept, black padding.

    Pictures of 8 bits are shown as they are, of 16 bits between their 0.5 and 99.5 percentiles, as a DICOM image
    without a window is. Raises NotAnImage, UndecodablePixels, OSError.
    """
    return to_model_image(path if _is_dicom(path) else _as_dataset(path), size)


def _is_dicom(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(_DICM_OFFSET + 4)[_DICM_OFFSET:] == b"DICM"


def _as_dataset(path: Path) -> Dataset:
    encoded = np.frombuffer(path.read_bytes(), np.uint8)
    grey = cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH) if encoded.size else None
    if grey is None or grey.dtype not in (np.uint8, np.uint16):
        raise NotAnImage(f"{path.name} is no DICOM, PNG or JPEG image of 8 or 16 bits; convert it, or leave it out")
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.Rows, dataset.Columns = grey.shape
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = 8 * grey.dtype.itemsize
    dataset.HighBit, dataset.PixelRepresentation = dataset.BitsStored - 1, 0
    pixels = grey.tobytes()
    dataset.PixelData = pixels + b"\0" * (len(pixels) % 2)
    return dataset
