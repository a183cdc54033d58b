"""DICOM pixels to the picture a checkpoint sees, and to the frame a reader sees.

Order: decode, Modality LUT, VOI LUT, Presentation LUT (PS3.3 C.11, PS3.4 N.2), then size and orientation. Brightness
is looked up at full resolution and 16 bits and averaged by area after that: nothing aliases, whatever the model's size.

JPEG 2000 shrunk to a quarter or less (a 16th, a 64th): where the tone is a straight line, the finest one (two, three)
wavelet levels are not decoded and the picture is synthesised without them. That is not the same picture bit for bit: a
2048 x 2500 film at 512 px differs by 0.1 grey levels on average and 12 at the edge of burnt-in letters, less than two
resampling filters differ from each other (area and bicubic: 0.2 and 11). Every other lossless syntax gives one digest.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset

from model.decoding import Pixels, first_frame
from model.dicom_file import read_elements, refuse_deflated, transfer_syntax
from model.errors import NotAnImage, UndecodablePixels, foreign_faults
from model.luts import TONE_KEYWORDS, Window, tone
from model.pixel_format import PIXEL_KEYWORDS, PixelFormat, pixel_format

__all__ = [
    "Frame",
    "NotAnImage",
    "Picture",
    "UndecodablePixels",
    "pixels_sha256",
    "to_display_frame",
    "to_model_image",
    "to_model_png",
]

_PLACE_KEYWORDS = (
    "PatientOrientation",
    "PixelSpacing",
    "ImagerPixelSpacing",
    "PixelAspectRatio",
)
KEYWORDS = (*PIXEL_KEYWORDS, *TONE_KEYWORDS, *_PLACE_KEYWORDS)
_SHRINK_PER_HALVING = 4  # full size : model size from which the finest wavelet bands may be left out
_PNG_FAST = (cv2.IMWRITE_PNG_COMPRESSION, 1)
_ASPECT_LIMIT = 4.0  # wider than this, the spacing is a mistake and not a detector
_MISTAKEN_SPACING_MM = 10.0

Source = Path | Dataset
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Picture:
    """A model image as PNG; sha256: of its pixels row by row; width, height in px.

    film: left, top, right, bottom of the film within it, px; beyond them is padding.
    """

    png: bytes = field(repr=False)
    sha256: str
    width: int
    height: int
    film: tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame for a viewer that knows only a LINEAR window.

    pixels: rows x columns, uint16, larger is brighter, 0 to `largest`. window: in the frame's values.
    row_spacing_mm: between rows, column_spacing_mm: between columns, or None; calibrated: False at the detector plane.
    orientation: Patient Orientation of the frame as it is here (along a row, down a column), or empty.
    """

    pixels: NDArray[np.uint16] = field(repr=False)
    largest: int
    window: Window
    row_spacing_mm: float | None
    column_spacing_mm: float | None
    calibrated: bool
    orientation: tuple[str, str] | tuple[()]


def to_model_image(source: Source, size: int = 512) -> Image.Image:
    """Render one radiograph the way the checkpoint was trained.

    source: CR/DX/SC image, a Part 10 file or a data set, any decodable transfer syntax but Deflated; 8-16 bit,
    MONOCHROME1 or 2, colour as luminance; of several frames the first.
    Returns an 8-bit L image, size x size px, aspect kept, black padding, bone bright, patient's head up and left side
    on the right where Patient Orientation tells. Raises UndecodablePixels, NotAnImage; MemoryError, OSError pass.
    """
    return Image.fromarray(_guarded(source, lambda dataset: _squared(_rendered(dataset, size), size)[0]))


def to_model_png(source: Source, size: int = 512) -> Picture:
    """The same as PNG, with the digest of its pixels."""
    pixels, film = _guarded(source, lambda dataset: _squared(_rendered(dataset, size), size))
    image = Image.fromarray(pixels)
    done, png = cv2.imencode(".png", pixels, _PNG_FAST)
    if not done:
        raise UndecodablePixels("The picture cannot be written as PNG")
    return Picture(png.tobytes(), pixels_sha256(image), image.width, image.height, film)


