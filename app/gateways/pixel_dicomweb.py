"""What WADO-RS tells of a stored object: its header as JSON, a frame as it is stored; runs in the decoding process."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pydicom
from pydicom.encaps import get_frame
from pydicom.uid import UID, ExplicitVRLittleEndian

from model.dicom_file import read_elements, transfer_syntax
from model.errors import NotAnImage, UndecodablePixels, foreign_faults
from model.pixel_format import PIXEL_KEYWORDS, pixel_format

MAX_INLINE = 1 << 20
"""Bytes of one binary value in the metadata; what is longer (an encapsulated document, a curve) is left out."""
_BULK = "left-out"
_PIXELS = re.compile(r"7FE0....")


def metadata(path: Path) -> bytes:
    """All attributes but group 0002 and the pixels, in the DICOM JSON model (PS3.18 F). Raises NotAnImage."""
    read_elements(path, (), with_pixels=False)  # the guards: nothing deflated, forged or without end
    with foreign_faults(NotAnImage, "The header cannot be written as JSON"):
        dataset = pydicom.dcmread(path, stop_before_pixels=True)
        told = dataset.to_json_dict(MAX_INLINE, lambda _element: _BULK, suppress_invalid_tags=True)
    if "00080005" in told:
        told["00080005"] = {"vr": "CS", "Value": ["ISO_IR 192"]}  # JSON is UTF-8, whatever the object was in
    kept = {tag: value for tag, value in told.items() if value.get("BulkDataURI") != _BULK and not _PIXELS.match(tag)}
    return json.dumps(kept, separators=(",", ":")).encode()


def stored_frame(path: Path, number: int) -> tuple[bytes, str]:
    """Frame `number` (from 1), and its transfer syntax; uncompressed frames come as little endian.

    Raises NotAnImage, UndecodablePixels where there is no such frame.
    """
    dataset, _ = read_elements(path, PIXEL_KEYWORDS, with_pixels=True)
    shape, syntax = pixel_format(dataset), UID(transfer_syntax(dataset))
    if not 1 <= number <= shape.frames or "PixelData" not in dataset:
        raise UndecodablePixels(f"The object has no frame {number}")
    with foreign_faults(UndecodablePixels, "The frame cannot be taken out of the pixel data"):
        if syntax.is_encapsulated:
            return get_frame(dataset.PixelData, number - 1, number_of_frames=shape.frames), str(syntax)
        swap = not syntax.is_little_endian and shape.bits_allocated == 16
        size = shape.frame_samples * shape.bits_allocated // 8
        return _native(dataset.PixelData, number, size, swap=swap), str(ExplicitVRLittleEndian)


def _native(pixels: bytes, number: int, size: int, *, swap: bool) -> bytes:
    frame = pixels[(number - 1) * size : number * size]
    if len(frame) != size:
        raise UndecodablePixels(f"The pixel data end before frame {number}")
    if not swap:
        return frame
    swapped = bytearray(size)
    swapped[0::2], swapped[1::2] = frame[1::2], frame[0::2]
    return bytes(swapped)
