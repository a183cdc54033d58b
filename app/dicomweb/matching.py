"""The query parameters of QIDO-RS (PS3.18 8.3.4) as conditions on the record (matching as PS3.4 C.2.2.2)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from pydicom.datadict import dictionary_keyword, tag_for_keyword

from app.db.tables import Instance, Study
from app.errors import InvalidRequest

MOST, USUAL = 1000, 100
"""Results of one answer: at most, and where the client does not say."""
_TAG, _DATE, _LIST = re.compile(r"[0-9A-Fa-f]{8}"), re.compile(r"\d{8}"), re.compile(r"[,\\]")
_UNDERSTOOD = frozenset({"accept", "includefield"})
Column = sa.ColumnElement[str]
Condition = sa.ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Query:
    """conditions: on studies joined with their instances; ignored: parameters that were not understood."""

    conditions: tuple[Condition, ...] = ()
    limit: int = USUAL
    offset: int = 0
    ignored: tuple[str, ...] = ()


def _uids(column: Column, value: str) -> Condition:
    return column.in_([uid for uid in _LIST.split(value) if uid])


def _text(column: Column, value: str) -> Condition:
    """Wild cards * and ? (PS3.4 C.2.2.2.4); without one the value itself."""
    if "*" not in value and "?" not in value:
        return column == value
    escaped = re.sub(r"([%_\\])", r"\\\1", value)
    return column.like(escaped.replace("*", "%").replace("?", "_"), escape="\\")


def _free_text(column: Column, value: str) -> Condition:
    """What people wrote and people look for: whatever its case, on each database alike."""
    return _text(sa.func.lower(column), value.lower())


def _name(column: Column, value: str) -> Condition:
    """Person names whatever their case, and with components left out at the end."""
    begun = sa.func.lower(column).startswith(f"{value.lower()}^", autoescape=True)
    return sa.or_(_free_text(column, value), begun)


def _date(column: Column, value: str) -> Condition:
    """One day, or a range with one end left out (PS3.4 C.2.2.2.5)."""
    first, dash, last = value.partition("-")
    if not all(_DATE.fullmatch(day) for day in (first, last) if day) or not (first or last):
        message = f"A date is YYYYMMDD, or a range of two with a hyphen; {value!r} is neither."
        raise InvalidRequest(message)
    if not dash:
        return column == first
    return sa.and_(column != "", column >= (first or "00000000"), column <= (last or "99999999"))


def _any_instance(column: Column, value: str) -> Condition:
    """Studies of which some object matches one of the values, whatever the level of the query."""
    one_of = sa.or_(sa.false(), *(_text(column, each) for each in _LIST.split(value) if each))
    return Study.id.in_(sa.select(Instance.study_id).where(one_of).correlate(None))


_MATCH: dict[str, tuple[Callable[[Column, str], Condition], Column]] = {
    "StudyInstanceUID": (_uids, Study.study_instance_uid.expression),
    "StudyDate": (_date, Study.study_date.expression),
    "StudyDescription": (_free_text, Study.description.expression),
    "StudyID": (_text, Study.study_id_tag.expression),
    "AccessionNumber": (_text, Study.accession_number.expression),
    "PatientID": (_text, Study.patient_id.expression),
    "IssuerOfPatientID": (_text, Study.issuer.expression),
    "PatientName": (_name, Study.patient_name.expression),
    "PatientBirthDate": (_date, Study.birth_date.expression),
    "PatientSex": (_text, Study.sex.expression),
    "ReferringPhysicianName": (_name, Study.referring_physician.expression),
    "ModalitiesInStudy": (_any_instance, Instance.modality.expression),
    "SeriesInstanceUID": (_uids, Instance.series_instance_uid.expression),
    "Modality": (_text, Instance.modality.expression),
    "SOPInstanceUID": (_uids, Instance.sop_instance_uid.expression),
    "SOPClassUID": (_uids, Instance.sop_class_uid.expression),
}


def query(parameters: Iterable[tuple[str, str]]) -> Query:
    """Raises InvalidRequest for a value that cannot be one of its attribute.

    What is not understood is ignored and named; the client hears of it in a warning (PS3.18 8.3.4.4 for one of them).
    """
    conditions, ignored, numbers = [], [], {"limit": USUAL, "offset": 0}
    for name, value in parameters:
        keyword = _keyword(name)
        if name in numbers:
            numbers[name] = _number(name, value)
        elif keyword in _MATCH:
            match, column = _MATCH[keyword]
            if value and value != "*":  # universal matching, PS3.4 C.2.2.2.3
                conditions.append(match(column, value))
        elif name not in _UNDERSTOOD and not (name == "fuzzymatching" and value == "false"):
            ignored.append(name)
    return Query(tuple(conditions), min(numbers["limit"], MOST), numbers["offset"], tuple(ignored))


def _keyword(name: str) -> str:
    if _TAG.fullmatch(name):
        return dictionary_keyword(int(name, 16)) if _is_known(name) else ""
    return name if tag_for_keyword(name) is not None else ""


def _is_known(tag: str) -> bool:
    try:
        return bool(dictionary_keyword(int(tag, 16)))
    except KeyError:
        return False


def _number(name: str, value: str) -> int:
    if not re.fullmatch(r"\d{1,9}", value):
        message = f"{name} is a whole number of at most nine digits."
        raise InvalidRequest(message)
    return int(value)
