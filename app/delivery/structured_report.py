"""A signed report as Basic Text SR (PS3.3 A.35.1) in the shape of TID 2000 (PS3.16).

Pure: the same facts give the same bytes, so a repeat is recognised by its UID and harmless.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sr.coding import Code
from pydicom.uid import UID, BasicTextSRStorage, ExplicitVRLittleEndian

from app.delivery.status_gate import Outgoing
from app.domain.identifiers import IMPLEMENTATION_CLASS_UID, derived_uid
from app.domain.patient import Patient
from app.domain.signature import Signature

TITLE = Code("18748-4", "LN", "Diagnostic Imaging Report")
LANGUAGE, ENGLISH = Code("121049", "DCM", "Language of Content Item and Descendants"), Code("en", "RFC5646", "English")
OBSERVER_TYPE = Code("121005", "DCM", "Observer Type")
PERSON, PERSON_NAME = Code("121006", "DCM", "Person"), Code("121008", "DCM", "Person Observer Name")
DEVICE, DEVICE_UID = Code("121007", "DCM", "Device"), Code("121012", "DCM", "Device Observer UID")
DEVICE_NAME = Code("121013", "DCM", "Device Observer Name")
DEVICE_SERIAL = Code("121016", "DCM", "Device Observer Serial Number")
SERIES_NUMBER = 9001
MANUFACTURER, MODEL_NAME = "UniRG project", "UniRG review service"


@dataclass(frozen=True, slots=True)
class Heading:
    """A section of CID 7001 and the element of CID 7002 that its text is."""

    section: Code
    element: Code


FINDING = Code("121071", "DCM", "Finding")
PROCEDURE = Heading(
    Code("55111-9", "LN", "Current Procedure Descriptions"), Code("121065", "DCM", "Procedure Description")
)
FINDINGS = Heading(Code("59776-5", "LN", "Findings"), FINDING)
IMPRESSION = Heading(Code("19005-8", "LN", "Impressions"), Code("121073", "DCM", "Impression"))
ADDENDUM = Heading(Code("55107-7", "LN", "Addendum"), FINDING)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One object that the report rests on."""

    study_instance_uid: str
    series_instance_uid: str
    sop_class_uid: str
    sop_instance_uid: str


@dataclass(frozen=True, slots=True)
class StudyHeader:
    """What the document repeats of its study (dates and names in DICOM form)."""

    study_instance_uid: str
    patient: Patient
    study_date: str
    study_time: str
    study_id: str
    accession_number: str
    referring_physician: str
    description: str


@dataclass(frozen=True, slots=True)
class Device:
    """The model that drafted; weights_digest: 64 hexadecimal digits."""

    model: str
    weights_digest: str


@dataclass(frozen=True, slots=True)
class Document:
    """One report, or a report with its addenda.

    sop_instance_uid, series_instance_uid: derived by the caller. number: Instance Number. signatures: the report's,
    then each addendum's; the last is this document's own. predecessors: the documents whose content it repeats.
    device: None where no model drafted.
    """

    sop_instance_uid: str
    series_instance_uid: str
    number: int
    study: StudyHeader
    sections: tuple[tuple[Heading, str], ...]
    signatures: tuple[Signature, ...]
    organization: str
    status: Outgoing
    evidence: tuple[Evidence, ...]
    other_evidence: tuple[Evidence, ...] = ()
    predecessors: tuple[Evidence, ...] = ()
    device: Device | None = None

    @property
    def at(self) -> datetime:
        """When it became what it is, in local time as the study's own dates are.

        Timezone Offset From UTC would speak for those too, and whoever made them did not say their zone.
        """
        return self.signatures[-1].signed_at.astimezone()


