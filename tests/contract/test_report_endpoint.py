"""Receivers of reports under one contract: the fake of the tests, a real Orthanc, and peers that fail."""

from __future__ import annotations

import io

import pytest
from pydicom import dcmread

from app.db import migrations
from app.db.session import Database
from app.delivery.documents import prepare
from app.delivery.structured_report import encode
from app.errors import EndpointRefused, EndpointUnavailable
from app.gateways.dimse_peer import DimsePeer, Patience
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
        encoded = encode(prepare(session, report.id, "Test Hospital").document)
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


@pytest.mark.peer("orthanc")
def test_a_refusal_for_good_needs_a_person(document, start_orthanc):
    orthanc = start_orthanc(DicomAlwaysAllowStore=False)
    with pytest.raises((EndpointRefused, EndpointUnavailable)):
        peer(orthanc.port, orthanc.ae_title).send(document)
