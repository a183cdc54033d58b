"""C-GET and C-MOVE (PS3.4 C.4.2, C.4.3): an object counts when it lies in the store, not when it is announced."""

from __future__ import annotations

import io
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.filereader import read_partial
from pydicom.tag import BaseTag, Tag
from pynetdicom import build_context, build_role, evt
from pynetdicom.pdu_primitives import SCP_SCU_RoleSelectionNegotiation
from pynetdicom.presentation import PresentationContext

from app.domain.identifiers import UID_LENGTH, is_uid
from app.errors import ArchiveIncomplete, ServiceError
from app.gateways.archive_find import SeriesFacts, text
from app.gateways.dimse_peer import Call
from app.gateways.dimse_status import PENDING, SUBOPERATIONS_FAILED, SUCCESS, refusal
from app.ports import ObjectStore, RetrievedObject

STUDY_ROOT_MOVE = "1.2.840.10008.5.1.4.1.2.2.2"
STUDY_ROOT_GET = "1.2.840.10008.5.1.4.1.2.2.3"
IMAGES = (
    "1.2.840.10008.5.1.4.1.1.1",  # CR
    "1.2.840.10008.5.1.4.1.1.1.1",  # DX for presentation
    "1.2.840.10008.5.1.4.1.1.1.1.1",  # DX for processing
    "1.2.840.10008.5.1.4.1.1.7",  # secondary capture
)
REPORTS = (
    "1.2.840.10008.5.1.4.1.1.88.11",  # basic text
    "1.2.840.10008.5.1.4.1.1.88.22",  # enhanced
    "1.2.840.10008.5.1.4.1.1.88.33",  # comprehensive
    "1.2.840.10008.5.1.4.1.1.88.34",  # comprehensive 3D
)
PLAIN = (uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian)
COMPRESSED = (
    *(uid.JPEGLosslessSV1, uid.JPEG2000Lossless, uid.JPEGLSLossless, uid.RLELossless, uid.JPEG2000),
    *(uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit, uid.JPEGLossless, uid.JPEGLSNearLossless),
)
NOT_ASKED_FOR, UNREADABLE = 0xA900, 0xC000  # PS3.4 B.2.3
POLL = 0.05
"""Seconds between looks at the inbox of a C-MOVE."""

Answers = Iterable[tuple[Dataset, Dataset | None]]


class MoveInbox(Protocol):
    """Where our own receiver, another process, files what a C-MOVE brings."""

    def expect(self, study_instance_uid: str) -> None:
        """Note that the study is about to be asked for."""
        ...

    def arrived(self, study_instance_uid: str) -> Sequence[RetrievedObject]:
        """The study's objects that came so far, each SOP Instance UID once."""
        ...


def get_contexts() -> list[PresentationContext]:
    """Contexts for C-GET and its C-STOREs: one for each compressed syntax, or the peer would choose one for all."""
    storage = [build_context(sop_class, list(PLAIN)) for sop_class in (*IMAGES, *REPORTS)]
    compressed = [build_context(image, syntax) for image in IMAGES for syntax in COMPRESSED]
    return [build_context(STUDY_ROOT_GET, list(PLAIN)), *storage, *compressed]


def get_roles() -> list[SCP_SCU_RoleSelectionNegotiation]:
    """We receive: the SCP role for each storage class (PS3.7 D.3.3.4); without it nothing is sent."""
    return [build_role(sop_class, scp_role=True) for sop_class in (*IMAGES, *REPORTS)]


def move_context() -> PresentationContext:
    """The presentation context for C-MOVE."""
    return build_context(STUDY_ROOT_MOVE, list(PLAIN))


@dataclass
class Landing:
    """Takes the C-STOREs of one C-GET association: each object is durable before it is acknowledged."""

    store: ObjectStore
    study_instance_uid: str
    arrived: dict[str, RetrievedObject] = field(default_factory=dict)
    fault: ServiceError | None = None

    def on_store(self, event: evt.Event) -> int:
        """The C-STORE handler; returns its status."""
        try:
            content = event.encoded_dataset()
            landed = self._read(content)
        except Exception:  # noqa: BLE001  whatever a peer sends that is no object: it is told so, and does not count
            return UNREADABLE
        if landed.study_instance_uid != self.study_instance_uid:
            return NOT_ASKED_FOR
        try:
            self.arrived[landed.sop_instance_uid] = landed.published(self.store.put_bytes(content))
        except ServiceError as error:
            self.fault = error
            return error.dicom_status
        return SUCCESS

    def _read(self, content: bytes) -> _Landed:
        head = read_partial(io.BytesIO(content), stop_when=_beyond, specific_tags=[Tag(name) for name in _IDENTITY])
        landed = _Landed(*(text(head, name, UID_LENGTH + 1) for name in _IDENTITY))
        if not all(map(is_uid, (landed.sop_class_uid, landed.sop_instance_uid, landed.series_instance_uid))):
            raise ValueError("an object without its identifiers")
        return landed


@dataclass(frozen=True, slots=True)
class _Landed:
    sop_class_uid: str
    sop_instance_uid: str
    study_instance_uid: str
    series_instance_uid: str

    def published(self, key: str) -> RetrievedObject:
        return RetrievedObject(
            self.sop_class_uid, self.sop_instance_uid, self.study_instance_uid, self.series_instance_uid, key
        )


_IDENTITY = ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID")
_LAST = int(Tag("SeriesInstanceUID"))


def _beyond(tag: BaseTag, _vr: str | None, _length: int) -> bool:
    return int(tag) > _LAST