def encode(document: Document) -> bytes:
    """The Part 10 file, Explicit VR Little Endian."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = BasicTextSRStorage, UID(document.sop_instance_uid)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    _identify(dataset, document)
    _describe_study(dataset, document.study)
    _state(dataset, document)
    _reference(dataset, document)
    _content(dataset, document)
    file = io.BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def _identify(ds: Dataset, document: Document) -> None:
    at = document.at
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.SOPClassUID, ds.SOPInstanceUID = BasicTextSRStorage, document.sop_instance_uid
    ds.InstanceCreationDate, ds.InstanceCreationTime = f"{at:%Y%m%d}", f"{at:%H%M%S}"
    ds.Modality, ds.SeriesInstanceUID = "SR", document.series_instance_uid
    ds.SeriesNumber, ds.InstanceNumber = SERIES_NUMBER, document.number
    ds.SeriesDescription = "Radiology report"
    ds.Manufacturer, ds.ManufacturerModelName = MANUFACTURER, MODEL_NAME
    ds.ReferencedPerformedProcedureStepSequence = []  # type 2


def _describe_study(ds: Dataset, study: StudyHeader) -> None:
    ds.StudyInstanceUID, ds.StudyID = study.study_instance_uid, study.study_id
    ds.StudyDate, ds.StudyTime = study.study_date, study.study_time
    ds.AccessionNumber, ds.ReferringPhysicianName = study.accession_number, study.referring_physician
    if study.description:
        ds.StudyDescription = study.description
    patient = study.patient
    ds.PatientName, ds.PatientID = patient.name, patient.key.patient_id
    ds.PatientBirthDate, ds.PatientSex = patient.birth_date, patient.sex
    if patient.key.issuer:
        ds.IssuerOfPatientID = patient.key.issuer


def _state(ds: Dataset, document: Document) -> None:
    at, status = document.at, document.status
    ds.ContentDate, ds.ContentTime = f"{at:%Y%m%d}", f"{at:%H%M%S}"
    ds.CompletionFlag, ds.VerificationFlag = status.completion_flag, status.verification_flag
    ds.PreliminaryFlag = status.preliminary_flag
    if status.verification_flag == "VERIFIED":
        newest_first = reversed(document.signatures)  # PS3.3 C.17.2
        ds.VerifyingObserverSequence = [_verifier(signature, document.organization) for signature in newest_first]


def _verifier(signature: Signature, organization: str) -> Dataset:
    item = Dataset()
    item.VerifyingObserverName = signature.name
    item.VerifyingObserverIdentificationCodeSequence = []  # type 2
    item.VerifyingOrganization = organization
    item.VerificationDateTime = f"{signature.signed_at.astimezone(UTC):%Y%m%d%H%M%S}+0000"
    return item


def _reference(ds: Dataset, document: Document) -> None:
    ds.ReferencedRequestSequence = [_request(document.study)]
    ds.PerformedProcedureCodeSequence = []  # type 2
    ds.CurrentRequestedProcedureEvidenceSequence = _hierarchy(document.evidence)
    if document.other_evidence:
        ds.PertinentOtherEvidenceSequence = _hierarchy(document.other_evidence)
    if document.predecessors:
        ds.PredecessorDocumentsSequence = _hierarchy(document.predecessors)


def _request(study: StudyHeader) -> Dataset:
    item = Dataset()
    item.StudyInstanceUID, item.AccessionNumber = study.study_instance_uid, study.accession_number
    item.ReferencedStudySequence = item.RequestedProcedureCodeSequence = []
    item.PlacerOrderNumberImagingServiceRequest = item.FillerOrderNumberImagingServiceRequest = ""
    item.RequestedProcedureID, item.RequestedProcedureDescription = "", study.description
    return item


def _hierarchy(evidence: Sequence[Evidence]) -> list[Dataset]:
    """SOP Instance Reference Macro of studies, series and objects (PS3.3 table C.17-3)."""
    tree: dict[str, dict[str, list[Evidence]]] = {}
    for one in evidence:
        tree.setdefault(one.study_instance_uid, {}).setdefault(one.series_instance_uid, []).append(one)
    return [_study_item(uid, series) for uid, series in tree.items()]


def _study_item(uid: str, series: dict[str, list[Evidence]]) -> Dataset:
    item = Dataset()
    item.StudyInstanceUID = uid
    item.ReferencedSeriesSequence = [_series_item(series_uid, objects) for series_uid, objects in series.items()]
    return item


def _series_item(uid: str, objects: list[Evidence]) -> Dataset:
    item = Dataset()
    item.SeriesInstanceUID = uid
    item.ReferencedSOPSequence = [_object_item(one) for one in objects]
    return item


def _object_item(one: Evidence) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = one.sop_class_uid, one.sop_instance_uid
    return item


def _content(ds: Dataset, document: Document) -> None:
    ds.ValueType, ds.ContinuityOfContent = "CONTAINER", "SEPARATE"
    ds.ConceptNameCodeSequence = [_code(TITLE)]
    template = Dataset()
    template.MappingResource, template.TemplateIdentifier = "DCMR", "2000"
    ds.ContentTemplateSequence = [template]
    ds.ContentSequence = [
        _coded("HAS CONCEPT MOD", LANGUAGE, ENGLISH),
        *_observers(document),
        *(_section(heading, text) for heading, text in document.sections if text.strip()),
    ]


def _observers(document: Document) -> list[Dataset]:
    """TID 1001: the person who signed, and the device that drafted."""
    name = _item("HAS OBS CONTEXT", "PNAME", PERSON_NAME)
    name.PersonName = document.signatures[-1].name
    person = [_coded("HAS OBS CONTEXT", OBSERVER_TYPE, PERSON), name]
    return [*person, *(_device(document.device) if document.device else [])]


def _device(device: Device) -> list[Dataset]:
    uid = _item("HAS OBS CONTEXT", "UIDREF", DEVICE_UID)
    uid.UID = derived_uid("device", device.model, device.weights_digest)
    name = _item("HAS OBS CONTEXT", "TEXT", DEVICE_NAME)
    name.TextValue = device.model
    serial = _item("HAS OBS CONTEXT", "TEXT", DEVICE_SERIAL)
    serial.TextValue = device.weights_digest
    return [_coded("HAS OBS CONTEXT", OBSERVER_TYPE, DEVICE), uid, name, serial]


def _section(heading: Heading, text: str) -> Dataset:
    section = _item("CONTAINS", "CONTAINER", heading.section)
    section.ContinuityOfContent = "SEPARATE"
    content = _item("CONTAINS", "TEXT", heading.element)
    content.TextValue = text.strip()
    section.ContentSequence = [content]
    return section


def _coded(relationship: str, concept: Code, value: Code) -> Dataset:
    item = _item(relationship, "CODE", concept)
    item.ConceptCodeSequence = [_code(value)]
    return item


def _item(relationship: str, value_type: str, concept: Code) -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType = relationship, value_type
    item.ConceptNameCodeSequence = [_code(concept)]
    return item


def _code(code: Code) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = code.value, code.scheme_designator, code.meaning
    return item
