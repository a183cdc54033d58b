"""A PACS as the source of priors, over DIMSE: C-FIND, then C-GET or C-MOVE."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pynetdicom import evt

from app.domain.identifiers import PatientKey
from app.domain.priors import PriorCandidate
from app.errors import ArchiveUnavailable, ConfigError
from app.gateways import archive_find, archive_retrieve
from app.gateways.archive_retrieve import Landing, MoveInbox
from app.gateways.dimse_peer import DimsePeer
from app.ports import ObjectStore, RetrievedObject


@dataclass(frozen=True, slots=True)
class DimseArchive:
    """One peer with the role query_retrieve (app.ports.Archive).

    retrieve: "get" brings objects over our own association into `store`; with "move" the peer sends them to our
    receiver, which files them in `inbox`: it must know our AE title, host and port.
    """

    peer: DimsePeer
    store: ObjectStore
    retrieve_by: Literal["get", "move"] = "get"
    inbox: MoveInbox | None = None

    def __post_init__(self) -> None:
        if self.retrieve_by == "move" and self.inbox is None:
            message = f'{self.peer.name} has retrieve = "move", which needs our receiver; use "get", or give an inbox.'
            raise ConfigError(message)

    @property
    def name(self) -> str:
        """The peer's configured name."""
        return self.peer.name

    def find_studies(self, patient: PatientKey, until: str, since: str) -> Sequence[PriorCandidate]:
        """The patient's studies dated since..until, newest first. Raises ArchiveUnavailable."""
        if not patient.patient_id:
            message = "A query without a patient ID would match everybody; it was not sent."
            raise ArchiveUnavailable(message)
        with self.peer.association([archive_find.find_context()], ArchiveUnavailable) as call:
            return archive_find.find_studies(call, patient, since, until)

    def retrieve(self, study_instance_uid: str, modalities: Sequence[str]) -> Sequence[RetrievedObject]:
        """The objects of the study's series of these modalities; empty where it has no such series.

        Raises ArchiveUnavailable, ArchiveIncomplete, StorageUnavailable.
        """
        if self.retrieve_by == "move" and self.inbox is not None:
            return self._move(self.inbox, study_instance_uid, modalities)
        return self._get(study_instance_uid, modalities)

    def _get(self, study_instance_uid: str, modalities: Sequence[str]) -> Sequence[RetrievedObject]:
        landing = Landing(self.store, study_instance_uid)
        contexts = [archive_find.find_context(), *archive_retrieve.get_contexts()]
        handlers = [(evt.EVT_C_STORE, landing.on_store)]
        with self.peer.association(contexts, ArchiveUnavailable, archive_retrieve.get_roles(), handlers) as call:
            found = archive_find.find_series(call, study_instance_uid)
            return archive_retrieve.get(call, landing, list(archive_retrieve.series_of(found, modalities)))

    def _move(self, inbox: MoveInbox, study_instance_uid: str, modalities: Sequence[str]) -> Sequence[RetrievedObject]:
        contexts = [archive_find.find_context(), archive_retrieve.move_context()]
        with self.peer.association(contexts, ArchiveUnavailable) as call:
            found = archive_find.find_series(call, study_instance_uid)
            wanted = list(archive_retrieve.series_of(found, modalities))
            return archive_retrieve.move(call, inbox, study_instance_uid, wanted)
