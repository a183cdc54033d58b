"""Receivers of reports under one contract: the fake of the tests, a real Orthanc, and peers that fail."""

from __future__ import annotations

import io
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest
from pydicom import dcmread
from pynetdicom import AE, evt
from pynetdicom.status import STORAGE_SERVICE_CLASS_STATUS, code_to_category

from app.db import migrations
from app.db.session import Database
from app.delivery.documents import prepare
from app.delivery.structured_report import encode
from app.errors import EndpointRefused, EndpointUnavailable
from app.gateways.dimse_peer import DimsePeer, Patience
from app.gateways.dimse_status import is_stored, is_transient, not_stored
from app.gateways.object_store import LocalObjectStore
from app.gateways.report_dimse import DimseReportEndpoint
from tests.builders.reports import add_signed_report
from tests.fakes.clock import SetClock
from tests.fakes.report_endpoint import RememberingEndpoint
from tests.peers.dcmtk import storescp
from tests.peers.orthanc import Modality
from tests.peers.process import free_port

QUICK = Patience(connect=3, answer=5, total=10)


@pytest.fixture
def document(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/record.db")
    migrations.upgrade(database)
    report = add_signed_report(database, SetClock())
    with database.reading() as session:
        encoded = encode(prepare(session, LocalObjectStore(tmp_path / "store"), report.id, "Test Hospital").document)
    database.close()
    return encoded


@pytest.fixture(params=["fake", pytest.param("orthanc", marks=pytest.mark.peer("orthanc"))])
def endpoint(request):
    if request.param == "fake":
        return RememberingEndpoint()
    orthanc = request.getfixturevalue("orthanc")
    orthanc.know(Modality("UNIRG", free_port()))
    return DimseReportEndpoint(DimsePeer("pacs", orthanc.ae_title, orthanc.host, orthanc.port, "UNIRG", QUICK))


def identity(document):
    dataset = dcmread(io.BytesIO(document))
    return str(dataset.StudyInstanceUID), str(dataset.SOPInstanceUID)


def test_what_was_sent_is_held(endpoint, document):
    study, instance = identity(document)
    assert not endpoint.holds(study, instance)
    endpoint.send(document)
    assert endpoint.holds(study, instance)
    assert not endpoint.holds(study, f"{instance[:-1]}0.1")


def test_a_repeat_is_harmless(endpoint, document):
    endpoint.send(document)
    endpoint.send(document)
    assert endpoint.holds(*identity(document))


def peer(port, ae_title="ANY"):
    return DimseReportEndpoint(DimsePeer("pacs", ae_title, "127.0.0.1", port, "UNIRG", QUICK))


def test_nobody_there_is_tried_again_later(document):
    with pytest.raises(EndpointUnavailable, match="no connection"):
        peer(free_port()).send(document)


@pytest.mark.peer("dcmtk")
@pytest.mark.parametrize("fault", ["--refuse", "--abort-during", "--abort-after"])
def test_a_peer_that_refuses_or_breaks_off_is_tried_again_later(document, tmp_path, fault):
    with storescp(tmp_path / "received", fault) as port, pytest.raises(EndpointUnavailable):
        peer(port).send(document)


@pytest.mark.peer("dcmtk")
def test_a_peer_without_query_cannot_be_asked(document, tmp_path):
    with storescp(tmp_path / "received") as port:
        peer(port).send(document)
        with pytest.raises(EndpointUnavailable):
            peer(port).holds(*identity(document))


@contextmanager
def storing(status, *, takes=("1.2.840.10008.5.1.4.1.1.88.11", "1.2.840.10008.1.1"), pause=0.0):
    """A receiver that answers each C-STORE with one status."""
    received = []

    def on_store(event):
        received.append(event.dataset)
        time.sleep(pause)
        return status

    entity = AE(ae_title="RESULTS")
    for sop_class in takes:
        entity.add_supported_context(sop_class, "1.2.840.10008.1.2")
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, on_store)])
    try:
        yield server.server_address[1], received
    finally:
        server.shutdown()


TAKEN = (0x0000, 0xB007, 0x0116, 0x0111)
LATER = (0xA700, 0x0110, 0xFE00)
NEVER = (0xA900, 0xC123, 0x0122, 0x0124, 0x4242)


def test_every_status_of_the_library_has_one_consequence():
    for status in STORAGE_SERVICE_CLASS_STATUS:
        assert not (is_stored(status) and is_transient(status))
        assert is_stored(status) == (code_to_category(status) in {"Success", "Warning"} or status == 0x0111)
        assert f"0x{status:04X} (" in not_stored(status)


@pytest.mark.parametrize("status", [*TAKEN, *LATER, *NEVER], ids=hex)
def test_the_peers_answer_decides(document, status):
    with storing(status) as (port, received):
        if status in TAKEN:
            peer(port).send(document)
        else:
            expected = EndpointUnavailable if status in LATER else EndpointRefused
            with pytest.raises(expected, match=f"0x{status:04X} .*; ") as caught:
                peer(port).send(document)
            assert type(caught.value) is expected
    assert received[0].SOPInstanceUID == identity(document)[1]


def test_a_peer_that_takes_no_such_documents_needs_a_person(document):
    with storing(0, takes=["1.2.840.10008.1.1"]) as (port, _), pytest.raises(EndpointRefused, match="no Basic Text SR"):
        peer(port).send(document)


def test_a_peer_that_does_not_answer_is_tried_again_later(document):
    slow = DimsePeer("pacs", "ANY", "127.0.0.1", 0, "UNIRG", Patience(connect=1, answer=0.5, total=2))
    with storing(0, pause=2) as (port, _), pytest.raises(EndpointUnavailable, match="no usable answer"):
        DimseReportEndpoint(replace(slow, port=port)).send(document)


def test_a_peer_of_implicit_syntax_alone_gets_the_same_text(document):
    with storing(0) as (port, received):
        peer(port).send(document)
    assert received[0].ContentSequence == dcmread(io.BytesIO(document)).ContentSequence


@pytest.mark.peer("orthanc")
def test_a_refused_association_is_tried_again_later(document, start_orthanc):
    orthanc = start_orthanc(DicomAlwaysAllowStore=False)
    with pytest.raises(EndpointUnavailable, match="broke off the association"):
        peer(orthanc.port, orthanc.ae_title).send(document)
