"""What a reader holds against a draft, kept beside the weights that wrote it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.access import Role
from app.db.report_tables import DraftRemark
from app.domain.report import Remark
from tests.api.modes import in_mode, look, refused
from tests.builders.reading import add_draft, add_ready_study

NOTE = "Phantom One has it on the right."


def give(reader, draft, **given):
    return reader.post(f"/api/v1/drafts/{draft.id}/feedback", json={"kind": "style", **given})


def rows(house):
    with house.database.reading() as session:
        return session.scalars(sa.select(DraftRemark)).all()


def test_a_remark_is_kept_with_the_weights_and_audited_without_its_note(either_house):
    house = either_house
    study, _ = add_ready_study(house.database, house.clock)
    draft = add_draft(house.database, house.clock, study, weights_digest="a" * 64)
    answer = give(house.reader(), draft, kind="wrong_side", sentence_index=1, note=f"{NOTE}\u202e")
    assert answer.status_code == 201, answer.text
    (row,) = rows(house)
    assert answer.json() == {
        "id": row.id,
        "draft_id": draft.id,
        "sentence_index": 1,
        "kind": "wrong_side",
        "note": NOTE,
        "weights_digest": "a" * 64,
        "given_at": "2026-03-01T08:00:00Z",
    }
    assert (row.study_id, row.sentence_index, row.note) == (study.id, 1, NOTE)
    (entry,) = house.audited("draft.remarked")
    assert (entry.actor, entry.study_id) == ("user:ada", study.id)
    assert entry.detail == {
        "draft_id": draft.id,
        "remark_id": row.id,
        "kind": "wrong_side",
        "sentence_index": 1,
        "weights_digest": "a" * 64,
    }


@pytest.mark.parametrize("kind", Remark)
def test_each_kind_may_be_about_the_whole_draft(house, kind):
    _, draft = add_ready_study(house.database, house.clock)
    body = give(house.reader(), draft, kind=kind, sentence_index=None).json()
    assert (body["kind"], body["sentence_index"], body["note"]) == (kind, None, "")


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "rude"},
        {"sentence_index": 3},
        {"sentence_index": -1},
        {"note": "x" * 2001},
        {"note": "\x00"},
        {"who": 1},
    ],
)
def test_what_does_not_fit_the_draft_is_refused(house, given):
    _, draft = add_ready_study(house.database, house.clock)
    answer = give(house.reader(), draft, **given)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert rows(house) == []


def test_a_stale_draft_may_be_remarked_on_and_one_that_is_none_not(house):
    study, draft = add_ready_study(house.database, house.clock)
    add_draft(house.database, house.clock, study)
    reader = house.reader()
    assert give(reader, draft).status_code == 201
    missing = reader.post(f"/api/v1/drafts/{'0' * 32}/feedback", json={"kind": "missed"})
    assert missing.status_code == 404


def test_only_who_writes_reports_remarks_and_only_on_what_he_was_shown(house, pixels):
    house = in_mode(house, pixels, "look-first")
    study, draft = add_ready_study(house.database, house.clock)
    assert give(house.reader("vera", Role.VIEWER), draft).status_code == 403
    reader = house.reader()
    refused(give(reader, draft))
    look(house, reader, study)
    assert give(reader, draft).status_code == 201
