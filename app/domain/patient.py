"""A patient as the objects describe one."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.identifiers import PatientKey


@dataclass(frozen=True, slots=True)
class Patient:
    """name: DICOM PN; birth_date: YYYYMMDD or ""; sex: M, F, O or ""."""

    key: PatientKey
    name: str = ""
    birth_date: str = ""
    sex: str = ""


def contradicts(one: Patient, other: Patient) -> str | None:
    """What sets two patients of the same key apart, in words; None where nothing known differs."""
    if one.birth_date and other.birth_date and one.birth_date != other.birth_date:
        return "birth dates differ"
    if {one.sex, other.sex} == {"M", "F"}:
        return "sexes differ"
    return None
