"""What a radiologist does with a report, and what happens to the study meanwhile."""

from __future__ import annotations

from app.db.session import unit_of_work
from app.domain.study import Stage
from tests.builders.reading import PASSWORD, add_draft, add_ready_study

REPORTS = "/api/v1/reports"
MEANING = "I have reviewed the images and this is my report"
FINDINGS, IMPRESSION = "The heart is enlarged.", "Cardiomegaly."
DECIDED = [
    {"index": 0, "decision": "accepted", "text": "The heart is enlarged."},
    {"index": 1, "decision": "rejected", "text": "New small left pleural effusion."},
    {"index": 2, "decision": "accepted", "text": "Cardiomegaly."},
]
TEXT = {"findings": FINDINGS, "impression": IMPRESSION, "sentences": DECIDED}
SIGNING = {"password": PASSWORD, "meaning": MEANING}
CRITICAL = {
    "finding": "Tension pneumothorax",
    "found_at": "2026-03-01T07:50:00Z",
    "told_to": "Dr Ward",
    "told_at": "2026-03-01T07:55:00Z",
    "method": "telephone",
    "read_back": True,
}


FOUND = {key: CRITICAL[key] for key in ("finding", "found_at")}


def begin(reader, study, draft=None):
    body = {"study_instance_uid": study.study_instance_uid, **({"draft_id": draft.id} if draft else {})}
    answer = reader.post(REPORTS, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def save(reader, report, text=TEXT):
    answer = reader.put(f"{REPORTS}/{report['id']}", json=text, headers={"If-Match": f'"{report["etag"]}"'})
    assert answer.status_code == 200, answer.text
    return answer.json()


def sign(reader, report, **changes):
    tag = {"If-Match": f'"{report["etag"]}"'}
    return reader.post(f"{REPORTS}/{report['id']}/sign", json={**SIGNING, **changes}, headers=tag)


def signed_report(house, reader):
    study, draft = add_ready_study(house.database, house.clock)
    answer = sign(reader, save(reader, begin(reader, study, draft)))
    assert answer.status_code == 200, answer.text
    return study, answer.json()


def late_image(house, study):
    with unit_of_work(house.database, house.clock) as uow:
        row = uow.study(study.id)
        row.stage, row.revision = Stage.RECEIVING, row.revision + 1
        uow.session.connection().exec_driver_sql("UPDATE drafts SET stale = true")


def drafted_again(house, study):
    draft = add_draft(house.database, house.clock, study)
    with unit_of_work(house.database, house.clock) as uow:
        uow.study(study.id).stage = Stage.READY
    return draft
