"""The worklist says nothing of the flags of a draft that the reading mode withholds from the asker."""

from __future__ import annotations

import random

import pytest
import sqlalchemy as sa

from app.access import Reader, Role
from app.db.report_tables import OwnText, ViewReceipt
from app.db.session import unit_of_work
from app.db.tables import Draft, Instance, Report, Study
from app.domain.identifiers import DOCUMENT_CLASSES, derived_uid, new_id
from app.domain.reading import ReadingMode, ReadingModes
from app.domain.report import SIGNED, ReportStatus
from app.domain.study import Stage
from app.review.reading import DraftGate
from app.review.worklist import Worklist
from app.review.worklist_filter import Filter
from app.review.worklist_order import Direction, Sort
from tests.api.acts import DECIDED, begin, save, sign
from tests.api.modes import OWN, in_mode, look, new_image_and_draft
from tests.builders.reading import add_person, add_ready_study, draft_sentences

LIST = "/api/v1/worklist"
STUDIES = 120
SENDERS = ["", "ROOM_ONE", "ROOM_TWO", "ROOM_THREE"]
SITES = {
    "ROOM_ONE": ReadingMode.DRAFT_FIRST,
    "ROOM_TWO": ReadingMode.LOOK_FIRST,
    "ROOM_THREE": ReadingMode.SECOND_READER,
}


def flags(reader):
    (item,) = reader.get(LIST).json()["items"]
    found = [len(reader.get(LIST, params={"flagged": flagged}).json()["items"]) for flagged in (True, False)]
    assert found == ([1, 0] if item["flags"] else [0, 1])
    return item["flags"]


def test_who_has_not_looked_is_told_of_no_flags(either_house, pixels):
    house = in_mode(either_house, pixels, "look-first")
    study, _ = add_ready_study(house.database, house.clock)
    ada, bob, robot = house.reader("ada"), house.reader("bob"), house.machine()
    assert [flags(one) for one in (ada, bob, robot)] == [None, None, None]
    look(house, ada, study)
    assert [flags(one) for one in (ada, bob, robot)] == [1, None, None]
    new_image_and_draft(house, study)
    assert flags(ada) is None, "the new draft has an image that nobody was shown"


def test_who_has_not_written_is_told_of_no_flags_until_it_is_signed(house, pixels):
    house = in_mode(house, pixels, "second-reader")
    study, _ = add_ready_study(house.database, house.clock)
    ada, bob = house.reader("ada"), house.reader("bob")
    report = begin(ada, study)
    assert [flags(one) for one in (ada, bob)] == [None, None]
    report = save(ada, report, OWN)
    assert [flags(one) for one in (ada, bob)] == [1, None]
    assert sign(ada, report).status_code == 200
    assert [flags(one) for one in (ada, bob)] == [1, 1]


@pytest.mark.parametrize("default", ReadingMode)
def test_the_count_is_there_exactly_where_the_gate_shows_the_draft(either_house, default):
    database, clock, chance = either_house.database, either_house.clock, random.Random(str(default))
    ids = [add_person(database, clock, name, Role.RADIOLOGIST) for name in ("ada", "bob")]
    ada = Reader(ids[0], "ada", "Dr Ada", (Role.RADIOLOGIST,))
    with unit_of_work(database, clock) as uow:
        for number in range(STUDIES):
            put_study(uow.session, chance, clock.now(), f"{default} {number}", ids)
    answers = set()
    for modes in (ReadingModes(default, SITES), ReadingModes(default)):
        gate = DraftGate(modes)
        with database.reading() as session:
            page, _ = Worklist(session, clock.now(), ada, modes).page(Filter(), Sort.DUE, Direction.ASC, None, 1000)
            told = {item.study_instance_uid: item.flags for item in page.items}
            assert len(told) == STUDIES
            for study in session.scalars(sa.select(Study)):
                reading = gate.reading_out(session, ada, study)
                expected = 0 if study.current_draft_id is None else {"shown": 1, "withheld": None}[reading.draft]
                assert told[study.study_instance_uid] == expected, reading
                answers.add((reading.mode, expected))
    modes = {default, *SITES.values()}
    assert answers >= {(mode, 1) for mode in modes} | {(mode, None) for mode in modes - {ReadingMode.DRAFT_FIRST}}


def put_study(session, chance, now, name, people):
    revision = chance.choice([1, 2])
    study = Study(
        id=new_id(), study_instance_uid=derived_uid("study", name), stage=Stage.READY, revision=2, patient_id="P",
        received_at=now, last_image_at=now, quiet_until=now, stage_since=now,
    )  # fmt: skip
    session.add(study)
    session.flush()
    put_images(session, chance, now, study, people)
    if chance.random() < 0.1:
        return
    draft = Draft(
        id=new_id(), study_id=study.id, revision=revision, version=1, input_hash=new_id(), model="m",
        weights_digest="0" * 64, prompt_version="p", image_digests=[], text="x", finish_reason="stop",
        sentences=draft_sentences(), created_at=now,
    )  # fmt: skip
    session.add(draft)
    session.flush()
    study.current_draft_id = draft.id
    if chance.random() < 0.6:
        put_report(session, chance, now, study, people)


def put_images(session, chance, now, study, people):
    careful = chance.random() < 0.5
    for _ in range(chance.randrange(4)):
        image = Instance(
            id=new_id(), study_id=study.id, sop_instance_uid=derived_uid("instance", new_id()),
            sop_class_uid=chance.choice(["1.2.840.10008.5.1.4.1.1.1.1"] * 3 + [f"{DOCUMENT_CLASSES}11"]),
            series_instance_uid="1.2", transfer_syntax_uid="1.2", object_key="k", digest="d", size=1,
            revision=chance.choice([1, 2]), received_at=now, calling_ae=chance.choice(SENDERS),
        )  # fmt: skip
        session.add(image)
        for person in people:
            if careful or chance.random() < 0.5:
                looked = now if careful or chance.random() < 0.7 else None
                receipt = {"study_id": study.id, "user_id": person, "sop_instance_uid": image.sop_instance_uid}
                session.add(ViewReceipt(**receipt, viewed_at=now, looked_at=looked))


def put_report(session, chance, now, study, people):
    statuses = [ReportStatus.PRELIMINARY] * 4 + [ReportStatus.CANCELLED, *SIGNED]
    report = Report(
        id=new_id(), study_id=study.id, reading_mode=chance.choice(list(ReadingMode)), status=chance.choice(statuses),
        sentences=DECIDED, author_id=people[0], author_name="x", created_at=now, updated_at=now,
    )  # fmt: skip
    session.add(report)
    session.flush()
    for person in people:
        if chance.random() < 0.5:
            session.add(OwnText(report_id=report.id, user_id=person, revision=chance.choice([1, 2]), saved_at=now))
