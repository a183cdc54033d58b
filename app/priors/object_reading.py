"""Reading fetched objects: whose they are, and what a report document says, as plain text.

What an archive sends may be hostile: sizes, nesting and numbers of items are bounded before anything is parsed.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydicom import config
from pydicom.dataset import Dataset
from pydicom.filereader import dcmread, read_file_meta_info, read_partial
from pydicom.tag import BaseTag, Tag
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from app.domain.identifiers import PatientKey
from app.domain.patient import Patient
from app.domain.plain_text import lines, one_line
from app.errors import CannotUnderstand

REPORT_CLASSES = frozenset(f"1.2.840.10008.5.1.4.1.1.88.{number}" for number in (11, 22, 33, 34))
MAX_TEXT = 8000
"""Characters of a prior report; the longest in published collections have half of that."""

_HEAD_BYTES = 4 << 20
_INFLATED = frozenset(f"1.2.840.10008.1.2.{number}" for number in ("1.99", "4.95", "4.205", "8.1"))
_MAX_DOCUMENT = 1 << 20
_MAX_ITEMS = 5000
_MAX_DEPTH = 16
_ITEM = b"\xfe\xff\x00\xe0"  # (FFFE,E000) in little endian: no sequence item is without it
_LAST = int(Tag("StudyInstanceUID"))
_IDENTITY = "SpecificCharacterSet PatientName PatientID IssuerOfPatientID PatientBirthDate PatientSex StudyInstanceUID"
_LINES = re.compile(r"[ \t]*\n\s*")
_BREAKS = re.compile(r"\r\n?|<br\s*/?>|</p>", re.IGNORECASE)  # some systems put HTML into TextValue
_ADDENDUM = "55107-7"  # LN
_OWN_HEADINGS = {"59776-5": "Findings", "19005-8": "Impression", "121070": "Findings", "121072": "Impression"}


@dataclass(frozen=True, slots=True)
class ReportDocument:
    """One SR document.

    text: headings and paragraphs; written: content date and time; predecessors: SOP Instance UIDs.
    """

    sop_instance_uid: str
    text: str
    verified: bool
    written: str
    predecessors: tuple[str, ...] = ()
    is_addendum: bool = False


def read_identity(path: Path) -> tuple[Patient, str]:
    """The patient in the object's own header, and its StudyInstanceUID. Raises CannotUnderstand."""
    _say_nothing()
    try:
        if str(read_file_meta_info(path).get("TransferSyntaxUID", "")) in _INFLATED:
            raise ValueError("a deflated object, which we never ask for")
        with path.open("rb") as file:
            head = io.BytesIO(file.read(_HEAD_BYTES))
        header = read_partial(head, stop_when=_beyond, specific_tags=[Tag(name) for name in _IDENTITY.split()])
        key = PatientKey(_text(header, "PatientID"), _text(header, "IssuerOfPatientID"))
        sex, born = _text(header, "PatientSex").upper(), re.sub("[.-]", "", _text(header, "PatientBirthDate"))
        return Patient(key, _text(header, "PatientName"), born, sex), _text(header, "StudyInstanceUID")
    except Exception as error:  # the parser meets whatever a sender makes up; each ending is the same refusal
        message = f"The header of a fetched object cannot be parsed ({type(error).__name__})."
        raise CannotUnderstand(message) from error


def read_report(path: Path) -> ReportDocument | None:
    """The document's text; None for a preliminary one, or one without text. Raises CannotUnderstand."""
    _say_nothing()
    _refuse_unbounded(path)
    try:
        dataset = dcmread(path)
        if str(dataset.get("PreliminaryFlag", "")).upper() == "PRELIMINARY":
            return None
        text = _tidy("\n".join(_lines(dataset, 0)))
        return _document(dataset, text) if text else None
    except Exception as error:  # as above; RecursionError is one of them
        message = f"A report document cannot be parsed ({type(error).__name__})."
        raise CannotUnderstand(message) from error


