"""Many readers at once: one owner, one writer per version, one signature."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import sqlalchemy as sa

from app.db import audit_trail
from app.db.tables import Job, ReadingLock, Report
from app.domain.study import Stage
from tests.api.acts import REPORTS, SIGNING, TEXT, begin, save
from tests.builders.reading import add_ready_study

READERS = 6


def at_once(acts):
    """Run the acts in threads that start together; their answers in order."""
    start = Barrier(len(acts))

    def run(act):
        start.wait()
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def test_of_readers_who_claim_at_once_one_gets_each_study(either_house):
    house = either_house
    readers = [house.reader(f"reader{number}") for number in range(READERS)]
    for _ in range(4):
        study, _ = add_ready_study(house.database, house.clock)
        path = f"/api/v1/studies/{study.study_instance_uid}/claim"
        answers = at_once([lambda reader=reader, path=path: reader.post(path) for reader in readers])
        assert sorted(answer.status_code for answer in answers) == [200] + [409] * (READERS - 1)
        (owner,) = [answer.json()["owner"] for answer in answers if answer.status_code == 200]
        assert {answer.json()["owner"] for answer in answers} == {owner}
        with house.database.reading() as session:
            assert session.get_one(ReadingLock, study.id).owner == owner


def test_of_writers_of_one_version_one_wins_and_the_others_must_look(either_house):
    house = either_house
    study, draft = add_ready_study(house.database, house.clock)
    reader = house.reader()
    report = begin(reader, study, draft)
    tag = {"If-Match": f'"{report["etag"]}"'}
    texts = [{**TEXT, "findings": f"Version {number}."} for number in range(READERS)]
    writers = [twin(house, reader) for _ in texts]
    path = f"{REPORTS}/{report['id']}"
    answers = at_once(
        [lambda w=writer, t=text: w.put(path, json=t, headers=tag) for writer, text in zip(writers, texts, strict=True)]
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * (READERS - 1)
    (won,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert reader.get(path).json() == won


def twin(house, reader):
    """The same reader in another browser window."""
    other = house.visitor()
    other.cookies.update(dict(reader.cookies))
    other.headers["X-CSRF-Token"] = reader.headers["X-CSRF-Token"]
    return other


def test_a_report_is_begun_once_and_signed_once_however_often_it_is_asked(either_house):
    house = either_house
    study, draft = add_ready_study(house.database, house.clock)
    reader = house.reader()
    windows = [twin(house, reader) for _ in range(4)]
    body = {"study_instance_uid": study.study_instance_uid, "draft_id": draft.id}
    begun = at_once([lambda w=window: w.post(REPORTS, json=body) for window in windows])
    assert {answer.status_code for answer in begun} == {200}
    assert len({answer.json()["id"] for answer in begun}) == 1
    report = save(reader, begun[0].json())
    tag = {"If-Match": f'"{report["etag"]}"'}
    path = f"{REPORTS}/{report['id']}/sign"
    signed = at_once([lambda w=window: w.post(path, json=SIGNING, headers=tag) for window in windows])
    assert sorted(answer.status_code for answer in signed) == [200, 409, 409, 409]
    with house.database.reading() as session:
        assert session.scalars(sa.select(Report.status)).all() == ["final"]
        assert session.scalars(sa.select(Job.task)).all() == ["delivery.send"]
        assert audit_trail.verify(session).ok
    assert house.study(study.id).stage is Stage.SIGNED


def test_a_signature_and_a_write_of_the_same_version_exclude_each_other(either_house):
    house = either_house
    reader = house.reader()
    late = {**TEXT, "findings": "Late."}
    for _ in range(3):
        study, draft = add_ready_study(house.database, house.clock)
        report = save(reader, begin(reader, study, draft))
        path, tag = f"{REPORTS}/{report['id']}", {"If-Match": f'"{report["etag"]}"'}
        other = twin(house, reader)
        signed, written = at_once(
            [
                lambda path=path, tag=tag: reader.post(f"{path}/sign", json=SIGNING, headers=tag),
                lambda path=path, tag=tag, other=other: other.put(path, json=late, headers=tag),
            ]
        )
        assert (signed.status_code, written.status_code) in {(200, 409), (409, 200)}
        after = reader.get(path).json()
        assert (after["status"] == "final") == (signed.status_code == 200)
        assert (after["findings"] == "Late.") == (written.status_code == 200)
