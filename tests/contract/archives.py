"""The archives of the contract: one in memory, Orthanc, and DCMTK's dcmqrscp, each with a way to put objects in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydicom.dataset import FileDataset

from app.db import migrations
from app.db.group_commit import GroupCommit
from app.db.move_inbox import MoveInbox
from app.db.session import Database
from app.domain.identifiers import PatientKey
from app.domain.patient import Patient
from app.domain.priors import PriorCandidate
from app.gateways.archive_dimse import DimseArchive
from app.gateways.clock import SystemClock
from app.gateways.dimse_peer import DimsePeer, Patience
from app.gateways.object_store import LocalObjectStore
from app.intake.handlers import StoreInstances
from app.intake.scp import ScpSettings, StorageScp
from app.ports import Archive, ObjectStore, RetrievedObject
from tests.builders.radiographs import save
from tests.intake.landing import Tally
from tests.peers import dcmtk
from tests.peers.orthanc import Modality, running_orthanc
from tests.peers.presence import program, require
from tests.peers.process import Server, free_port, listening

PATIENCE = Patience(connect=5, answer=10, total=40)
OUR_AE = "UNIRG"


@dataclass(frozen=True)
class World:
    """An archive under test, its object store, and how to fill it."""

    archive: Archive
    store: ObjectStore
    put: Callable[[FileDataset], None]


@dataclass
class MemoryArchive:
    """app.ports.Archive over a list; `failure`: raised instead of any answer."""

    store: ObjectStore
    name: str = "memory"
    held: list[FileDataset] = field(default_factory=list)
    failure: Exception | None = None
    retrieve_failure: Exception | None = None
    asked: list[str] = field(default_factory=list)

    def find_studies(self, patient: PatientKey, until: str, since: str) -> Sequence[PriorCandidate]:
        self.asked.append("find")
        if self.failure:
            raise self.failure
        studies: dict[str, list[FileDataset]] = {}
        for dataset in self.held:
            key = PatientKey(dataset.get("PatientID", ""), dataset.get("IssuerOfPatientID", ""))
            same = key.patient_id == patient.patient_id and (not key.issuer or not patient.issuer or key == patient)
            if same and since <= dataset.StudyDate <= until:
                studies.setdefault(dataset.StudyInstanceUID, []).append(dataset)
        found = [self._candidate(objects) for objects in studies.values()]
        return sorted(found, key=lambda study: (study.study_date, study.study_time), reverse=True)

    def _candidate(self, objects: list[FileDataset]) -> PriorCandidate:
        first = objects[0]
        key = PatientKey(first.get("PatientID", ""), first.get("IssuerOfPatientID", ""))
        return PriorCandidate(
            first.StudyInstanceUID,
            first.StudyDate,
            first.get("StudyTime", ""),
            Patient(key, str(first.PatientName), first.get("PatientBirthDate", ""), first.get("PatientSex", "")),
            modalities=tuple(sorted({item.Modality for item in objects})),
            description=first.get("StudyDescription", ""),
            body_parts=tuple(sorted({part for item in objects if (part := item.get("BodyPartExamined", ""))})),
            instances=len(objects),
            source=self.name,
        )

    def retrieve(self, study_instance_uid: str, modalities: Sequence[str]) -> Sequence[RetrievedObject]:
        self.asked.append("retrieve " + " ".join(modalities))
        if self.failure or self.retrieve_failure:
            raise self.failure or self.retrieve_failure  # type: ignore[misc]
        wanted = [item for item in self.held if item.StudyInstanceUID == study_instance_uid]
        return [self._stored(item) for item in wanted if item.Modality in modalities]

    def _stored(self, dataset: FileDataset) -> RetrievedObject:
        temp = self.store.incoming_dir / f"{dataset.SOPInstanceUID}.part"
        key = self.store.put_bytes(save(dataset, temp).read_bytes())
        temp.unlink()
        return RetrievedObject(
            dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.StudyInstanceUID, dataset.SeriesInstanceUID, key
        )


def dimse_peer(port: int, ae_title: str, name: str = "pacs", patience: Patience = PATIENCE) -> DimsePeer:
    return DimsePeer(name, ae_title, "127.0.0.1", port, OUR_AE, patience)


@contextmanager
def memory(folder: Path) -> Iterator[World]:
    """An archive without a network."""
    store = LocalObjectStore(folder / "store")
    archive = MemoryArchive(store)
    yield World(archive, store, archive.held.append)


@dataclass(frozen=True)
class Receiver:
    """Our receiver on a port, filing into a database as in production."""

    port: int
    inbox: MoveInbox


@contextmanager
def receiver(folder: Path, store: LocalObjectStore) -> Iterator[Receiver]:
    folder.mkdir(parents=True, exist_ok=True)
    database, clock = Database(f"sqlite:///{folder}/record.db"), SystemClock()
    migrations.upgrade(database)
    sink = StoreInstances(GroupCommit(database, clock), store, timedelta(seconds=60), 0.0, OUR_AE)
    settings = ScpSettings(ae_title=OUR_AE, incoming_dir=store.incoming_dir, accept_unknown=True)
    scp = StorageScp(settings, sink, Tally())
    try:
        yield Receiver(scp.start(), MoveInbox(database, clock))
    finally:
        scp.stop(5)
        database.close()


@contextmanager
def orthanc(folder: Path, by: Literal["get", "move"], **settings: object) -> Iterator[World]:
    with ExitStack() as stack:
        store = LocalObjectStore(folder / "store")
        ours = stack.enter_context(receiver(folder, store))
        pacs = stack.enter_context(running_orthanc(folder / "pacs", Modality(OUR_AE, ours.port), **settings))

        def put(dataset: FileDataset) -> None:
            pacs.upload(save(dataset, folder / "upload.dcm"))

        archive = DimseArchive(dimse_peer(pacs.port, pacs.ae_title), store, by, ours.inbox)
        yield World(archive, store, put)


@contextmanager
def dcmqrscp(folder: Path, by: Literal["get", "move"]) -> Iterator[World]:
    require("dcmtk")
    with ExitStack() as stack:
        store = LocalObjectStore(folder / "store")
        ours = stack.enter_context(receiver(folder, store))
        port, area = free_port(), folder / "area"
        area.mkdir(parents=True)
        configuration = folder / "dcmqrscp.cfg"
        configuration.write_text(
            f"NetworkTCPPort = {port}\nMaxPDUSize = 131072\nMaxAssociations = 16\n"
            f"HostTable BEGIN\nunirg = ({OUR_AE}, localhost, {ours.port})\nHostTable END\n"
            "VendorTable BEGIN\nVendorTable END\n"
            f"AETable BEGIN\nQRSCP {area} RW (200, 1024mb) ANY\nAETable END\n"
        )
        server = Server([program("dcmqrscp"), "-c", configuration], folder / "dcmqrscp.log")
        server.start(lambda: listening(port))
        stack.callback(server.stop)

        def put(dataset: FileDataset) -> None:
            dcmtk.send(port, save(dataset, folder / "upload.dcm"), called="QRSCP")

        yield World(DimseArchive(dimse_peer(port, "QRSCP"), store, by, ours.inbox), store, put)
