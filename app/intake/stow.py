"""STOW-RS (PS3.18 10.5): a second way in, under the same laws as C-STORE."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.access import Reader
from app.domain.intake import ReceivedInstance
from app.errors import ObjectMismatch, ServiceError
from app.intake.header import read_header
from app.intake.scp.storage import OUT_OF_RESOURCES, InstanceSink
from app.intake.stow_parts import Part

Element = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one object; failure 0: it is durable."""

    sop_class_uid: str
    sop_instance_uid: str
    failure: int


@dataclass(frozen=True, slots=True)
class Stow:
    """Kept as `app.state.stow`. most: bytes of one data set; count: hears of each object's status and size."""

    sink: InstanceSink
    incoming_dir: Path
    most: int
    count: Callable[[int, int], None]

    def store(self, part: Part, reader: Reader, study_instance_uid: str | None) -> Outcome:
        """File one complete part. study_instance_uid: of the address, where it names one; others are refused."""
        size = part.file.size if part.file is not None else 0
        try:
            failure = part.failure or self._accept(part, reader, study_instance_uid)
            self.count(failure, size)
        finally:
            if part.file is not None:
                part.file.discard()
        return Outcome(part.sop_class_uid, part.sop_instance_uid, failure)

    def _accept(self, part: Part, reader: Reader, study_instance_uid: str | None) -> int:
        assert part.file is not None  # noqa: S101 - a part without a failure has one
        try:
            if study_instance_uid is not None and _study_of(part.file.path) != study_instance_uid:
                return ObjectMismatch.dicom_status
            return self.sink.accept(_received(part, reader))
        except ServiceError as error:
            return error.dicom_status
        except OSError:
            return OUT_OF_RESOURCES


def _study_of(path: Path) -> str:
    return read_header(path).study_instance_uid


def _received(part: Part, reader: Reader) -> ReceivedInstance:
    assert part.file is not None  # noqa: S101 - see above
    return ReceivedInstance(
        sop_class_uid=part.sop_class_uid,
        sop_instance_uid=part.sop_instance_uid,
        transfer_syntax_uid=part.transfer_syntax_uid,
        calling_ae="",
        called_ae="",
        peer_host="",
        temp_path=part.file.path,
        size=part.file.size,
        digest=part.file.digest(),
        username=reader.username,
    )


@dataclass(slots=True)
class Answer:
    """The Store Instances Response (PS3.18 10.5.3 and I.2.2). root: the address that retrieve URLs begin with."""

    root: str
    study_instance_uid: str | None
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def status(self) -> int:
        """200 all stored, 202 some, 409 none; 503 where none for want of space: to be sent again later."""
        failures = [one.failure for one in self.outcomes if one.failure]
        if not failures:
            return 200
        if len(failures) < len(self.outcomes):
            return 202
        return 503 if set(failures) == {OUT_OF_RESOURCES} else 409

    def body(self) -> dict[str, Element]:
        """DICOM JSON model."""
        stored = [one for one in self.outcomes if not one.failure]
        failed = [one for one in self.outcomes if one.failure]
        told: dict[str, Element] = {}
        if self.study_instance_uid is not None:
            told["00081190"] = {"vr": "UR", "Value": [f"{self.root}/studies/{self.study_instance_uid}"]}
        if failed:
            told["00081198"] = _sequence([{**_reference(one), "00081197": _number(one.failure)} for one in failed])
        if stored:
            told["00081199"] = _sequence([_reference(one) for one in stored])
        return told


def _sequence(items: Sequence[dict[str, Element]]) -> Element:
    return {"vr": "SQ", "Value": list(items)}


def _number(value: int) -> Element:
    return {"vr": "US", "Value": [value]}


def _reference(one: Outcome) -> dict[str, Element]:
    return {
        "00081150": {"vr": "UI", **({"Value": [one.sop_class_uid]} if one.sop_class_uid else {})},
        "00081155": {"vr": "UI", **({"Value": [one.sop_instance_uid]} if one.sop_instance_uid else {})},
    }
