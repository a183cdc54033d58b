"""What the stages need of the outside world, as small protocols; `gateways` implements them, `bootstrap` joins them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from app.domain.identifiers import PatientKey
from app.domain.imaging import DisplayFrame, HeaderFacts, ModelImage, StoredFrame
from app.domain.priors import PriorCandidate
from app.domain.report import DraftInputs, ModelIdentity, ModelText, Region


class Clock(Protocol):
    """The only source of wall-clock time."""

    def now(self) -> datetime:
        """Aware, UTC."""
        ...


class ObjectStore(Protocol):
    """Bytes under server-made keys; a published object never changes."""

    @property
    def incoming_dir(self) -> Path:
        """Where temporary files of objects under way live; same file system as the store."""
        ...

    def publish(self, temp: Path, digest: str) -> str:
        """Make `temp` durable (fsync file, rename, fsync directory); returns its key.

        Raises StorageUnavailable.
        """
        ...

    def put_bytes(self, data: bytes) -> str:
        """Durable copy of `data`; returns its key. Raises StorageUnavailable."""
        ...

    def path(self, key: str) -> Path:
        """A readable path of the object. Raises NotFound."""
        ...

    def quarantine(self, temp: Path, reason: str) -> str:
        """Keep a refused object aside, durable; returns its key."""
        ...

    def free_ratio(self) -> float:
        """Free share of the file system, 0 to 1."""
        ...


class PixelReader(Protocol):
    """Headers and pixels of stored objects, read where a hostile file can do no harm."""

    def inspect(self, path: Path) -> HeaderFacts:
        """Header facts. Raises CannotUnderstand."""
        ...

    def model_image(self, path: Path, size: int) -> ModelImage:
        """Square 8-bit image of `size` px. Raises PixelsUnreadable."""
        ...

    def display_frame(self, path: Path) -> DisplayFrame:
        """16-bit display-normalised frame. Raises PixelsUnreadable."""
        ...

    def metadata(self, path: Path) -> bytes:
        """Every attribute but the pixels, in the DICOM JSON model, UTF-8 (PS3.18 F). Raises CannotUnderstand."""
        ...

    def stored_frame(self, path: Path, number: int) -> StoredFrame:
        """Frame `number`, from 1, as it is stored. Raises PixelsUnreadable, also where there is no such frame."""
        ...


@dataclass(frozen=True, slots=True)
class RetrievedObject:
    """One object that an archive delivered, already in the object store."""

    sop_class_uid: str
    sop_instance_uid: str
    study_instance_uid: str
    series_instance_uid: str
    object_key: str


class Archive(Protocol):
    """A PACS that can be asked for earlier studies (one configured peer)."""

    @property
    def name(self) -> str:
        """The peer's configured name."""
        ...

    def find_studies(self, patient: PatientKey, until: str, since: str) -> Sequence[PriorCandidate]:
        """Studies of this patient dated `since`..`until` (YYYYMMDD, inclusive), with modalities and body parts.

        Raises ArchiveUnavailable for every failure: never an empty answer for a failed query.
        """
        ...

    def retrieve(self, study_instance_uid: str, modalities: Sequence[str]) -> Sequence[RetrievedObject]:
        """Fetch the study's series of these modalities into the object store.

        Raises ArchiveUnavailable, or ArchiveIncomplete when fewer objects arrived than were announced.
        """
        ...


class DraftModel(Protocol):
    """A report-drafting checkpoint."""

    @property
    def identity(self) -> ModelIdentity:
        """Name, weights digest, prompt version and image size. Raises ModelUnavailable."""
        ...

    def draft(self, inputs: DraftInputs) -> ModelText:
        """Greedy text with token log-probabilities. Raises ModelUnavailable, ModelMisbehaved."""
        ...

    @property
    def points(self) -> bool:
        """Whether this backend can tell regions; never raises."""
        ...

    def regions(self, inputs: DraftInputs, text: str, spans: Sequence[tuple[int, int]]) -> Sequence[Region | None]:
        """For each span (start, end) of the text it wrote: the part of `inputs.image` that it hangs on, or None.

        Drafts go before it. Raises ModelMisbehaved where it does not point, ModelUnavailable.
        """
        ...

    def ready(self) -> bool:
        """Whether a draft would be tried now; never raises."""
        ...

    def warm(self) -> None:
        """Do now what the first draft would have to wait for; never raises."""
        ...


class ReportEndpoint(Protocol):
    """A receiver of signed reports (one configured peer)."""

    @property
    def name(self) -> str:
        """The peer's configured name."""
        ...

    def send(self, document: bytes) -> None:
        """Deliver one DICOM Part 10 object; a repeat of the same object is harmless.

        Raises EndpointUnavailable (try again) or EndpointRefused (a person must look).
        """
        ...

    def holds(self, study_instance_uid: str, sop_instance_uid: str) -> bool:
        """Whether the receiver already has the object. Raises EndpointUnavailable where it cannot be asked."""
        ...


@dataclass(frozen=True, slots=True)
class PeerFacts:
    """A configured counterpart, without secrets.

    kind: "dicom" or "model"; address: host:port, or a URL without credentials; roles: as configured;
    checkable: whether it can be asked if it is there without leaving a trace in it.
    """

    name: str
    kind: str
    address: str
    ae_title: str = ""
    roles: tuple[str, ...] = ()
    tls: bool = False
    checkable: bool = True


class Peer(Protocol):
    """One configured counterpart, as an administrator looks at it."""

    @property
    def facts(self) -> PeerFacts:
        """Who it is."""
        ...

    def check(self) -> None:
        """Ask it now whether it is there (DICOM: C-ECHO). Raises ServiceError: what is wrong, in words."""
        ...
