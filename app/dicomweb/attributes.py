"""The DICOM JSON model (PS3.18 F) of what the record knows of a study, a series and an instance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydicom.datadict import dictionary_VR, tag_for_keyword

from app.db.tables import Study

Element = dict[str, Any]
Object = dict[str, Element]
_NUMBERS = frozenset({"US", "UL", "SS", "SL", "IS", "DS", "FL", "FD"})


def tag_of(keyword: str) -> str:
    """Eight hexadecimal digits, upper case, as the JSON model names an attribute."""
    tag = tag_for_keyword(keyword)
    if tag is None:
        message = f"{keyword} is no DICOM keyword"
        raise ValueError(message)
    return f"{tag:08X}"


def element(keyword: str, *values: object) -> tuple[str, Element]:
    """One attribute; without a value, or with an empty one, it is there and empty (PS3.18 F.2.5)."""
    vr = dictionary_VR(keyword)
    shown = [_value(vr, value) for value in values if value not in (None, "")]
    return tag_of(keyword), {"vr": vr, "Value": shown} if shown else {"vr": vr}


def _value(vr: str, value: object) -> object:
    if vr == "PN":
        return _person(str(value))
    return value if vr in _NUMBERS else str(value)


def _person(name: str) -> dict[str, str]:
    """PS3.18 F.2.2: component groups by name; PS3.5 6.2.1.1 has them parted by an equals sign."""
    groups = zip(("Alphabetic", "Ideographic", "Phonetic"), name.split("="), strict=False)
    return {group: text for group, text in groups if text}


def of_study(study: Study, url: str) -> Object:
    """PS3.18 table 10.6.3-3, but for what is counted. url: where the study is retrieved."""
    return dict(
        (
            element("SpecificCharacterSet", "ISO_IR 192"),
            element("StudyDate", study.study_date),
            element("StudyTime", study.study_time),
            element("AccessionNumber", study.accession_number),
            element("InstanceAvailability", "ONLINE"),
            element("ReferringPhysicianName", study.referring_physician),
            element("StudyDescription", study.description),
            element("RetrieveURL", url),
            element("PatientName", study.patient_name),
            element("PatientID", study.patient_id),
            element("IssuerOfPatientID", study.issuer),
            element("PatientBirthDate", study.birth_date),
            element("PatientSex", study.sex),
            element("StudyInstanceUID", study.study_instance_uid),
            element("StudyID", study.study_id_tag),
        )
    )


def counts_of_study(modalities: Sequence[str], series: int, instances: int) -> Object:
    """What a search for studies tells of all that a study holds."""
    return dict(
        (
            element("ModalitiesInStudy", *modalities),
            element("NumberOfStudyRelatedSeries", series),
            element("NumberOfStudyRelatedInstances", instances),
        )
    )


def of_series(series_instance_uid: str, modality: str) -> Object:
    """PS3.18 table 10.6.3-4, but for its address and count."""
    return dict(
        (element("Modality", modality), element("SeriesInstanceUID", series_instance_uid), element("SeriesNumber"))
    )


def of_instance(sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str, url: str) -> Object:
    """PS3.18 table 10.6.3-5, as far as the record goes; the rest is in the metadata."""
    return dict(
        (
            element("SOPClassUID", sop_class_uid),
            element("SOPInstanceUID", sop_instance_uid),
            element("InstanceAvailability", "ONLINE"),
            element("RetrieveURL", url),
            element("InstanceNumber"),
            element("AvailableTransferSyntaxUID", transfer_syntax_uid),
        )
    )
