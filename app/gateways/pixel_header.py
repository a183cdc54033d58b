"""Header facts of a stored object; runs in the decoding process, where a hostile header can do no harm."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset

from app.domain.imaging import Code, HeaderFacts
from model.dicom_file import read_elements

_CODE_LENGTH, _TEXT_LENGTH = 64, 1024
_DAYS_PER_YEAR = 365.25
_AGE_UNITS = {"D": 1 / _DAYS_PER_YEAR, "W": 7 / _DAYS_PER_YEAR, "M": 1 / 12, "Y": 1.0}
_AGE = re.compile(r"(\d{1,3})([DWMY])")  # PS3.5 table 6.2-1, AS
_DATE = re.compile(r"(\d{4})\.?(\d{2})\.?(\d{2})")
_STUDY_DATES = ("StudyDate", "AcquisitionDate", "SeriesDate", "ContentDate")
_REASONS = ("ReasonForTheRequestedProcedure", "ReasonForStudy", "AdditionalPatientHistory")
_PROCEDURES = ("RequestedProcedureDescription", "PerformedProcedureStepDescription")
_VETERINARY = ("PatientBreedDescription", "PatientBreedCodeSequence", "BreedRegistrationSequence")

KEYWORDS = (
    "SOPClassUID",
    "SOPInstanceUID",
    "Modality",
    "Rows",
    "Columns",
    "BitsStored",
    "NumberOfFrames",
    "PhotometricInterpretation",
    "PresentationIntentType",
    "PresentationLUTShape",
    "BodyPartExamined",
    "ViewPosition",
    "ViewCodeSequence",
    "AnatomicRegionSequence",
    "PatientOrientation",
    "Laterality",
    "ImageLaterality",
    "BurnedInAnnotation",
    "LossyImageCompression",
    "ConversionType",
    "Manufacturer",
    "ManufacturerModelName",
    "PatientAge",
    "PatientBirthDate",
    "PatientSex",
    "PatientSpeciesDescription",
    "PatientSpeciesCodeSequence",
    *_VETERINARY,
    "SeriesDescription",
    "StudyDescription",
    "ProtocolName",
    "RequestAttributesSequence",
    *_STUDY_DATES,
    *_REASONS,
    *_PROCEDURES,
)


def header_facts(path: Path) -> HeaderFacts:
    """Facts of a Part 10 file; an attribute that cannot be read counts as absent. Raises model.errors.NotAnImage."""
    dataset, has_pixels = read_elements(path, KEYWORDS, with_pixels=False)
    regions = tuple(_codes(dataset, "AnatomicRegionSequence"))
    return HeaderFacts(
        sop_class_uid=_word(dataset, "SOPClassUID"),
        sop_instance_uid=_word(dataset, "SOPInstanceUID"),
        transfer_syntax_uid=_word(dataset.file_meta, "TransferSyntaxUID"),
        modality=_word(dataset, "Modality"),
        has_pixels=has_pixels,
        rows=_number(dataset, "Rows"),
        columns=_number(dataset, "Columns"),
        bits_stored=_number(dataset, "BitsStored"),
        number_of_frames=_number(dataset, "NumberOfFrames") or 1,
        photometric=_word(dataset, "PhotometricInterpretation"),
        presentation_intent=_word(dataset, "PresentationIntentType"),
        presentation_lut_shape=_word(dataset, "PresentationLUTShape"),
        body_part_examined=_word(dataset, "BodyPartExamined"),
        view_position=_word(dataset, "ViewPosition"),
        view_code=next(_codes(dataset, "ViewCodeSequence"), None),
        anatomic_regions=regions,
        patient_orientation=tuple(_clean(part, _CODE_LENGTH).upper() for part in _many(dataset, "PatientOrientation")),
        laterality=_word(dataset, "ImageLaterality") or _word(dataset, "Laterality"),
        burned_in=_word(dataset, "BurnedInAnnotation"),
        lossy=_word(dataset, "LossyImageCompression"),
        conversion_type=_word(dataset, "ConversionType"),
        manufacturer=_text(dataset, "Manufacturer"),
        manufacturer_model=_text(dataset, "ManufacturerModelName"),
        patient_age_years=_age(dataset),
        patient_sex=_word(dataset, "PatientSex"),
        patient_species=_species(dataset),
        series_description=_text(dataset, "SeriesDescription"),
        study_description=_text(dataset, "StudyDescription"),
        protocol_name=_text(dataset, "ProtocolName"),
        reason_for_study=_first_text(dataset, _REASONS),
        requested_procedure_description=_first_text(dataset, _PROCEDURES),
    )


def _value(dataset: Dataset, keyword: str) -> Any:
    """None also where the element's bytes cannot be read as its VR: one bad element does not condemn the object."""
    try:
        return dataset.get(keyword)
    except Exception:  # noqa: BLE001  pydicom raises whatever its converters meet
        return None


