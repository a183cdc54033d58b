"""What becomes of a received object: filed, known already, kept aside."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.completeness.handlers import CompleteStudies
from app.content import content_digest
from app.db import migrations
from app.db.group_commit import GroupCommit
from app.db.session import Database, unit_of_work
from app.db.tables import AuditRow, Draft, Instance, Job, MovedObject, QuarantinedObject, Study
from app.domain.identifiers import new_id
from app.domain.intake import ReceivedInstance
from app.domain.study import Stage
from app.errors import CannotUnderstand, ObjectMismatch, StorageUnavailable
from app.gateways.object_store import LocalObjectStore
from app.intake.handlers import StoreInstances
from tests.builders.radiographs import radiograph, save
from tests.builders.studies import add_study
from tests.fakes.clock import SetClock

BASIC_TEXT_SR = "1.2.840.10008.5.1.4.1.1.88.11"


@pytest.fixture
def clock():
    return SetClock()


@pytest.fixture
def database(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/record.db")
    migrations.upgrade(database)
    yield database
    database.close()


@pytest.fixture
def sink(database, clock, tmp_path):
    store = LocalObjectStore(tmp_path / "store")
    return StoreInstances(GroupCommit(database, clock), store, timedelta(seconds=60), 0.0, "UNIRG")


def receive(sink, dataset, **values):
    path = save(dataset, sink.store.incoming_dir / f"{new_id()}.part")
    data = path.read_bytes()
    facts = {
        "sop_class_uid": str(dataset.SOPClassUID),
        "sop_instance_uid": str(dataset.SOPInstanceUID),
        "transfer_syntax_uid": str(dataset.file_meta.TransferSyntaxUID),
        "calling_ae": "XR1",
        "called_ae": "UNIRG",
        "peer_host": "127.0.0.1",
        "temp_path": path,
        "size": len(data),
        "digest": content_digest(data),
    }
    return sink.accept(ReceivedInstance(**{**facts, **values}))


def rows(database, table):
    with database.reading() as session:
        return session.scalars(sa.select(table)).all()


def leftovers(sink):
    return list(sink.store.incoming_dir.iterdir())


def test_an_image_is_filed_under_its_study(sink, database):
    dataset = radiograph()
    assert receive(sink, dataset) == 0x0000
    [study], [instance] = rows(database, Study), rows(database, Instance)
    assert study.study_instance_uid == dataset.StudyInstanceUID
    assert (study.patient_id, study.issuer, study.accession_number) == ("P-1", "HOSPITAL", "A-1")
    assert study.stage is Stage.RECEIVING
    assert instance.study_id == study.id
    assert sink.store.path(instance.object_key).stat().st_size > 0
    assert leftovers(sink) == []


@pytest.mark.parametrize(
    ("character_set", "name"),
    [
        (None, "Phantom^One"),
        ("", "Phantom^One"),
        ("ISO_IR 100", "Müller^Jürgen"),
        ("ISO_IR 144", "Люкceмбypг"),
        ("ISO_IR 192", "Wang^XiaoDong=王^小东"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ("GB18030", "Wang^XiaoDong=王^小东"),
    ],
)
def test_names_are_read_in_the_character_set_of_the_object(sink, database, character_set, name):
    receive(sink, radiograph(SpecificCharacterSet=character_set, PatientName=name))
    assert rows(database, Study)[0].patient_name == name


def test_the_same_object_again_is_success_and_no_new_work(sink, database, clock):
    dataset = radiograph()
    receive(sink, dataset)
    before = rows(database, Study)[0].quiet_until
    clock.advance(30)
    assert receive(sink, dataset) == 0x0000
    assert rows(database, Study)[0].quiet_until == before
    assert len(rows(database, Instance)) == 1
    assert rows(database, QuarantinedObject) == []
    assert leftovers(sink) == []


def test_another_object_under_the_same_uid_is_kept_aside(sink, database):
    first = radiograph()
    receive(sink, first)
    second = radiograph(SOPInstanceUID=first.SOPInstanceUID, StudyInstanceUID=first.StudyInstanceUID, ViewPosition="AP")
    assert receive(sink, second) == 0x0000
    [instance], [aside] = rows(database, Instance), rows(database, QuarantinedObject)
    assert instance.view_position == "PA"
    assert "SOP Instance UID that is held" in aside.reason
    assert sink.store.path(aside.object_key).is_file()
    assert aside.object_key != instance.object_key


def test_another_patient_in_the_same_study_is_refused_and_kept_aside(sink, database):
    first = radiograph()
    receive(sink, first)
    with pytest.raises(ObjectMismatch, match="Patient ID"):
        receive(sink, radiograph(StudyInstanceUID=first.StudyInstanceUID, PatientID="P-2"))
    assert len(rows(database, Instance)) == 1
    assert len(rows(database, QuarantinedObject)) == 1


@pytest.mark.parametrize("keyword", ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID"])
def test_an_object_that_cannot_be_filed_is_quarantined_with_a_reason(sink, database, keyword):
    dataset = radiograph()
    names = {"sop_class_uid": str(dataset.SOPClassUID), "sop_instance_uid": str(dataset.SOPInstanceUID)}
    setattr(dataset, keyword, "")
    with pytest.raises(CannotUnderstand, match=keyword):
        receive(sink, dataset, **names)
    [aside] = rows(database, QuarantinedObject)
    assert keyword in aside.reason
    assert leftovers(sink) == []
    assert rows(database, Study) == []


def test_a_data_set_that_is_not_what_the_request_announced_is_refused(sink, database):
    with pytest.raises(ObjectMismatch) as refusal:
        receive(sink, radiograph(), sop_instance_uid="1.2.3")
    assert refusal.value.dicom_status == 0xA900
    assert len(rows(database, QuarantinedObject)) == 1


def test_no_space_refuses_before_anything_is_recorded(sink, database, clock):
    full = StoreInstances(GroupCommit(database, clock), sink.store, timedelta(0), 1.1, "UNIRG")
    with pytest.raises(StorageUnavailable) as refusal:
        receive(full, radiograph())
    assert refusal.value.dicom_status == 0xA700
    assert rows(database, Study) == []


def test_what_our_own_move_asked_for_starts_no_study(sink, database):
    assert receive(sink, radiograph(), move_originator_ae="UNIRG", move_originator_message_id=7) == 0x0000
    assert rows(database, Study) == []
    assert rows(database, MovedObject)[0].move_originator_message_id == 7


def test_a_move_that_another_asked_for_is_a_study_like_any_other(sink, database):
    receive(sink, radiograph(), move_originator_ae="WORKSTATION", move_originator_message_id=7)
    assert len(rows(database, Study)) == 1


@pytest.mark.parametrize("stage", [Stage.READY, Stage.DRAFTING, Stage.IN_REVIEW, Stage.NOT_ELIGIBLE])
def test_a_late_image_makes_a_new_revision_and_the_draft_stale(sink, database, clock, stage):
    study = add_study(database, clock, stage)
    with unit_of_work(database, clock) as uow:
        uow.session.add(
            Draft(
                study_id=study.id,
                revision=1,
                version=1,
                input_hash="h",
                model="m",
                weights_digest="w",
                prompt_version="p",
                image_digests=[],
                text="t",
                finish_reason="stop",
                sentences=[],
                created_at=uow.now,
            )
        )
    receive(sink, radiograph(StudyInstanceUID=study.study_instance_uid))
    [study], [draft] = rows(database, Study), rows(database, Draft)
    assert (study.stage, study.revision, draft.stale) == (Stage.RECEIVING, 2, True)


@pytest.mark.parametrize("stage", [Stage.SIGNED, Stage.DELIVERED])
def test_a_late_image_of_a_signed_study_suggests_an_addendum_and_changes_nothing(sink, database, clock, stage):
    study = add_study(database, clock, stage)
    receive(sink, radiograph(StudyInstanceUID=study.study_instance_uid))
    [study] = rows(database, Study)
    assert (study.stage, study.revision, study.addendum_suggested) == (stage, 1, True)


def test_a_report_that_comes_back_from_the_archive_changes_nothing(sink, database, clock):
    study = add_study(database, clock, Stage.DELIVERED)
    receive(sink, radiograph(StudyInstanceUID=study.study_instance_uid, SOPClassUID=BASIC_TEXT_SR, Modality="SR"))
    [study] = rows(database, Study)
    assert (study.stage, study.addendum_suggested) == (Stage.DELIVERED, False)
    assert len(rows(database, Instance)) == 1


def test_two_associations_may_bring_one_study_at_once(sink, database):
    uid = radiograph().StudyInstanceUID
    objects = [radiograph(StudyInstanceUID=uid) for _ in range(12)]
    with ThreadPoolExecutor(4) as pool:
        statuses = list(pool.map(lambda dataset: receive(sink, dataset), objects))
    assert set(statuses) == {0}
    assert len(rows(database, Study)) == 1
    assert len(rows(database, Instance)) == 12


def test_a_study_is_complete_when_it_has_been_quiet(sink, database, clock):
    complete = CompleteStudies(database, clock)
    dataset = radiograph()
    receive(sink, dataset)
    clock.advance(59)
    receive(sink, radiograph(StudyInstanceUID=dataset.StudyInstanceUID))
    clock.advance(59)
    assert complete.sweep() == 0
    clock.advance(1)
    assert complete.sweep() == 1
    assert complete.sweep() == 0
    assert rows(database, Study)[0].stage is Stage.GATHERING_PRIORS
    assert [job.task for job in rows(database, Job)] == ["priors.gather"]


def test_what_is_written_to_the_audit_names_no_patient(sink, database):
    receive(sink, radiograph(PatientName="Canary^Yellow", PatientID="CANARY"))
    with pytest.raises(CannotUnderstand):
        receive(sink, radiograph(PatientName="Canary^Yellow", PatientID="CANARY", StudyInstanceUID=""))
    text = "".join(f"{row.actor}{row.action}{row.detail}" for row in rows(database, AuditRow))
    assert "anary" not in text
    assert "CANARY" not in text


def test_images_that_share_a_commit_count_one_by_one(sink, database, clock):
    study = add_study(database, clock, Stage.READY)
    under_way, go_on = threading.Event(), threading.Event()

    def hold(_uow):
        under_way.set()
        go_on.wait(10)

    late = [radiograph(StudyInstanceUID=study.study_instance_uid) for _ in range(3)]
    with ThreadPoolExecutor(4) as pool:
        pool.submit(sink.commits.run, "other", hold)
        under_way.wait(10)
        answers = [pool.submit(receive, sink, dataset) for dataset in late]
        time.sleep(0.5)
        go_on.set()
        assert [answer.result(30) for answer in answers] == [0, 0, 0]
    assert rows(database, Study)[0].revision == 2
    assert [one.revision for one in rows(database, Instance)] == [2, 2, 2]  # the first reopens the study, the rest join
