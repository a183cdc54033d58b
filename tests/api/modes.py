"""What a reader does, and meets, where a reading mode withholds the draft from him."""

from __future__ import annotations

import sqlalchemy as sa

from app.db.tables import Instance
from app.domain.reading import ReadingMode, ReadingModes
from app.main import ApiDeps, create_app
from tests.api.acts import REPORTS, begin, drafted_again, late_image, save
from tests.api.house import House
from tests.builders.reading import SENTENCES, add_image, add_ready_study, quick_passwords

WORDS = [text for _, text, _, _ in SENTENCES]
OWN = {"findings": "Large heart, as I see it.", "impression": "", "sentences": []}


def in_mode(house, pixels, mode, sites=None):
    """The same house where studies are read in another mode."""
    modes = ReadingModes(ReadingMode(mode), sites or {})
    parts = (house.database, house.clock, house.store, pixels, lambda: True)
    deps = ApiDeps(*parts, min_free_ratio=0, web_dist=None, modes=modes)
    return House(create_app(deps, quick_passwords()), house.database, house.clock, house.store)


def path(study, part=""):
    return f"/api/v1/studies/{study.study_instance_uid}{part}"


def reading(reader, study):
    return reader.get(path(study)).json()["reading"]


def images(house, study):
    with house.database.reading() as session:
        mine = sa.select(Instance.sop_instance_uid).where(Instance.study_id == study.id)
        return list(session.scalars(mine.order_by(Instance.received_at, Instance.id)))


def view(reader, study, uid):
    answer = reader.post(path(study, "/views"), json={"sop_instance_uid": uid})
    assert answer.status_code == 200, answer.text
    return answer.json()


def say_looked(reader, study):
    return reader.post(path(study, "/views"), json={"looked": True})


def look(house, reader, study):
    for uid in images(house, study):
        view(reader, study, uid)
    answer = say_looked(reader, study)
    assert answer.status_code == 200, answer.text
    return answer.json()


def get_draft(reader, draft):
    return reader.get(f"/api/v1/drafts/{draft.id}")


def start(reader, study, draft=None):
    body = {"study_instance_uid": study.study_instance_uid, **({"draft_id": draft.id} if draft else {})}
    return reader.post(REPORTS, json=body)


def refused(answer):
    assert answer.status_code == 403, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:unirg:problem:draft-withheld"
    assert answer.json()["detail"]
    silent(answer)
    return answer.json()


def silent(answer):
    assert not [words for words in WORDS if words in answer.text]


def with_report(house):
    """A study that Ada looked at and is writing about from its draft; her lease has ended."""
    study, draft = add_ready_study(house.database, house.clock)
    ada = house.reader("ada")
    look(house, ada, study)
    report = save(ada, begin(ada, study, draft))
    house.clock.advance(61)
    return study, draft, report


def tagged(report):
    return {"If-Match": f'"{report["etag"]}"'}


def new_image_and_draft(house, study):
    late_image(house, study)
    add_image(house.database, house.clock, house.study(study.id))
    return drafted_again(house, study)
