"""From stored values to brightness: Modality LUT, VOI LUT, Presentation LUT (PS3.3 C.11, order of PS3.4 N.2).

Everything is composed into one table over the samples, so that a pixel costs one look-up whatever the header asks for.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from model.decoding import Pixels
from model.errors import UndecodablePixels
from model.pixel_format import PixelFormat

FULL = 65535  # brightest 16-bit value
_FALLBACK_PERCENTILES = (0.5, 99.5)
_FALLBACK_GRID = 512  # percentiles of about as many pixels a side

Values = NDArray[np.float64]

TONE_KEYWORDS = (
    "ModalityLUTSequence",
    "RescaleSlope",
    "RescaleIntercept",
    "VOILUTSequence",
    "WindowCenter",
    "WindowWidth",
    "VOILUTFunction",
    "PresentationLUTShape",
    "PixelPaddingValue",
    "PixelPaddingRangeLimit",
)


@dataclass(frozen=True, slots=True)
class Window:
    """Black at `low` and below, white at `high` and above, a straight line between; inverted: the other way round."""

    low: float
    high: float

    @property
    def center(self) -> float:
        """Window Center of the same line as LINEAR function (PS3.3 C.11.2.1.2.1)."""
        return (self.low + self.high) / 2 + 0.5

    @property
    def width(self) -> float:
        """Window Width of the same line as LINEAR function."""
        return self.high - self.low + 1

    def brightness(self, values: Values) -> Values:
        """0 to 1."""
        span = self.high - self.low
        return np.clip((values - self.low) / span, 0, 1) if span else (values > self.low).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Tone:
    """How samples become brightness.

    values: the grey value of each sample, after the Modality LUT and after a VOI LUT that is no straight line; 0 to
    `largest`. window: the straight line that remains, in those values. inverted: large values are dark.
    padding: first and last sample that stand for "no picture here" (PS3.3 C.7.5.1.1.2), always black.
    straight: values are the samples themselves, so that pixels may be averaged before or after.
    """

    values: NDArray[np.uint16]
    largest: int
    window: Window
    inverted: bool
    padding: tuple[int, int] | None
    straight: bool

    def brightness_table(self) -> NDArray[np.uint16]:
        """Brightness of each sample, 0 to 65535, larger is brighter."""
        shown = self.window.brightness(self.values.astype(np.float64))
        return self._unpadded(np.rint((1 - shown if self.inverted else shown) * FULL).astype(np.uint16))

    def frame_table(self) -> NDArray[np.uint16]:
        """Value of each sample in a frame where larger is brighter; `frame_window` goes with it."""
        return self._unpadded((self.largest - self.values).astype(np.uint16) if self.inverted else self.values)

    @property
    def frame_window(self) -> Window:
        """The window in the values of `frame_table`."""
        if not self.inverted:
            return self.window
        return Window(self.largest - self.window.high, self.largest - self.window.low)

    def _unpadded(self, table: NDArray[np.uint16]) -> NDArray[np.uint16]:
        if self.padding is not None:
            table = table.copy()
            table[self.padding[0] : self.padding[1] + 1] = 0
        return table


def tone(dataset: Dataset, form: PixelFormat, samples: Callable[[], Pixels]) -> Tone:
    """Tone of a monochrome image.

    samples: gives the decoded frame; called only where the header has no VOI LUT and more than 8 bits.
    The first of several windows or LUTs counts; a VOI LUT Sequence goes before a window, as in pydicom.
    Without either: 8 bits are shown as they are, more between their 0.5 and 99.5 percentiles.
    Raises UndecodablePixels for tables and slopes that make no sense.
    """
    stored = np.arange(1 << form.bits_stored, dtype=np.float64) + form.offset
    padding = _padding(dataset, form)
    modality, largest = _modality(dataset, stored)
    curve = _curve(dataset)
    inverted = _inverted(dataset, form)
    if curve is not None:
        values = np.rint(curve(modality) * FULL).astype(np.uint16)
        return Tone(values, FULL, Window(0, FULL), inverted, padding, straight=False)
    window = _header_window(dataset)
    if largest is not None:
        values = np.clip(np.rint(modality), 0, largest).astype(np.uint16)
        window = window or _observed_window(values, padding, samples)
        return Tone(values, largest, window, inverted, padding, straight=False)
    identity = np.arange(stored.size, dtype=np.uint16)
    slope, intercept = _rescale(dataset)
    if window is None and form.bits_stored > 8:
        in_samples = _observed_window(identity, padding, samples)
    elif window is None:
        in_samples = Window(0, float(stored.size - 1))
    else:
        in_samples = _in_samples(window, slope, intercept + slope * form.offset)
    return Tone(identity, identity.size - 1, in_samples, inverted ^ (slope < 0), padding, straight=padding is None)


def _in_samples(window: Window, slope: float, intercept: float) -> Window:
    ends = sorted((end - intercept) / slope for end in (window.low, window.high))
    if not all(math.isfinite(end) for end in ends):
        raise UndecodablePixels("Rescale Slope and window together leave no finite range")
    return Window(*ends)


def _modality(dataset: Dataset, stored: Values) -> tuple[Values, int | None]:
    """Output of the Modality LUT for each stored value, and its largest value where it is a table (PS3.3 C.11.1)."""
    items = dataset.get("ModalityLUTSequence")
    if items:
        table = _Table.read(items[0])
        return table.of(stored), int(table.data.max())
    slope, intercept = _rescale(dataset)
    return stored * slope + intercept, None


def _rescale(dataset: Dataset) -> tuple[float, float]:
    slope, intercept = (_first_number(dataset, f"Rescale{part}") for part in ("Slope", "Intercept"))
    slope, intercept = 1.0 if slope is None else slope, intercept or 0.0
    if slope == 0:
        raise UndecodablePixels("Rescale Slope is 0: every pixel would look the same")
    return slope, intercept


def _first_number(dataset: Dataset, keyword: str) -> float | None:
    """The first value, or None where it is absent or no finite number."""
    value = dataset.get(keyword)
    several = hasattr(value, "__len__") and not isinstance(value, str | bytes)
    try:
        number = float(value[0] if several else value)
    except (IndexError, TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def _window_numbers(dataset: Dataset) -> tuple[float, float] | None:
    center, width = _first_number(dataset, "WindowCenter"), _first_number(dataset, "WindowWidth")
    return None if center is None or width is None or width <= 0 else (center, width)


def _function(dataset: Dataset) -> str:
    return str(dataset.get("VOILUTFunction") or "LINEAR").strip().upper()


def _header_window(dataset: Dataset) -> Window | None:
    """LINEAR (PS3.3 C.11.2.1.2.1) or LINEAR_EXACT (C.11.2.1.3.2) window in modality values, if valid."""
    numbers = _window_numbers(dataset)
    if numbers is None:
        return None
    center, width = numbers
    if _function(dataset) == "LINEAR_EXACT":
        return Window(center - width / 2, center + width / 2)
    return Window(center - 0.5 - (width - 1) / 2, center - 0.5 + (width - 1) / 2) if width >= 1 else None


def _curve(dataset: Dataset) -> Callable[[Values], Values] | None:
    """A VOI LUT that is no straight line, from modality values to 0..1; None where there is none."""
    items = dataset.get("VOILUTSequence")
    if items:
        table = _Table.read(items[0])
        return lambda values: table.of(values) / table.largest
    numbers = _window_numbers(dataset)
    if numbers is None or _function(dataset) != "SIGMOID":
        return None
    center, width = numbers  # PS3.3 C.11.2.1.3.1
    return lambda values: 1 / (1 + np.exp(np.clip(-4 * (values - center) / width, -700, 700)))


@dataclass(frozen=True, slots=True)
class _Table:
    """LUT Descriptor and LUT Data (PS3.3 C.11.1.1)."""

    first: int
    largest: int
    data: Values

    @classmethod
    def read(cls, item: Dataset) -> _Table:
        entries, first, bits = (int(number) for number in item.LUTDescriptor)
        data = _lut_data(item, entries or 65536)
        if not 1 <= bits <= 16 or data.size == 0:
            raise UndecodablePixels(f"A look-up table of {data.size} entries of {bits} bits makes no sense")
        # Some makers write a wider table than they declare; its real range is then the one meant.
        largest = max((1 << bits) - 1, int(data.max()))
        return cls(first, largest, data)

    def of(self, values: Values) -> Values:
        """Values below the table take its first entry, values above its last."""
        # A negative first value is often written, or read, as unsigned.
        first = self.first - 65536 if self.first >= 32768 and values.max() < self.first else self.first
        return self.data[np.clip(np.rint(values) - first, 0, self.data.size - 1).astype(np.intp)]


def _lut_data(item: Dataset, entries: int) -> Values:
    element: Any = item["LUTData"]
    value = element.value
    if not isinstance(value, bytes):
        return np.atleast_1d(np.asarray(value, dtype=np.float64))[:entries] % 65536
    if len(value) < 2 * entries:  # 8-bit entries, packed (padded to even length)
        return np.frombuffer(value, "u1").astype(np.float64)[:entries]
    little = getattr(item, "original_encoding", (None, True))[1] is not False
    return np.frombuffer(value, "<u2" if little else ">u2", entries).astype(np.float64)


def _observed_window(
    values: NDArray[np.uint16], padding: tuple[int, int] | None, samples: Callable[[], Pixels]
) -> Window:
    frame = samples()
    step = max(1, min(frame.shape) // _FALLBACK_GRID)
    seen = frame[::step, ::step].ravel()
    if padding is not None:
        inside = seen[(seen < padding[0]) | (seen > padding[1])]
        seen = inside if inside.size else seen
    low, high = np.percentile(values[seen], _FALLBACK_PERCENTILES)
    return Window(float(low), float(max(high, low + 1)))


def _inverted(dataset: Dataset, form: PixelFormat) -> bool:
    """MONOCHROME1 and the shape INVERSE say the same thing, they do not cancel out (PS3.3 C.8.11.3.1.2)."""
    shape = str(dataset.get("PresentationLUTShape") or "").strip().upper()
    return shape == "INVERSE" or form.photometric == "MONOCHROME1"


def _padding(dataset: Dataset, form: PixelFormat) -> tuple[int, int] | None:
    ends = [_first_number(dataset, keyword) for keyword in ("PixelPaddingValue", "PixelPaddingRangeLimit")]
    found = [form.sample_of(int(end)) for end in ends if end is not None and _storable(int(end), form)]
    return (min(found), max(found)) if found and ends[0] is not None else None


def _storable(stored: int, form: PixelFormat) -> bool:
    """Whether a pixel can have this value; a signed one may have been read as unsigned 16 bits."""
    low, high = form.offset, form.offset + (1 << form.bits_stored)
    return low <= stored < high or (form.signed and low <= stored - 65536 < high)
