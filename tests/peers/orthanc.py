"""Orthanc as the PACS of a test: own ports, own storage, peers registered while it runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.peers.presence import program, require
from tests.peers.process import Server, free_port, listening

DICOMWEB_PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")


@dataclass(frozen=True)
class Modality:
    """A DICOM peer that the PACS knows: who may query it and where C-MOVE sends to."""

    ae_title: str
    port: int
    host: str = "127.0.0.1"
    allow_transcoding: bool = False
    tls: bool = False

    def as_json(self) -> dict[str, Any]:
        """Orthanc's form of it: every DIMSE service allowed, stored bytes sent as they are."""
        services = ("Echo", "Find", "Get", "Move", "Store", "StorageCommitment", "FindWorklist")
        return {
            "AET": self.ae_title,
            "Host": self.host,
            "Port": self.port,
            **{f"Allow{service}": True for service in services},
            "AllowTranscoding": self.allow_transcoding,
            "UseDicomTls": self.tls,
        }


class Orthanc:
    """A running Orthanc; ``http`` is a client on its REST interface."""

    def __init__(self, folder: Path, *, ae_title: str = "ORTHANC", **overrides: object) -> None:
        """folder: empty directory for storage, index and log; overrides: keys of Orthanc's configuration."""
        folder.mkdir(parents=True, exist_ok=True)
        self.ae_title, self.host = ae_title, "127.0.0.1"
        self.port, http_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{http_port}"
        self.dicomweb_url = f"{self.url}/dicom-web"
        self.http = httpx.Client(base_url=self.url, timeout=60, trust_env=False)
        configuration = folder / "orthanc.json"
        configuration.write_text(json.dumps(self._configuration(folder, http_port) | overrides, indent=1))
        self.server = Server([program("Orthanc"), "--verbose", configuration], folder / "orthanc.log", cwd=folder)

    def _configuration(self, folder: Path, http_port: int) -> dict[str, object]:
        return {
            "Name": self.ae_title,
            "StorageDirectory": str(folder / "storage"),
            "IndexDirectory": str(folder / "storage"),
            "DicomAet": self.ae_title,
            "DicomPort": self.port,
            "HttpPort": http_port,
            "RemoteAccessAllowed": False,
            "AuthenticationEnabled": False,
            "DicomCheckCalledAet": True,
            "DicomAlwaysAllowEcho": True,
            "DicomAlwaysAllowStore": True,
            "SynchronousCMove": True,
            "StableAge": 2,
            "OverwriteInstances": True,
            "MaximumPduLength": 131072,
            "SaveJobs": False,
            "HttpThreadsCount": 4,
            "Plugins": [str(DICOMWEB_PLUGIN)] if DICOMWEB_PLUGIN.exists() else [],
            "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "StudiesMetadata": "MainDicomTags"},
        }

    def start(self) -> None:
        """Start and wait for both doors, REST and DICOM."""
        self.server.start(lambda: self._answers() and listening(self.port))

    def _answers(self) -> bool:
        try:
            return self.http.get("/system").is_success
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        """Shut it down."""
        self.http.close()
        self.server.stop()

    def know(self, modality: Modality) -> None:
        """Register a peer (or change its address) while running; its name is its AE title."""
        self.http.put(f"/modalities/{modality.ae_title}", json=modality.as_json()).raise_for_status()

    def upload(self, path_or_bytes: Path | bytes) -> str:
        """Put one DICOM file into the archive; returns Orthanc's id of the instance."""
        content = path_or_bytes if isinstance(path_or_bytes, bytes) else path_or_bytes.read_bytes()
        answer = self.http.post("/instances", content=content)
        answer.raise_for_status()
        return str(answer.json()["ID"])

    def instances(self, **tags: str) -> list[dict[str, Any]]:
        """Instances whose tags match, e.g. ``StudyInstanceUID=…``, with their main tags; all of them without tags."""
        return self._find("Instance", tags)

    def studies(self, **tags: str) -> list[dict[str, Any]]:
        """Studies whose tags match."""
        return self._find("Study", tags)

    def _find(self, level: str, tags: Mapping[str, str]) -> list[dict[str, Any]]:
        answer = self.http.post("/tools/find", json={"Level": level, "Query": dict(tags), "Expand": True})
        answer.raise_for_status()
        return list(answer.json())

    def file(self, orthanc_id: str) -> bytes:
        """The stored DICOM file of an instance, byte for byte."""
        answer = self.http.get(f"/instances/{orthanc_id}/file")
        answer.raise_for_status()
        return answer.content

    def clear(self) -> None:
        """Delete everything in the archive."""
        for patient in self.http.get("/patients").json():
            self.http.delete(f"/patients/{patient}").raise_for_status()


@contextmanager
def running_orthanc(folder: Path, *known: Modality, **overrides: object) -> Iterator[Orthanc]:
    """A started Orthanc that knows the given peers; for module- and session-wide fixtures too."""
    require("orthanc")
    orthanc = Orthanc(folder, **overrides)  # type: ignore[arg-type]
    orthanc.start()
    try:
        for modality in known:
            orthanc.know(modality)
        yield orthanc
    finally:
        orthanc.stop()


StartOrthanc = Callable[..., Orthanc]


@pytest.fixture
def start_orthanc(tmp_path: Path) -> Iterator[StartOrthanc]:
    """Start one or more Orthancs: ``start_orthanc(Modality("UNIRG", port), ae_title="PACS2")``."""
    with ExitStack() as stack:

        def start(*known: Modality, **overrides: object) -> Orthanc:
            folder = tmp_path / f"orthanc-{free_port()}"
            return stack.enter_context(running_orthanc(folder, *known, **overrides))

        yield start


@pytest.fixture
def orthanc(start_orthanc: StartOrthanc) -> Orthanc:
    """An empty Orthanc; call ``orthanc.know(Modality(ae_title, port))`` before our side queries it."""
    return start_orthanc()
