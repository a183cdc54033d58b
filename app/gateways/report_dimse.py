"""C-STORE of signed reports to one peer (PS3.4 B), and a C-FIND for whether it already has one."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

from pydicom import dcmread
from pydicom.dataset import Dataset
from pynetdicom.presentation import build_context

from app.errors import EndpointRefused, EndpointUnavailable
from app.gateways.archive_find import STUDY_ROOT_FIND, find_context
from app.gateways.dimse_peer import Call, DimsePeer
from app.gateways.dimse_status import PENDING, SUCCESS, refusal

MAX_SERIES = 50
OUT_OF_RESOURCES, TRANSIENT = 0xA7, frozenset({0x0110, 0x0213, 0xFE00})  # PS3.4 B.2.3, PS3.7 C


@dataclass(frozen=True, slots=True)
class DimseReportEndpoint:
    """One peer with the role results (app.ports.ReportEndpoint)."""

    peer: DimsePeer

    @property
    def name(self) -> str:
        """The peer's configured name."""
        return self.peer.name

    def send(self, document: bytes) -> None:
        """Store one Part 10 object.

        Raises EndpointUnavailable (not reached, broke off, out of resources), EndpointRefused (it does not want it).
        """
        dataset = dcmread(io.BytesIO(document))
        context = build_context(dataset.SOPClassUID, dataset.file_meta.TransferSyntaxUID)
        with self.peer.association([context], EndpointUnavailable) as call:
            with call.guarded("C-STORE of a report"):
                answer = call.association.send_c_store(dataset)
            status = call.status(answer, "C-STORE of a report")
        if status == SUCCESS or status >> 12 == 0xB:  # warnings: stored, with a note
            return
        kind = EndpointUnavailable if status >> 8 == OUT_OF_RESOURCES or status in TRANSIENT else EndpointRefused
        raise kind(self.peer.says(refusal(status, "C-STORE of a report")))

    def holds(self, study_instance_uid: str, sop_instance_uid: str) -> bool:
        """Whether the peer has the object. Raises EndpointUnavailable where it cannot be asked."""
        with self.peer.association([find_context()], EndpointUnavailable) as call:
            series = _query("SERIES", StudyInstanceUID=study_instance_uid, Modality="SR", SeriesInstanceUID="")
            found = [str(match.get("SeriesInstanceUID", "")) for match in _matches(call, series)]
            return any(_in_series(call, study_instance_uid, uid, sop_instance_uid) for uid in found[:MAX_SERIES])


def _in_series(call: Call, study: str, series: str, sop_instance_uid: str) -> bool:
    query = _query("IMAGE", StudyInstanceUID=study, SeriesInstanceUID=series, SOPInstanceUID=sop_instance_uid)
    return any(str(match.get("SOPInstanceUID", "")) == sop_instance_uid for match in _matches(call, query))


def _query(level: str, **keys: str) -> Dataset:
    query = Dataset()
    query.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        setattr(query, keyword, value)
    return query


def _matches(call: Call, query: Dataset) -> Iterator[Dataset]:
    with call.guarded("C-FIND of a report"):
        for answer, match in call.association.send_c_find(query, STUDY_ROOT_FIND):
            call.left("C-FIND of a report")
            status = call.status(answer, "C-FIND of a report")
            if status in PENDING and match is not None:
                yield match
            elif status not in PENDING and status != SUCCESS:
                raise call.fails(refusal(status, "C-FIND of a report"))