def _many(dataset: Dataset, keyword: str) -> list[Any]:
    value = _value(dataset, keyword)
    if value is None:
        return []
    return list(value) if hasattr(value, "__iter__") and not isinstance(value, str | bytes) else [value]


def _clean(value: object, length: int) -> str:
    """Plain text on one line: no control, format or unassigned characters, single spaces, at most `length` long."""
    text = str(value)[: 4 * length]
    kept = (" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in text)
    return " ".join("".join(kept).split())[:length].strip()


def _word(dataset: Dataset, keyword: str) -> str:
    found = _many(dataset, keyword)
    return _clean(found[0], _CODE_LENGTH).upper() if found else ""


def _text(dataset: Dataset, keyword: str) -> str:
    return _clean(" ".join(str(part) for part in _many(dataset, keyword)), _TEXT_LENGTH)


def _first_text(dataset: Dataset, keywords: tuple[str, ...]) -> str:
    """Of the request first (Request Attributes Sequence), then of the image itself."""
    requests = _many(dataset, "RequestAttributesSequence")[:1]
    found = (_text(source, keyword) for source in (*requests, dataset) for keyword in keywords)
    return next((text for text in found if text), "")


def _number(dataset: Dataset, keyword: str) -> int | None:
    try:
        return int(_many(dataset, keyword)[0])
    except (IndexError, TypeError, ValueError):
        return None


def _codes(dataset: Dataset, keyword: str) -> Iterator[Code]:
    for item in _many(dataset, keyword)[:8]:
        value = next(
            (_clean(found, _CODE_LENGTH) for name in ("CodeValue", "LongCodeValue") if (found := _value(item, name))),
            "",
        )
        if value:
            scheme = _clean(_value(item, "CodingSchemeDesignator") or "", _CODE_LENGTH)
            yield Code(value, scheme, _text(item, "CodeMeaning"))


def _species(dataset: Dataset) -> str:
    """A person has none of these attributes (PS3.3 C.7.1.1: required for non-human organisms)."""
    coded = next(_codes(dataset, "PatientSpeciesCodeSequence"), None)
    named = _text(dataset, "PatientSpeciesDescription") or (coded.meaning or coded.value if coded else "")
    return named or ("animal" if any(_many(dataset, keyword) for keyword in _VETERINARY) else "")


def _age(dataset: Dataset) -> float | None:
    stated = _AGE.fullmatch(_word(dataset, "PatientAge"))
    if stated:
        return round(int(stated[1]) * _AGE_UNITS[stated[2]], 3)
    born = _day(dataset, "PatientBirthDate")
    taken = next((day for keyword in _STUDY_DATES if (day := _day(dataset, keyword))), None)
    if born is None or taken is None or taken < born:
        return None
    return round((taken - born).days / _DAYS_PER_YEAR, 3)


def _day(dataset: Dataset, keyword: str) -> date | None:
    match = _DATE.fullmatch(_word(dataset, keyword))
    try:
        return date(int(match[1]), int(match[2]), int(match[3])) if match else None
    except ValueError:
        return None
