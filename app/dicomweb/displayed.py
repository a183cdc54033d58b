"""The same image as a viewer should draw it: VOI LUT, SIGMOID, Modality LUT and polarity are in the values already.

Viewers that know a LINEAR window alone draw such images wrongly, and do not say so (cornerstone3D 5.14: a VOI LUT
Sequence is ignored, SIGMOID comes out white). Under /dicom-web/displayed the metadata and the frames of an image are
those of a 16-bit frame that they draw right. Nothing that is stored changes.
"""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from app.dicomweb.attributes import Object, element, tag_of
from app.domain.imaging import DisplayFrame

LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
_PARTS = ("Descriptor", "Data")
_PALETTE = tuple(f"{colour}PaletteColorLookupTable{part}" for colour in ("Red", "Green", "Blue") for part in _PARTS)
_DRAWN_ALREADY = (
    "ModalityLUTSequence",
    "RescaleType",
    "VOILUTSequence",
    "VOILUTFunction",  # absent it is LINEAR (PS3.3 C.11.2.1.3); cornerstone3D 5.6 fails on any value (its issue 2844)
    "WindowCenterWidthExplanation",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
    "SmallestImagePixelValue",
    "LargestImagePixelValue",
    "NumberOfFrames",
    "PlanarConfiguration",
    "PixelAspectRatio",
    *_PALETTE,
)
_TYPES = {"image/jpeg": "JPEG", "image/png": "PNG"}  # JPEG where the client does not mind, PS3.18 8.7.4
RENDERED_TYPES = tuple(_TYPES)
JPEG_QUALITY = 90


def displayed(stored: Object, frame: DisplayFrame) -> Object:
    """Metadata of `frame`: what its values hold already is left out, what they are is told (PS3.3 C.7.6.3, C.11.2)."""
    gone = {tag_of(keyword) for keyword in _DRAWN_ALREADY}
    return {tag: value for tag, value in stored.items() if tag not in gone} | dict(
        (
            element("SamplesPerPixel", 1),
            element("PhotometricInterpretation", "MONOCHROME2"),
            element("Rows", frame.rows),
            element("Columns", frame.columns),
            element("BitsAllocated", 16),
            element("BitsStored", 16),
            element("HighBit", 15),
            element("PixelRepresentation", 0),
            element("WindowCenter", frame.window_center),
            element("WindowWidth", frame.window_width),
            element("RescaleIntercept", 0),
            element("RescaleSlope", 1),
            element("PresentationLUTShape", "IDENTITY"),
            element("AvailableTransferSyntaxUID", LITTLE_ENDIAN),
        )
    )


def rendered(frame: DisplayFrame, media_type: str, viewport: tuple[int, int] | None = None) -> bytes:
    """A picture of the frame in its own window (PS3.18 10.4.1.1.3). viewport: it fits into so many columns and rows."""
    values = np.frombuffer(frame.pixels, "<u2").reshape(frame.rows, frame.columns)
    picture = Image.fromarray(_windowed(frame)[values])
    if viewport is not None:
        scale = min(viewport[0] / frame.columns, viewport[1] / frame.rows)
        size = max(1, round(frame.columns * scale)), max(1, round(frame.rows * scale))
        picture = picture.resize(size, Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC)
    file = io.BytesIO()
    picture.save(file, _TYPES[media_type], quality=JPEG_QUALITY)
    return file.getvalue()


def _windowed(frame: DisplayFrame) -> np.ndarray:
    """Grey level of each value: LINEAR (PS3.3 C.11.2.1.2.1)."""
    values = np.arange(1 << 16, dtype=np.float64)
    level = (values - (frame.window_center - 0.5)) / max(frame.window_width - 1, 1e-9) + 0.5
    return (np.clip(level, 0, 1) * 255 + 0.5).astype(np.uint8)
