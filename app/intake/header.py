"""The few header facts that file an object under its study; nothing else is read in the network's process."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydicom.charset import convert_encodings, decode_bytes
from pydicom.dataset import Dataset
from pydicom.filereader import read_partial
from pydicom.tag import BaseTag, Tag
from pydicom.valuerep import TEXT_VR_DELIMS

from app.domain.identifiers import PatientKey, is_uid
from app.domain.patient import Patient
from app.domain.plain_text import one_line
from app.errors import CannotUnderstand, ObjectMismatch

HEAD_BYTES, MOST_HEAD_BYTES = 64 << 10, 4 << 20
"""The facts stand in the first groups, nearly always at once; a header that hides them behind more than the second
is not worth the network's time."""
FACTS = tuple(
    """
    SOPClassUID SOPInstanceUID StudyDate StudyTime AccessionNumber Modality StudyDescription ReferringPhysicianName
    PatientName PatientID IssuerOfPatientID PatientBirthDate PatientSex ViewPosition StudyInstanceUID
    SeriesInstanceUID StudyID
    """.split()  # noqa: SIM905 - one word each
)
TAG = {name: Tag(name) for name in FACTS}
CHARACTER_SET, LAST_TAG = Tag("SpecificCharacterSet"), TAG["StudyID"]
WANTED: list[BaseTag | int] = [CHARACTER_SET, *TAG.values()]


@dataclass(frozen=True, slots=True)
class ObjectHeader:
    """Where an object belongs, and how its study is described."""

    sop_class_uid: str
    sop_instance_uid: str
    study_instance_uid: str
    series_instance_uid: str
    patient: Patient
    modality: str
    view_position: str
    study_date: str
    study_time: str
    accession_number: str
    description: str
    study_id: str
    referring_physician: str


def read_header(path: Path) -> ObjectHeader:
    """Facts of the Part 10 file at `path`. Raises CannotUnderstand."""
    try:
        return _read(path, HEAD_BYTES)
    except Exception:  # noqa: BLE001 - cut in the middle of something longer, or hostile: the second look tells
        return _read_more(path)


def _read_more(path: Path) -> ObjectHeader:
    try:
        return _read(path, MOST_HEAD_BYTES)
    except CannotUnderstand:
        raise
    except Exception as error:  # the parser meets whatever a sender makes up; each ending is the same refusal
        message = f"The header cannot be parsed ({type(error).__name__}); send a valid DICOM object."
        raise CannotUnderstand(message) from error


def _read(path: Path, size: int) -> ObjectHeader:
    with path.open("rb") as file:
        head = io.BytesIO(file.read(size))
    return _facts(read_partial(head, stop_when=_beyond, specific_tags=WANTED))


def _beyond(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    return bool(tag > LAST_TAG)


def _facts(dataset: Dataset) -> ObjectHeader:
    encodings = convert_encodings(_character_set(dataset))

    def text(name: str, limit: int = 64) -> str:
        value = decode_bytes(_bytes(dataset, TAG[name]), encodings, TEXT_VR_DELIMS)
        return one_line(value).strip()[:limit]

    patient = Patient(
        PatientKey(text("PatientID"), text("IssuerOfPatientID")),
        name=text("PatientName", 324),
        birth_date=_date(text("PatientBirthDate")),
        sex=text("PatientSex", 16).upper(),
    )
    return ObjectHeader(
        sop_class_uid=_uid(text, "SOPClassUID"),
        sop_instance_uid=_uid(text, "SOPInstanceUID"),
        study_instance_uid=_uid(text, "StudyInstanceUID"),
        series_instance_uid=_uid(text, "SeriesInstanceUID"),
        patient=patient,
        modality=text("Modality", 16),
        view_position=text("ViewPosition", 16),
        study_date=_date(text("StudyDate")),
        study_time=text("StudyTime", 16),
        accession_number=text("AccessionNumber"),
        description=text("StudyDescription"),
        study_id=text("StudyID", 16),
        referring_physician=text("ReferringPhysicianName", 324),
    )


def _bytes(dataset: Dataset, tag: BaseTag) -> bytes:
    """The value as sent: converting it into pydicom's own types would cost more than all the rest."""
    value = dataset.get_item(tag).value if tag in dataset else b""
    return value if isinstance(value, bytes) else b""


def _character_set(dataset: Dataset) -> list[str]:
    """Specific Character Set, which pydicom reads at once as it needs it for the rest; several for ISO 2022."""
    value = dataset[CHARACTER_SET].value if CHARACTER_SET in dataset else ""
    return [value] if isinstance(value, str) else [str(term) for term in value or [""]]


def _uid(text: Callable[[str, int], str], name: str) -> str:
    value = text(name, 65)
    if not is_uid(value):
        message = f"{name} is missing or no valid UID; the object cannot be filed."
        raise CannotUnderstand(message)
    return value


def _date(value: str) -> str:
    digits = value.replace(".", "").replace("-", "")
    return digits if re.fullmatch(r"[0-9]{8}", digits) else ""


def check_against_command(header: ObjectHeader, sop_class_uid: str, sop_instance_uid: str) -> None:
    """The data set must be what the C-STORE request announced (PS3.4 B.2.3). Raises ObjectMismatch."""
    if (header.sop_class_uid, header.sop_instance_uid) != (sop_class_uid, sop_instance_uid):
        message = "SOP class or instance UID of the data set differ from the request; send the object as announced."
        raise ObjectMismatch(message)