def latest_report(documents: Sequence[ReportDocument]) -> ReportDocument | None:
    """The verified before the unverified, the newest before the older; an addendum comes with what it adds to."""
    if not documents:
        return None
    best = max(documents, key=lambda one: (one.verified, one.written, one.sop_instance_uid))
    if not best.is_addendum:
        return best
    known = {one.sop_instance_uid: one for one in documents if one is not best}
    before = [known[uid] for uid in best.predecessors if uid in known and known[uid].text not in best.text]
    joined = "\n".join([*(one.text for one in before[:1]), best.text])
    return ReportDocument(best.sop_instance_uid, joined[:MAX_TEXT], best.verified, best.written)


def _say_nothing() -> None:
    """Warnings of pydicom about a value quote it, and would put patients into logs (LAW 7)."""
    config.settings.reading_validation_mode = config.IGNORE


def _beyond(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    return int(tag) > _LAST


def _refuse_unbounded(path: Path) -> None:
    try:
        syntax = str(read_file_meta_info(path).get("TransferSyntaxUID", ""))
        size, items = path.stat().st_size, 0
        if size <= _MAX_DOCUMENT:
            items = path.read_bytes().count(_ITEM)
    except Exception as error:  # no Part 10 file, or none that says how it is encoded
        message = f"A report document has no readable file header ({type(error).__name__})."
        raise CannotUnderstand(message) from error
    if syntax not in {ExplicitVRLittleEndian, ImplicitVRLittleEndian} or size > _MAX_DOCUMENT or items > _MAX_ITEMS:
        message = "A report document is larger or otherwise encoded than a report is; it was not read."
        raise CannotUnderstand(message)


def _document(dataset: Dataset, text: str) -> ReportDocument:
    return ReportDocument(
        sop_instance_uid=_text(dataset, "SOPInstanceUID"),
        text=text,
        verified=_text(dataset, "VerificationFlag").upper() == "VERIFIED",
        written=_text(dataset, "ContentDate") + _text(dataset, "ContentTime"),
        predecessors=tuple(_predecessors(dataset)),
        is_addendum=any(_concept(item)[0] == _ADDENDUM for item in _items(dataset, "ContentSequence")),
    )


def _predecessors(dataset: Dataset) -> Iterator[str]:
    for study in _items(dataset, "PredecessorDocumentsSequence"):
        for series in _items(study, "ReferencedSeriesSequence"):
            for sop in _items(series, "ReferencedSOPSequence"):
                yield _text(sop, "ReferencedSOPInstanceUID")


def _lines(node: Dataset, depth: int) -> Iterator[str]:
    """Texts in the order of the tree; a container's heading stands before its content."""
    if depth > _MAX_DEPTH:
        return
    for item in _items(node, "ContentSequence"):
        if _text(item, "RelationshipType").upper() not in {"CONTAINS", ""}:
            continue  # modifiers and observation context are not what the report says
        kind = _text(item, "ValueType").upper()
        if kind == "TEXT":
            yield str(item.get("TextValue") or "")
        elif kind == "CODE":
            yield _concept(item, "ConceptCodeSequence")[1]
        elif kind == "CONTAINER":
            inner = [line for line in _lines(item, depth + 1) if line.strip()]
            heading = _heading(item)
            yield from [f"{heading}: {inner[0]}", *inner[1:]] if heading and inner else inner


def _heading(container: Dataset) -> str:
    code, meaning = _concept(container)
    return _OWN_HEADINGS.get(code, meaning)


def _concept(item: Dataset, keyword: str = "ConceptNameCodeSequence") -> tuple[str, str]:
    for code in _items(item, keyword):
        return _text(code, "CodeValue"), _text(code, "CodeMeaning")
    return "", ""


def _items(dataset: Dataset, keyword: str) -> Sequence[Dataset]:
    found = dataset.get(keyword)
    return list(found)[:_MAX_ITEMS] if found else []


def _text(dataset: Dataset, keyword: str) -> str:
    return one_line(str(dataset.get(keyword) or "")).strip()[:324]


def _tidy(text: str) -> str:
    """Line ends of all systems as one, no control characters, no blank lines, capped."""
    plain = lines(_BREAKS.sub("\n", text))
    return _LINES.sub("\n", plain).strip()[:MAX_TEXT]
