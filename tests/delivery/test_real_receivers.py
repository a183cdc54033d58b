"""A real PACS as the receiver: once, whatever is repeated, killed or lost on the way."""

from __future__ import annotations

import io

import pytest
from pydicom import dcmread

from app.db.session import unit_of_work
from app.db.tables import Delivery, Job, Study
from app.delivery.documents import prepare
from app.delivery.handlers import DeliverReport
from app.delivery.structured_report import encode
from app.domain.study import Stage
from app.gateways.dimse_peer import DimsePeer, Patience
from app.gateways.report_dimse import DimseReportEndpoint
from tests.builders.reports import add_addendum, add_signed_report
from tests.delivery.test_handlers import Service
from tests.peers.dcmtk import dciodvfy
from tests.peers.orthanc import Modality, running_orthanc
from tests.peers.process import free_port

pytestmark = pytest.mark.peer("orthanc")
PATIENCE = Patience(connect=2, answer=5, total=15)


def endpoint(orthanc):
    orthanc.know(Modality("UNIRG", free_port()))
    return DimseReportEndpoint(DimsePeer("pacs", orthanc.ae_title, "127.0.0.1", orthanc.port, "UNIRG", PATIENCE))


def stored(orthanc, study_instance_uid):
    found = orthanc.instances(StudyInstanceUID=study_instance_uid)
    return [dcmread(io.BytesIO(orthanc.file(one["ID"]))) for one in found]


def uid_of(database, report):
    with database.reading() as session:
        return session.get_one(Study, report.study_id).study_instance_uid


def test_the_signed_report_and_its_addendum_are_in_the_pacs(database, clock, store, orthanc, tmp_path):
    report = add_signed_report(database, clock, "Grö\u00dfe normal.")
    service = Service(database, clock, store, endpoint(orthanc))
    service.work()
    add_addendum(database, clock, report)
    service.work()
    assert service.study().stage is Stage.DELIVERED
    documents = sorted(stored(orthanc, uid_of(database, report)), key=lambda one: one.InstanceNumber)
    assert [one.VerificationFlag for one in documents] == ["VERIFIED", "VERIFIED"]
    assert {one.StudyInstanceUID for one in documents} == {uid_of(database, report)}
    for one in documents:
        path = tmp_path / f"{one.InstanceNumber}.dcm"
        one.save_as(path)
        assert dciodvfy(path) == []


def test_what_orthanc_keeps_is_what_we_sent(database, clock, store, orthanc):
    report = add_signed_report(database, clock)
    with database.reading() as session:
        sent = encode(prepare(session, store, report.id, "Test Hospital").document)
    Service(database, clock, store, endpoint(orthanc)).work()
    (kept,) = stored(orthanc, uid_of(database, report))
    assert kept.ContentSequence == dcmread(io.BytesIO(sent)).ContentSequence


def test_an_answer_that_was_lost_makes_no_second_object(database, clock, store, orthanc):
    """The peer stored it, and we died before we could note that."""
    report = add_signed_report(database, clock)
    real = endpoint(orthanc)
    sends = []

    class Watched:
        name, holds = real.name, real.holds

        def send(self, document):
            sends.append(document)
            real.send(document)
            if len(sends) == 1:
                raise KeyboardInterrupt

    service = Service(database, clock, store, Watched())
    with pytest.raises(KeyboardInterrupt):
        service.work()
    clock.advance(600)
    service.work()
    assert len(sends) == 1  # it was asked, and it had it
    assert len(stored(orthanc, uid_of(database, report))) == 1
    assert service.deliveries()[0].status == "delivered"


def test_a_job_that_runs_twice_sends_once(database, clock, store, orthanc):
    report = add_signed_report(database, clock)
    use_case = DeliverReport(database, clock, store, [endpoint(orthanc)], "Test Hospital")
    service = Service(database, clock, store, endpoint(orthanc))
    service.work()
    with unit_of_work(database, clock) as uow:  # as if the note of the first run had been lost with its process
        uow.session.query(Job).update({"state": "queued", "deadline": uow.now, "attempts": 1})
        uow.session.query(Delivery).update({"status": "pending"})
        uow.session.get_one(Study, report.study_id).stage = Stage.SIGNED
    clock.advance(60)
    service.work()
    assert use_case.endpoints[0].name == "pacs"
    assert len(stored(orthanc, uid_of(database, report))) == 1
    assert service.study().stage is Stage.DELIVERED


def test_a_killed_pacs_gets_it_when_it_is_back(database, clock, store, tmp_path):
    report = add_signed_report(database, clock)
    with running_orthanc(tmp_path / "pacs") as orthanc:
        service = Service(database, clock, store, endpoint(orthanc))
        orthanc.server.kill()
        service.work()
        assert service.study().stage is Stage.SIGNED
        assert "no connection" in service.deliveries()[0].last_error
        orthanc.start()
        clock.advance(60)
        service.work()
        assert service.study().stage is Stage.DELIVERED
        assert len(stored(orthanc, uid_of(database, report))) == 1
