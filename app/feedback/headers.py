"""Who and where, from the headers of the stored objects: the record keeps the few facts it needs, these keep all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag

from app.errors import NotFound, ServiceError
from app.feedback.known import Known, known
from app.ports import ObjectStore

PERSONS = tuple(
    """
    PatientName OtherPatientNames PatientBirthName PatientMotherBirthName ResponsiblePerson ReferringPhysicianName
    ConsultingPhysicianName PerformingPhysicianName NameOfPhysiciansReadingStudy PhysiciansOfRecord OperatorsName
    RequestingPhysician HumanPerformerName
    """.split()  # noqa: SIM905 - one word each
)
NUMBERS = tuple(
    """
    PatientID OtherPatientIDs AccessionNumber StudyID StudyInstanceUID SeriesInstanceUID SOPInstanceUID
    FrameOfReferenceUID PatientTelephoneNumbers DeviceSerialNumber MedicalRecordLocator AdmissionID
    RequestedProcedureID ScheduledProcedureStepID PerformedProcedureStepID FillerOrderNumberImagingServiceRequest
    PlacerOrderNumberImagingServiceRequest
    """.split()  # noqa: SIM905 - one word each
)
PLACES = ("InstitutionName", "InstitutionAddress", "InstitutionalDepartmentName", "IssuerOfPatientID", "PatientAddress")
DATES = ("PatientBirthDate", "StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate")
_WANTED: list[BaseTag] = [
    Tag(name) for name in ("SpecificCharacterSet", *PERSONS, *NUMBERS, *PLACES, *DATES, "OtherPatientIDsSequence")
]


class HeaderUnreadable(ServiceError):
    """Nobody can say whom and which institution this object is of, so that nothing of its study may leave."""

    title = "A stored header cannot be read"


@dataclass(frozen=True, slots=True)
class HeaderIdentity:
    """What the headers of a study say of persons and places; institutions: as written."""

    known: Known = field(repr=False)
    institutions: frozenset[str] = field(repr=False)


def identity_in(store: ObjectStore, object_keys: Iterable[str]) -> HeaderIdentity:
    """Of all these objects together. Raises HeaderUnreadable."""
    datasets = [_header(store, key) for key in object_keys]
    everybody = known(
        names=_values(datasets, PERSONS),
        identifiers=_values(datasets, NUMBERS),
        places=_values(datasets, PLACES),
        dates=_values(datasets, DATES),
    )
    return HeaderIdentity(everybody, frozenset(_values(datasets, ("InstitutionName",))))


def _header(store: ObjectStore, key: str) -> Dataset:
    try:
        return dcmread(store.path(key), stop_before_pixels=True, specific_tags=_WANTED)
    except NotFound as error:
        raise HeaderUnreadable("a stored object of the study is gone") from error
    except Exception as error:  # the parser meets whatever a sender made up; each ending is the same refusal
        raise HeaderUnreadable(f"a stored header cannot be parsed ({type(error).__name__})") from error


def _values(datasets: Iterable[Dataset], names: Iterable[str]) -> Iterator[str]:
    wanted = tuple(names)
    for dataset in datasets:
        for name in wanted:
            yield from _texts(dataset, name)
        if "PatientID" in wanted:
            yield from (
                text for item in dataset.get("OtherPatientIDsSequence") or () for text in _texts(item, "PatientID")
            )


def _texts(dataset: Dataset, name: str) -> Iterator[str]:
    value = dataset.get(name)
    several = value if isinstance(value, (list, tuple)) or type(value).__name__ == "MultiValue" else (value,)
    yield from (text for one in several if one is not None and (text := str(one).strip()))
