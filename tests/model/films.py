"""Small synthetic films as DICOM objects, with whatever header a test asks for."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders import RLELosslessEncoder
from pydicom.sequence import Sequence
from pydicom.uid import (
    JPEG2000,
    ComputedRadiographyImageStorage,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

LOSSLESS = (JPEGLosslessSV1, JPEGLSLossless, JPEG2000Lossless, HTJ2KLossless, RLELossless)


def film(pixels: np.ndarray, *, bits: int = 12, signed: bool = False, **attributes: Any) -> Dataset:
    """A CR object, Explicit VR Little Endian; pixels: rows x columns (x samples), 8 or 16 bits."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = ComputedRadiographyImageStorage
    meta.MediaStorageSOPInstanceUID = "2.25.1"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made = Dataset()
    made.file_meta = meta
    made.SOPClassUID, made.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    made.StudyInstanceUID, made.SeriesInstanceUID = "2.25.2", "2.25.3"
    made.Modality = "CR"
    made.Rows, made.Columns = pixels.shape[:2]
    made.SamplesPerPixel = 1 if pixels.ndim == 2 else pixels.shape[2]
    made.PhotometricInterpretation = "MONOCHROME2"
    made.BitsAllocated = 8 * pixels.dtype.itemsize
    made.BitsStored, made.HighBit = bits, bits - 1
    made.PixelRepresentation = int(signed)
    made.PixelData = np.ascontiguousarray(pixels).tobytes()
    made["PixelData"].VR = "OW" if pixels.dtype.itemsize == 2 else "OB"
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


def lut(data: np.ndarray, first: int, bits: int, *, vr: str = "US") -> Dataset:
    """An item of a Modality or VOI LUT Sequence."""
    item = Dataset()
    item.add_new("LUTDescriptor", "US" if first >= 0 else "SS", [len(data) % 65536, first, bits])
    item.add_new("LUTData", vr, data.astype("<u2").tobytes() if vr == "OW" else data.tolist())
    return item


def sequence(*items: Dataset) -> Sequence:
    """For ``film(VOILUTSequence=...)``."""
    return Sequence(items)


def transcoded(source: Dataset, syntax: str) -> Dataset:
    """The same film in a compressed transfer syntax."""
    pixels = source.pixel_array
    made = deepcopy(source)
    made.file_meta.TransferSyntaxUID = syntax
    made.PixelData = encapsulate([_encoded(pixels, source, syntax)])
    made["PixelData"].VR = "OB"
    made["PixelData"].is_undefined_length = True
    return made


def _encoded(pixels: np.ndarray, source: Dataset, syntax: str) -> bytes:
    if syntax == RLELossless:
        return RLELosslessEncoder.encode(
            pixels,
            rows=source.Rows,
            columns=source.Columns,
            samples_per_pixel=source.SamplesPerPixel,
            bits_allocated=source.BitsAllocated,
            bits_stored=source.BitsStored,
            pixel_representation=source.PixelRepresentation,
            photometric_interpretation=source.PhotometricInterpretation,
            number_of_frames=1,
            planar_configuration=0,
        )
    bits = source.BitsStored
    if syntax == JPEGLosslessSV1:
        return imagecodecs.jpeg_encode(pixels, lossless=True, bitspersample=bits, predictor=1)
    if syntax == JPEGLSLossless:
        return imagecodecs.jpegls_encode(pixels)
    if syntax == HTJ2KLossless:
        return imagecodecs.htj2k_encode(pixels, reversible=True)
    reversible = syntax == JPEG2000Lossless
    assert reversible or syntax == JPEG2000
    return imagecodecs.jpeg2k_encode(
        pixels, level=0 if reversible else 50, reversible=reversible, codecformat="j2k", bitspersample=bits
    )


def saved(source: Dataset, path: Path) -> Path:
    """Written as a Part 10 file."""
    source.save_as(path, enforce_file_format=True)
    return path


def encapsulated(made: Dataset, stream: bytes) -> None:
    made.PixelData = encapsulate([stream])
    made["PixelData"].VR = "OB"
    made["PixelData"].is_undefined_length = True
