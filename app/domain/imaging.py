"""What the service knows of one image object: header facts, the picture for the model, the frame for the reader."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ModelImage:
    """The picture a checkpoint sees.

    png: 8-bit greyscale PNG, `width` x `height` px, bone bright, black where the film does not reach.
    sha256: of the pixels (row by row, not of the PNG), 64 hexadecimal digits: equal pictures have equal digests.
    film: left, top, right, bottom of the film within it, px: the whole of what DisplayFrame shows, padding around it.
    """

    png: bytes = field(repr=False)
    sha256: str
    width: int
    height: int
    film: tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class DisplayFrame:
    """The frame a viewer that knows only a LINEAR window (PS3.3 C.11.2.1.2.1) shows as the standard asks.

    pixels: `rows` x `columns` unsigned 16-bit little-endian values, row by row; larger is brighter, so the viewer
    never inverts. VOI LUT Sequence, SIGMOID, Modality LUT Sequence and polarity are already in the values.
    window_center, window_width: LINEAR, in the frame's own values; max_value: the largest value that can occur.
    row_spacing_mm, column_spacing_mm: distance between rows and between columns, or None where unknown;
    spacing_calibrated: False where it was measured at the detector plane (Imager Pixel Spacing).
    orientation: Patient Orientation of the frame as given here (along a row, down a column), or empty.
    """

    rows: int
    columns: int
    pixels: bytes = field(repr=False)
    window_center: float
    window_width: float
    max_value: int
    row_spacing_mm: float | None = None
    column_spacing_mm: float | None = None
    spacing_calibrated: bool = False
    orientation: tuple[str, str] | tuple[()] = ()


@dataclass(frozen=True, slots=True)
class StoredFrame:
    """One frame of the pixel data as it was received, but little endian where it is not compressed."""

    content: bytes = field(repr=False)
    transfer_syntax_uid: str


@dataclass(frozen=True, slots=True)
class Code:
    """A coded concept (PS3.3 8.8): value, coding scheme designator, meaning."""

    value: str
    scheme: str
    meaning: str = ""


@dataclass(frozen=True, slots=True)
class HeaderFacts:
    """What an object's header says, as far as eligibility, hanging and the prompt ask for it.

    Words are stripped of control characters and padding; absent and empty are "" (or None, or an empty tuple).
    patient_age_years: from Patient's Age, else from birth date and study date; fractions below two years matter.
    patient_species: as described, "animal" where only a breed or an owner is (PS3.3 C.7.1.1), else "".
    burned_in, lossy, presentation_intent: as coded, upper case. What may describe a person is not in `repr`.
    """

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    modality: str
    has_pixels: bool
    rows: int | None
    columns: int | None
    bits_stored: int | None
    number_of_frames: int
    photometric: str
    presentation_intent: str
    presentation_lut_shape: str
    body_part_examined: str
    view_position: str
    view_code: Code | None
    anatomic_regions: tuple[Code, ...]
    patient_orientation: tuple[str, ...]
    laterality: str
    burned_in: str
    lossy: str
    conversion_type: str
    manufacturer: str
    manufacturer_model: str
    patient_age_years: float | None = field(repr=False)
    patient_sex: str = field(repr=False)
    patient_species: str
    series_description: str = field(repr=False)
    study_description: str = field(repr=False)
    protocol_name: str = field(repr=False)
    reason_for_study: str = field(repr=False)
    requested_procedure_description: str = field(repr=False)
