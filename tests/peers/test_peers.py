"""The peers themselves: each starts, does its one job, and comes back after a kill."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pydicom
import pytest
from pydicom.uid import generate_uid
from redis import Redis as Client

from tests.peers import dcmtk
from tests.peers.orthanc import Modality, Orthanc
from tests.peers.presence import program
from tests.peers.redis import Redis


def radiograph(folder: Path) -> Path:
    """A small valid CR file made on the spot."""
    dataset = pydicom.Dataset()
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    dataset.SOPClassUID = pydicom.uid.ComputedRadiographyImageStorage
    dataset.SOPInstanceUID, dataset.StudyInstanceUID, dataset.SeriesInstanceUID = (generate_uid() for _ in range(3))
    dataset.PatientID, dataset.PatientName, dataset.Modality = "PEER1", "Peer^One", "CR"
    path = folder / "cr.dcm"
    dataset.save_as(path, enforce_file_format=True)
    return path


def test_orthanc_receives_from_dcmtk_and_sends_to_a_registered_peer(orthanc: Orthanc, tmp_path: Path) -> None:
    path = radiograph(tmp_path)
    dcmtk.send(orthanc.port, path, called=orthanc.ae_title)
    (stored,) = orthanc.instances(PatientID="PEER1")
    received = tmp_path / "received"
    with dcmtk.storescp(received) as port:
        orthanc.know(Modality("SINK", port))
        dcmtk.dcmtk(
            *("movescu", "-S", "-aec", orthanc.ae_title, "-aet", "SINK", "-aem", "SINK"),
            *("-k", "QueryRetrieveLevel=STUDY", "-k", f"StudyInstanceUID={pydicom.dcmread(path).StudyInstanceUID}"),
            *("127.0.0.1", str(orthanc.port)),
        )
    assert len(list(received.iterdir())) == 1
    assert pydicom.dcmread(path).SOPInstanceUID in orthanc.file(stored["ID"]).decode("latin-1")
    orthanc.clear()
    assert orthanc.studies() == []


def test_redis_keeps_its_data_over_a_kill(redis_server: Redis) -> None:
    with Client.from_url(redis_server.url) as client:
        client.set("kept", "yes")
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    redis_server.kill()
    redis_server.start()
    with Client.from_url(redis_server.url) as client:
        assert client.get("kept") == b"yes"


def test_each_test_has_a_database_of_its_own(postgres_url: str) -> None:
    with psycopg.connect(postgres_url.replace("+psycopg", "")) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert tables == []


@pytest.mark.peer("dcmtk")
def test_dcmtk_is_not_shadowed_by_the_environments_scripts() -> None:
    assert program("storescu").startswith("/usr/")
    assert "dcmtk" in dcmtk.dcmtk("storescu", "--version").stdout.lower()