def get(call: Call, landing: Landing, wanted: Sequence[SeriesFacts]) -> list[RetrievedObject]:
    """C-GET each series into the store. Raises ArchiveUnavailable, ArchiveIncomplete, StorageUnavailable."""
    doing = "a retrieval (C-GET)"
    if not call.offers(STUDY_ROOT_GET):
        raise call.fails('it offers no C-GET; allow it there, or set retrieve = "move" for this peer')
    for number, series in enumerate(wanted, start=1):
        query = _series_query(landing.study_instance_uid, series)
        try:
            with call.guarded(doing):
                tally = _tally(call, call.association.send_c_get(query, STUDY_ROOT_GET, msg_id=number), doing)
            tally.require(call, series, len(_of(landing.arrived.values(), series)))
        except ServiceError as error:
            raise landing.fault or error from None  # a full disk of ours looks like a fault of theirs
    return list(landing.arrived.values())


def move(call: Call, inbox: MoveInbox, study_instance_uid: str, wanted: Sequence[SeriesFacts]) -> list[RetrievedObject]:
    """C-MOVE each series to ourselves, and wait until our receiver has filed what was announced.

    Success may be said before the last C-STORE (Orthanc without SynchronousCMove).
    Raises ArchiveUnavailable, ArchiveIncomplete.
    """
    doing = "a retrieval (C-MOVE)"
    if not call.offers(STUDY_ROOT_MOVE):
        raise call.fails('it offers no C-MOVE; allow it there, or set retrieve = "get" for this peer')
    inbox.expect(study_instance_uid)
    call.association.dimse_timeout = call.left(doing)  # answers between start and end are optional (PS3.4 C.4.2.3.1)
    arrived: list[RetrievedObject] = []
    for number, series in enumerate(wanted, start=1):
        query = _series_query(study_instance_uid, series)
        with call.guarded(doing):
            answers = call.association.send_c_move(query, call.peer.calling_ae, STUDY_ROOT_MOVE, msg_id=number)
            tally = _tally(call, answers, doing, moving=True)
        here = _await(call, inbox, study_instance_uid, series, tally.least(series))
        tally.require(call, series, len(here))
        arrived += here
    return arrived


def _await(
    call: Call, inbox: MoveInbox, study_instance_uid: str, series: SeriesFacts, least: int
) -> list[RetrievedObject]:
    """The series' objects as soon as there are `least`, or when none came for as long as an answer may take."""
    still_since, seen = time.monotonic(), 0
    while True:
        here = _of(inbox.arrived(study_instance_uid), series)
        if len(here) > seen:
            still_since, seen = time.monotonic(), len(here)
        now = time.monotonic()
        if len(here) >= least or now - still_since > call.peer.patience.answer or now > call.deadline:
            return here
        time.sleep(POLL)


def _of(objects: Iterable[RetrievedObject], series: SeriesFacts) -> list[RetrievedObject]:
    return [item for item in objects if item.series_instance_uid == series.series_instance_uid]


def _series_query(study_instance_uid: str, series: SeriesFacts) -> Dataset:
    query = Dataset()
    query.QueryRetrieveLevel = "SERIES"
    query.StudyInstanceUID = study_instance_uid
    query.SeriesInstanceUID = series.series_instance_uid
    return query


@dataclass(frozen=True, slots=True)
class _Tally:
    """What the final answer says of the sub-operations; None where it says nothing."""

    done: int | None
    not_done: int

    def least(self, series: SeriesFacts) -> int:
        """How many objects must have come: whatever the archive claimed, in its listing or in its answer."""
        return max(self.done or 0, series.instances or 0, 1)

    def require(self, call: Call, series: SeriesFacts, arrived: int) -> None:
        """Raises ArchiveIncomplete where anything is missing."""
        if self.not_done:
            what = f"it could not deliver {self.not_done} objects of a series; look at its log"
            raise call.fails(what, ArchiveIncomplete)
        if arrived < self.least(series):
            what = f"it announced {self.least(series)} objects of a series, {arrived} arrived; look at both logs"
            raise call.fails(what, ArchiveIncomplete)


def _tally(call: Call, answers: Answers, doing: str, *, moving: bool = False) -> _Tally:
    """Read the answers to the end. Raises ArchiveUnavailable for a final status that is no success."""
    for answer, _ in answers:
        status = call.status(answer, doing)
        if status in PENDING:
            call.left(doing)
            continue
        if status not in {SUCCESS, SUBOPERATIONS_FAILED}:
            raise call.fails(refusal(status, doing, moving=moving))
        return _counted(answer, status)
    raise call.fails(f"it never ended its answer to {doing}; look at its log")


def _counted(answer: Dataset, status: int) -> _Tally:
    def number(which: str) -> int | None:
        value = answer.get(f"NumberOf{which}Suboperations")
        return None if value is None else int(value)

    completed, warned = number("Completed"), number("Warning")
    failed, remaining = number("Failed"), number("Remaining")
    missing = (failed or 0) + (remaining or 0)
    if status == SUBOPERATIONS_FAILED and failed is None:
        missing = max(missing, 1)  # it says that some failed, and not how many
    told = completed is not None or warned is not None
    return _Tally((completed or 0) + (warned or 0) if told else None, missing)


def series_of(found: Sequence[SeriesFacts], modalities: Sequence[str]) -> Iterator[SeriesFacts]:
    """The series of these modalities; where a series names none, it is taken too."""
    wanted = {modality.upper() for modality in modalities}
    return (series for series in found if not series.modality or series.modality in wanted)
