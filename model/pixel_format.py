"""What the header says of the pixels, checked before anything is decoded."""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.dataset import Dataset

from model.errors import NotAnImage, UndecodablePixels

MAX_SAMPLES = 1 << 26  # rows x columns x samples x frames: four times the largest flat detector
MAX_SIDE = 1 << 15
MONOCHROME = ("MONOCHROME1", "MONOCHROME2")
COLOUR = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_422", "YBR_PARTIAL_420", "YBR_ICT", "YBR_RCT")
PALETTE = "PALETTE COLOR"
_PALETTE = ("Red", "Green", "Blue")
PIXEL_KEYWORDS = (
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PlanarConfiguration",
    "NumberOfFrames",
    "ExtendedOffsetTable",
    "ExtendedOffsetTableLengths",
    *(f"{colour}PaletteColorLookupTable{part}" for colour in _PALETTE for part in ("Descriptor", "Data")),
    *(f"Segmented{colour}PaletteColorLookupTableData" for colour in _PALETTE),
)


@dataclass(frozen=True, slots=True)
class PixelFormat:
    """The Image Pixel module (PS3.3 C.7.6.3), checked: 8 or 16 bits allocated, sizes within the caps."""

    rows: int
    columns: int
    samples: int
    frames: int
    bits_allocated: int
    bits_stored: int
    high_bit: int
    signed: bool
    planar: bool
    photometric: str

    @property
    def monochrome(self) -> bool:
        """Whether the grey-scale pipeline applies; colour goes straight to luminance."""
        return self.photometric in MONOCHROME

    @property
    def frame_samples(self) -> int:
        """Samples of one frame."""
        return self.rows * self.columns * self.samples

    @property
    def offset(self) -> int:
        """Stored value of the sample 0: stored value = sample + offset."""
        return -(1 << (self.bits_stored - 1)) if self.signed else 0

    def sample_of(self, stored: int) -> int:
        """The sample of a stored value, also of a signed one that was read as unsigned."""
        return (stored & ((1 << self.bits_stored) - 1)) ^ (-self.offset)


def pixel_format(dataset: Dataset) -> PixelFormat:
    """Raises NotAnImage without rows and columns, UndecodablePixels for what is not read here or beyond the caps."""
    if "Rows" not in dataset or "Columns" not in dataset:
        raise NotAnImage("The object has no rows and columns: it is not an image")
    bits = _number(dataset, "BitsAllocated", 0)
    stored = _number(dataset, "BitsStored", bits)
    found = PixelFormat(
        rows=_number(dataset, "Rows", 0),
        columns=_number(dataset, "Columns", 0),
        samples=_number(dataset, "SamplesPerPixel", 1),
        frames=_number(dataset, "NumberOfFrames", 1),
        bits_allocated=bits,
        bits_stored=stored,
        high_bit=_number(dataset, "HighBit", stored - 1),
        signed=_number(dataset, "PixelRepresentation", 0) == 1,
        planar=_number(dataset, "PlanarConfiguration", 0) == 1,
        photometric=str(dataset.get("PhotometricInterpretation", "")).strip().upper(),
    )
    _refuse_impossible(found)
    return found


def _number(dataset: Dataset, keyword: str, default: int) -> int:
    value = dataset.get(keyword)
    return default if value in (None, "") else int(value)


def _refuse_impossible(found: PixelFormat) -> None:
    if not (0 < found.rows <= MAX_SIDE and 0 < found.columns <= MAX_SIDE):
        raise UndecodablePixels(f"{found.rows} rows x {found.columns} columns: sides must be 1 to {MAX_SIDE}")
    if found.frames < 1 or found.frame_samples * found.frames > MAX_SAMPLES:
        raise UndecodablePixels(
            f"{found.rows} x {found.columns} x {found.samples} samples x {found.frames} frames is beyond {MAX_SAMPLES}"
        )
    if found.bits_allocated not in (8, 16) or not 1 <= found.bits_stored <= found.high_bit + 1 <= found.bits_allocated:
        raise UndecodablePixels(
            f"{found.bits_stored} bits up to bit {found.high_bit} in {found.bits_allocated}: only 8-16 bits are read"
        )
    expected = 3 if found.photometric in COLOUR else 1
    if found.photometric not in (*MONOCHROME, *COLOUR, PALETTE) or found.samples != expected:
        raise UndecodablePixels(f"{found.samples} samples per pixel in this photometric interpretation are not read")
