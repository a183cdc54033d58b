"""C-FIND in the study root (PS3.4 C.6.2): what an archive has of a patient, filtered again on our side."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom.presentation import PresentationContext, build_context

from app.domain.identifiers import PatientKey, is_uid
from app.domain.patient import Patient
from app.domain.plain_text import one_line
from app.domain.priors import PriorCandidate
from app.gateways.dimse_peer import Call
from app.gateways.dimse_status import PENDING, SUCCESS, refusal

STUDY_ROOT_FIND = "1.2.840.10008.5.1.4.1.2.2.1"
MAX_MATCHES = 5000
"""Responses that are read; some archives ignore keys that they do not know, and answer with all they have."""
SERIES_LOOKUPS = 12
"""Newest studies that are asked for their series: it costs one query each."""
LONGEST_DESCRIPTION = 200
RADIOGRAPHY = frozenset({"CR", "DX"})

Fact = TypeVar("Fact")


@dataclass(frozen=True, slots=True)
class SeriesFacts:
    """One series as the archive describes it; instances: None where it does not count them."""

    series_instance_uid: str
    modality: str
    body_part: str
    description: str
    instances: int | None


def find_context() -> PresentationContext:
    """The presentation context for the queries of this module."""
    return build_context(STUDY_ROOT_FIND, [ExplicitVRLittleEndian, ImplicitVRLittleEndian])


def find_studies(call: Call, patient: PatientKey, since: str, until: str) -> list[PriorCandidate]:
    """The patient's studies dated since..until (YYYYMMDD), newest first, with modalities and body parts.

    Asked by issuer where it is known; an archive that knows none is asked again without, so that its studies are
    seen and judged rather than taken for absent. Raises ArchiveUnavailable.
    """
    found = _studies(call, _study_query(patient, since, until), patient)
    if not found and patient.issuer:
        found = _studies(call, _study_query(PatientKey(patient.patient_id), since, until), patient)
    within = [study for study in found if not study.study_date or since <= study.study_date <= until]
    distinct = {study.study_instance_uid: study for study in within}
    newest = sorted(distinct.values(), key=lambda study: (study.study_date, study.study_time), reverse=True)
    return [_with_series(call, study) if place < SERIES_LOOKUPS else study for place, study in enumerate(newest)]


def find_series(call: Call, study_instance_uid: str) -> list[SeriesFacts]:
    """The study's series. Raises ArchiveUnavailable."""
    names = "SeriesInstanceUID Modality BodyPartExamined SeriesDescription NumberOfSeriesRelatedInstances"
    query = _keys("SERIES", names)
    query.StudyInstanceUID = study_instance_uid

    def read(match: Dataset) -> SeriesFacts | None:
        of_study = text(match, "StudyInstanceUID")
        series = text(match, "SeriesInstanceUID")
        return _series(match, series) if is_uid(series) and of_study in {"", study_instance_uid} else None

    return find(call, query, "a query for series", read)


def find(call: Call, query: Dataset, doing: str, read: Callable[[Dataset], Fact | None]) -> list[Fact]:
    """Send one C-FIND; `read` turns a match into a fact, or None to leave it out.

    Raises ArchiveUnavailable for every ending but success: a part of an answer is no answer.
    """
    facts: list[Fact] = []
    with call.guarded(doing):
        for count, (answer, match) in enumerate(call.association.send_c_find(query, STUDY_ROOT_FIND)):
            status = call.status(answer, doing)
            if status == SUCCESS:
                return facts
            if status not in PENDING:
                raise call.fails(refusal(status, doing))
            if match is None:
                raise call.fails(f"it sent an unreadable match to {doing}; look at its log")
            if count >= MAX_MATCHES:
                raise call.fails(f"it answered {doing} with over {MAX_MATCHES} matches; it seems to ignore our keys")
            call.left(doing)
            fact = read(match)
            facts += [] if fact is None else [fact]
    raise call.fails(f"it never ended its answer to {doing}; look at its log")