def pixels_sha256(image: Image.Image) -> str:
    """SHA-256 of the pixels row by row: what a draft keeps to tell which picture it came from."""
    return hashlib.sha256(image.tobytes()).hexdigest()


def to_display_frame(source: Source) -> Frame:
    """The first frame at full size, polarity and every non-linear LUT in its values. Raises as `to_model_image`."""
    return _guarded(source, _displayed)


def _guarded(source: Source, work: Callable[[Dataset], _Result]) -> _Result:
    if isinstance(source, Path):
        source, _ = read_elements(source, KEYWORDS, with_pixels=True)
    with foreign_faults(UndecodablePixels, "The pixels cannot be decoded"):
        refuse_deflated(transfer_syntax(source))
        return work(source)


def _rendered(dataset: Dataset, size: int) -> NDArray[np.uint8]:
    """Brightness, 0 to 255, fitted into size x size px, upright."""
    if size < 1:
        raise ValueError(f"size must be at least 1 px, not {size}")
    form = pixel_format(dataset)
    rows, columns = _fitted(form, _spacing(dataset), size)
    if not form.monochrome:
        grey = _resized(first_frame(dataset, form), rows, columns)
    else:
        shown = _brightness(dataset, form, form.rows / rows)
        grey = np.rint(_resized(shown, rows, columns) * np.float32(1 / 257)).astype(np.uint8)
    return np.asarray(_upright(grey, dataset)[0], dtype=np.uint8)


def _brightness(dataset: Dataset, form: PixelFormat, shrink: float) -> NDArray[np.uint16]:
    frames: list[Pixels] = []

    def whole_frame() -> Pixels:
        if not frames:
            frames.append(first_frame(dataset, form))
        return frames[0]

    look = tone(dataset, form, whole_frame)
    halvings = int(math.log(shrink, _SHRINK_PER_HALVING)) if look.straight and shrink > 1 else 0
    samples = whole_frame() if frames or not halvings else first_frame(dataset, form, halvings=halvings)
    return _looked_up(look.brightness_table(), samples)


def _looked_up(table: NDArray[np.uint16], samples: Pixels) -> NDArray[np.uint16]:
    """OpenCV's look-up wants a table for every value of the type; samples never reach the added part."""
    full = np.zeros(256 if samples.dtype == np.uint8 else 65536, np.uint16)
    full[: table.size] = table[: full.size]
    return np.asarray(cv2.LUT(samples, full))


