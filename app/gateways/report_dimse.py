"""C-STORE of signed reports to one peer (PS3.4 B), and a C-FIND for whether it already has one."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

from pydicom import dcmread
from pydicom.dataset import Dataset, FileDataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom.presentation import build_context

from app.errors import EndpointRefused, EndpointUnavailable
from app.gateways.archive_find import find, find_context, text
from app.gateways.dimse_peer import Call, DimsePeer
from app.gateways.dimse_status import is_stored, is_transient, not_stored

MAX_SERIES = 50
VERIFICATION = "1.2.840.10008.1.1"
STORING, ASKING = "the storage of a report", "a query for a report"


@dataclass(frozen=True, slots=True)
class DimseReportEndpoint:
    """One peer with the role results (app.ports.ReportEndpoint)."""

    peer: DimsePeer

    @property
    def name(self) -> str:
        """The peer's configured name."""
        return self.peer.name

    def send(self, document: bytes) -> None:
        """Store one Part 10 object; a peer that says it has it already has it.

        Raises EndpointUnavailable (not reached, broke off, out of resources), EndpointRefused (it does not want it).
        """
        dataset = dcmread(io.BytesIO(document))
        wanted = build_context(dataset.SOPClassUID, [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
        # with Verification accepted the association stands, and a class that is not taken is told from a peer away
        with self.peer.association([wanted, build_context(VERIFICATION)], EndpointUnavailable) as call:
            if not call.offers(str(dataset.SOPClassUID)):
                what = "it takes no Basic Text SR; allow this SOP class there, or choose another peer for results"
                raise call.fails(what, EndpointRefused)
            status = _stored(call, dataset)
        if not is_stored(status):
            kind = EndpointUnavailable if is_transient(status) else EndpointRefused
            raise kind(self.peer.says(not_stored(status)))

    def holds(self, study_instance_uid: str, sop_instance_uid: str) -> bool:
        """Whether the peer has the object. Raises EndpointUnavailable where it cannot be asked."""
        with self.peer.association([find_context()], EndpointUnavailable) as call:
            query = _query("SERIES", StudyInstanceUID=study_instance_uid, Modality="SR", SeriesInstanceUID=None)
            series = find(call, query, ASKING, lambda match: text(match, "SeriesInstanceUID"))
            return any(_objects(call, study_instance_uid, series[:MAX_SERIES], sop_instance_uid))


def _stored(call: Call, dataset: FileDataset) -> int:
    with call.guarded(STORING):
        return call.status(call.association.send_c_store(dataset), STORING)


def _objects(call: Call, study: str, series: list[str], sop_instance_uid: str) -> Iterator[bool]:
    """PS3.4 C.6.2.1: at the image level the keys above must be given, so each series is asked."""
    for uid in series:
        query = _query("IMAGE", StudyInstanceUID=study, SeriesInstanceUID=uid, SOPInstanceUID=sop_instance_uid)
        yield sop_instance_uid in find(call, query, ASKING, lambda match: text(match, "SOPInstanceUID"))


def _query(level: str, **keys: str | None) -> Dataset:
    query = Dataset()
    query.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        setattr(query, keyword, value)
    return query