def text(dataset: Dataset, keyword: str, limit: int = 64) -> str:
    """One value as clean text, at most `limit` characters; several values keep their backslash."""
    value = dataset.get(keyword)
    if value is None:
        return ""
    parts = [value] if isinstance(value, str) or not hasattr(value, "__iter__") else list(value)
    return "\\".join(one_line(str(part)).strip() for part in parts)[:limit]


def _keys(level: str, names: str) -> Dataset:
    query = Dataset()
    query.QueryRetrieveLevel = level
    for name in names.split():
        setattr(query, name, None)
    return query


def _study_query(patient: PatientKey, since: str, until: str) -> Dataset:
    names = (
        "StudyTime ModalitiesInStudy StudyDescription PatientName PatientBirthDate PatientSex IssuerOfPatientID "
        "StudyInstanceUID NumberOfStudyRelatedInstances"
    )
    query = _keys("STUDY", names)
    if not patient.patient_id.isascii() or not patient.issuer.isascii():
        query.SpecificCharacterSet = "ISO_IR 192"
    query.PatientID = patient.patient_id
    query.StudyDate = f"{since}-{until}"
    if patient.issuer:
        query.IssuerOfPatientID = patient.issuer
    return query


def _studies(call: Call, query: Dataset, patient: PatientKey) -> list[PriorCandidate]:
    """What matched, without the studies of others: `*` and `?` in an ID are wildcards, and some ignore the key."""

    def read(match: Dataset) -> PriorCandidate | None:
        study = _candidate(match, call.peer.name)
        key = study.patient.key
        same_issuer = not key.issuer or not patient.issuer or key.issuer == patient.issuer
        wanted = key.patient_id == patient.patient_id and same_issuer and is_uid(study.study_instance_uid)
        return study if wanted else None

    return find(call, query, "a query for studies", read)


def _candidate(match: Dataset, source: str) -> PriorCandidate:
    key = PatientKey(text(match, "PatientID"), text(match, "IssuerOfPatientID"))
    return PriorCandidate(
        study_instance_uid=text(match, "StudyInstanceUID"),
        study_date=_date(text(match, "StudyDate")),
        study_time=re.sub("[^0-9].*", "", text(match, "StudyTime", 16).replace(":", "")),
        patient=Patient(
            key,
            name=text(match, "PatientName", 324),
            birth_date=_date(text(match, "PatientBirthDate")),
            sex=text(match, "PatientSex", 16).upper(),
        ),
        modalities=_words(text(match, "ModalitiesInStudy", 256)),
        description=text(match, "StudyDescription"),
        instances=_count(text(match, "NumberOfStudyRelatedInstances")),
        source=source,
    )


def _with_series(call: Call, study: PriorCandidate) -> PriorCandidate:
    """Modalities where the study level has none, and body parts, which it never has; others need no second look."""
    if study.modalities and not RADIOGRAPHY.intersection(study.modalities):
        return study
    series = find_series(call, study.study_instance_uid)
    described = ", ".join(dict.fromkeys(one.description for one in series if one.description))
    return replace(
        study,
        modalities=tuple(dict.fromkeys([*study.modalities, *(one.modality for one in series if one.modality)])),
        body_parts=tuple(dict.fromkeys(one.body_part for one in series if one.body_part)),
        description=study.description or described[:LONGEST_DESCRIPTION],
    )


def _series(match: Dataset, series_instance_uid: str) -> SeriesFacts:
    return SeriesFacts(
        series_instance_uid,
        modality=text(match, "Modality", 16).upper(),
        body_part=text(match, "BodyPartExamined"),
        description=text(match, "SeriesDescription"),
        instances=_count(text(match, "NumberOfSeriesRelatedInstances")),
    )


def _words(joined: str) -> tuple[str, ...]:
    return tuple(word for word in (part.strip().upper() for part in joined.split("\\")) if word)


def _date(value: str) -> str:
    digits = re.sub("[.:-]", "", value)
    return digits if re.fullmatch("[0-9]{8}", digits) else ""


def _count(value: str) -> int | None:
    return int(value) if value.isdecimal() else None
