"""Films of every way in which a header asks for its values to be shown, and what pydicom makes of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut
from pydicom.sequence import Sequence

from tests.builders.radiographs import radiograph

EDGE = 256
CURVE = np.rint(4095 * (np.arange(3000) / 2999) ** 0.4).astype(np.uint16)


def _ramp(bits: int, *, signed: bool = False) -> dict[str, Any]:
    """Every value of so many bits, over and over: 256 x 256 px."""
    values = np.arange(EDGE * EDGE, dtype=np.int64) % (1 << bits) - ((1 << bits - 1) if signed else 0)
    kind = "u1" if bits == 8 else "<i2" if signed else "<u2"
    return {
        "Rows": EDGE,
        "Columns": EDGE,
        "BitsAllocated": 8 * np.dtype(kind).itemsize,
        "BitsStored": bits,
        "HighBit": bits - 1,
        "PixelRepresentation": int(signed),
        "PixelData": values.astype(kind).tobytes(),
    }


def _table(data: np.ndarray, first: int, bits: int) -> Sequence:
    item = Dataset()
    item.add_new("LUTDescriptor", "US" if first >= 0 else "SS", [len(data), first, bits])
    item.add_new("LUTData", "US", data.tolist())
    return Sequence([item])


def _window(center: float, width: float, **more: Any) -> dict[str, Any]:
    return {"WindowCenter": str(center), "WindowWidth": str(width), **more}


NO_WINDOW = {"WindowCenter": None, "WindowWidth": None}
DISPLAY_CLASSES: dict[str, dict[str, Any]] = {
    "linear": _ramp(12) | _window(2048, 4096),
    "linear, narrow": _ramp(12) | _window(1000, 800),
    "linear exact": _ramp(12) | _window(2000, 1000, VOILUTFunction="LINEAR_EXACT"),
    "sigmoid": _ramp(12) | _window(2048, 1500, VOILUTFunction="SIGMOID"),
    "VOI LUT sequence": _ramp(12) | NO_WINDOW | {"VOILUTSequence": _table(CURVE, 500, 12)},
    "monochrome1": _ramp(12) | _window(2048, 3000, PhotometricInterpretation="MONOCHROME1"),
    "modality LUT": _ramp(12) | _window(2000, 1500, ModalityLUTSequence=_table(CURVE, 500, 16)),
    "8 bit": _ramp(8) | _window(128, 200),
    "10 bit": _ramp(10) | _window(512, 700),
    "16 bit": _ramp(16) | _window(30000, 50000),
    "signed": _ramp(12, signed=True) | _window(100, 900, RescaleSlope="-0.5", RescaleIntercept="3", RescaleType="US"),
    "combined": _ramp(12, signed=True)
    | _window(0, 1500, VOILUTFunction="SIGMOID", PhotometricInterpretation="MONOCHROME1"),
}


def display_film(name: str, **values: Any) -> Dataset:
    """The film of a class."""
    return radiograph(**{**DISPLAY_CLASSES[name], "PatientOrientation": ["L", "F"], **values})


def shown_by_pydicom(film: Dataset) -> np.ndarray:
    """Grey level of each pixel, 0-255, rows x columns, not rounded."""
    shown = apply_voi_lut(apply_modality_lut(film.pixel_array, film), film).astype(np.float64)
    low, high = _range(film)
    grey = (shown - low) / (high - low) * 255
    return 255 - grey if film.PhotometricInterpretation == "MONOCHROME1" else grey


def _range(film: Dataset) -> tuple[float, float]:
    """Of what pydicom's functions give."""
    if "VOILUTSequence" in film:
        return 0, (1 << film.VOILUTSequence[0].LUTDescriptor[2]) - 1
    if "ModalityLUTSequence" in film:
        return 0, (1 << film.ModalityLUTSequence[0].LUTDescriptor[2]) - 1
    lowest = -(1 << film.BitsStored - 1) if film.PixelRepresentation else 0
    ends = [lowest, lowest + (1 << film.BitsStored) - 1]
    slope, intercept = float(film.get("RescaleSlope", 1)), float(film.get("RescaleIntercept", 0))
    low, high = (end * slope + intercept for end in ends)
    return low, high