def _resized(grey: Pixels, rows: int, columns: int) -> Pixels:
    """By area. Exact halves come first as long as at least a halving is left: they cost a tenth of any other ratio."""
    if rows > grey.shape[0] or columns > grey.shape[1]:
        return np.asarray(cv2.resize(grey, (columns, rows), interpolation=cv2.INTER_LINEAR))
    while not any(side % 2 for side in grey.shape) and grey.shape[0] >= 4 * rows and grey.shape[1] >= 4 * columns:
        grey = cv2.resize(grey, (grey.shape[1] // 2, grey.shape[0] // 2), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(grey, (columns, rows), interpolation=cv2.INTER_AREA))


def _fitted(form: PixelFormat, spacing: tuple[float, float] | None, size: int) -> tuple[int, int]:
    """Rows and columns of the picture within size x size px, in the film's own proportions."""
    height, width = float(form.rows), float(form.columns)
    if spacing is not None:
        height *= spacing[0] / spacing[1]
    scale = size / max(height, width)
    return max(1, min(size, round(height * scale))), max(1, min(size, round(width * scale)))


def _squared(grey: NDArray[np.uint8], size: int) -> tuple[NDArray[np.uint8], tuple[int, int, int, int]]:
    """The picture in the middle of a black square, and its left, top, right and bottom there."""
    square = np.zeros((size, size), np.uint8)
    top, left = (size - grey.shape[0]) // 2, (size - grey.shape[1]) // 2
    bottom, right = top + grey.shape[0], left + grey.shape[1]
    square[top:bottom, left:right] = grey
    return square, (left, top, right, bottom)


def _displayed(dataset: Dataset) -> Frame:
    form = pixel_format(dataset)
    samples = first_frame(dataset, form)
    if form.monochrome:
        look = tone(dataset, form, lambda: samples)
        pixels, largest, window = _looked_up(look.frame_table(), samples), look.largest, look.frame_window
    else:
        pixels, largest, window = samples.astype(np.uint16), 255, Window(0, 255)
    upright, orientation, turned = _upright(pixels, dataset)
    spacing = _spacing(dataset, turned=turned)
    stated, detector = (_pair(dataset, keyword) for keyword in ("PixelSpacing", "ImagerPixelSpacing"))
    calibrated = stated is not None and stated != detector  # PS3.3 10.7.1.3: equal values are the detector's own
    row_mm, column_mm = spacing if spacing and _in_millimetres(dataset) else (None, None)
    return Frame(np.ascontiguousarray(upright), largest, window, row_mm, column_mm, calibrated, orientation)


def _in_millimetres(dataset: Dataset) -> bool:
    return any(_pair(dataset, keyword) is not None for keyword in ("PixelSpacing", "ImagerPixelSpacing"))


def _spacing(dataset: Dataset, *, turned: bool = False) -> tuple[float, float] | None:
    """Distance between rows and between columns: mm, or a bare ratio; None where unknown or not credible."""
    for keyword in ("PixelSpacing", "ImagerPixelSpacing", "PixelAspectRatio"):
        pair = _pair(dataset, keyword)
        if pair is not None:
            return (pair[1], pair[0]) if turned else pair
    return None


def _pair(dataset: Dataset, keyword: str) -> tuple[float, float] | None:
    value: Any = dataset.get(keyword)
    try:
        vertical, horizontal = (float(number) for number in value)
    except (TypeError, ValueError):
        return None
    if not (0 < vertical < math.inf and 0 < horizontal < math.inf):
        return None
    credible = 1 / _ASPECT_LIMIT <= vertical / horizontal <= _ASPECT_LIMIT
    return (vertical, horizontal) if credible and max(vertical, horizontal) < _MISTAKEN_SPACING_MM else None


def _upright(grey: Pixels, dataset: Dataset) -> tuple[Pixels, tuple[str, str] | tuple[()], bool]:
    """The picture with the patient's left along the rows and feet down the columns (PS3.3 C.7.6.1.1.1).

    Only a coronal plane (left/right against head/feet) is turned; any other, and an unstated one, stays as stored.
    Also: Patient Orientation afterwards, and whether rows and columns changed places.
    """
    along, down = _orientation(dataset)
    if {along[:1], down[:1]} not in ({"L", "F"}, {"L", "H"}, {"R", "F"}, {"R", "H"}):
        return grey, (along, down) if along and down else (), False
    turned = along[0] in "HF"
    if turned:
        grey, along, down = np.swapaxes(grey, 0, 1), down, along
    if along[0] == "R":
        grey, along = grey[:, ::-1], _opposite(along)
    if down[0] == "H":
        grey, down = grey[::-1], _opposite(down)
    return grey, (along, down), turned


def _orientation(dataset: Dataset) -> tuple[str, str]:
    value: Any = dataset.get("PatientOrientation")
    if value is None or isinstance(value, str) or len(value) != 2:
        return "", ""
    return str(value[0]).strip().upper(), str(value[1]).strip().upper()


def _opposite(direction: str) -> str:
    return direction.translate(str.maketrans("LRFHAP", "RLHFPA"))
