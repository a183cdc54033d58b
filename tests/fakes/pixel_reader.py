"""A pixel reader that knows each object's header and picture beforehand."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from app.domain.imaging import DisplayFrame, HeaderFacts, ModelImage, StoredFrame
from app.errors import CannotUnderstand, PixelsUnreadable
from tests.fakes.model_pictures import picture

FRONTAL = HeaderFacts(
    sop_class_uid="1.2.840.10008.5.1.4.1.1.1.1",
    sop_instance_uid="1.2.3.4",
    transfer_syntax_uid="1.2.840.10008.1.2.1",
    modality="DX",
    has_pixels=True,
    rows=2500,
    columns=2048,
    bits_stored=12,
    number_of_frames=1,
    photometric="MONOCHROME2",
    presentation_intent="FOR PRESENTATION",
    presentation_lut_shape="IDENTITY",
    body_part_examined="CHEST",
    view_position="PA",
    view_code=None,
    anatomic_regions=(),
    patient_orientation=("L", "F"),
    laterality="",
    burned_in="NO",
    lossy="00",
    conversion_type="",
    manufacturer="Maker",
    manufacturer_model="Model",
    patient_age_years=61.0,
    patient_sex="F",
    patient_species="",
    series_description="PA erect",
    study_description="Chest",
    protocol_name="",
    reason_for_study="",
    requested_procedure_description="",
)


def frontal(**differing: object) -> HeaderFacts:
    """The header of a plain adult PA chest film, but for what is named."""
    return replace(FRONTAL, **differing)  # type: ignore[arg-type]


class KnownFilms:
    """Implements app.ports.PixelReader by object key; a film whose picture is an exception cannot be decoded."""

    def __init__(self) -> None:
        self.headers: dict[str, HeaderFacts | Exception] = {}
        self.faults: dict[str, Exception] = {}
        self.inverted: set[str] = set()
        self.decoded: list[str] = []

    def inspect(self, path: Path) -> HeaderFacts:
        found = self.headers[path.name]
        if isinstance(found, Exception):
            raise found
        return found

    def model_image(self, path: Path, size: int) -> ModelImage:
        self.decoded.append(path.name)
        if path.name in self.faults:
            raise self.faults[path.name]
        png = picture(sum(path.name.encode()), size, inverted=path.name in self.inverted)
        return ModelImage(png, hashlib.sha256(png).hexdigest(), size, size, (0, 0, size, size))

    def display_frame(self, path: Path) -> DisplayFrame:
        message = f"No test of drafting shows {path.name}."
        raise PixelsUnreadable(message)

    def metadata(self, path: Path) -> bytes:
        message = f"No test of drafting tells of {path.name}."
        raise CannotUnderstand(message)

    def stored_frame(self, path: Path, number: int) -> StoredFrame:
        message = f"No test of drafting hands out frame {number} of {path.name}."
        raise PixelsUnreadable(message)
