"""Which studies a reader sees, in which order, page by page."""

from __future__ import annotations

import base64
import json

import pytest

from app.access import Role
from app.db.tables import ReadingLock
from app.domain.study import Stage
from app.review.worklist import draft_status
from tests.api.acts import CRITICAL, begin, signed_report
from tests.builders.reading import add_ready_study
from tests.builders.studies import add_study

LIST = "/api/v1/worklist"
SEVERAL = ("state", "priority", "urgency", "study", "critical_state")
NOON = "2026-03-01T12:00:00+00:00"


def shown(reader, **query):
    """The page that is asked for in an address, which is the one asked for in a body."""
    body = {name: [value] if name in SEVERAL and isinstance(value, str) else value for name, value in query.items()}
    answer, searched = reader.get(LIST, params=query), reader.post(f"{LIST}/search", json=body)
    assert (answer.status_code, searched.status_code) == (200, 200), answer.text
    assert {**searched.json(), "as_of": ""} == {**answer.json(), "as_of": ""}
    return answer.json()


def uids(page):
    return [item["study_instance_uid"] for item in page["items"]]


def test_a_line_says_what_a_reader_chooses_by(house):
    study, _ = add_ready_study(house.database, house.clock, accession_number="A-17", priority="STAT")
    reader = house.reader()
    reader.post(f"/api/v1/studies/{study.study_instance_uid}/claim")
    (item,) = shown(house.reader("bob"))["items"]
    assert item == {
        "study_instance_uid": study.study_instance_uid,
        "accession_number": "A-17",
        "patient": {
            "name": "Phantom^One",
            "id": "P-1",
            "issuer": "HOSPITAL",
            "birth_date": "19600101",
            "sex": "F",
        },
        "study_date": "20260301",
        "description": None,
        "modalities": ["DX"],
        "sent_by": [],
        "state": "ready",
        "reason": None,
        "priority": "STAT",
        "urgency": "stat",
        "received_at": "2026-03-01T08:00:00Z",
        "due_at": "2026-03-01T09:00:00Z",
        "draft_status": "ready",
        "flags": 1,
        "critical": False,
        "critical_state": None,
        "critical_due_at": None,
        "lock": {"owner": "Dr Ada", "mine": False, "expires_at": "2026-03-01T08:01:00Z"},
        "report_status": None,
        "report_mine": False,
        "signed_at": None,
    }


def test_open_studies_come_by_priority_and_age_then_the_signed_ones_latest_first(either_house):
    house = either_house
    expected = {}
    plan = [("ROUTINE", Stage.READY), ("LOW", Stage.FAILED), ("STAT", Stage.RECEIVING), ("ROUTINE", Stage.SIGNED)]
    plan += [("HIGH", Stage.IN_REVIEW), ("STAT", Stage.DELIVERED), ("ROUTINE", Stage.NOT_ELIGIBLE)]
    for number, (priority, stage) in enumerate(plan):
        study = add_study(house.database, house.clock, stage, priority=priority)
        expected[number] = study.study_instance_uid
        house.clock.advance(1)
    order = [expected[number] for number in (2, 4, 0, 6, 1, 5, 3)]
    reader = house.reader()
    assert uids(shown(reader)) == order
    pages, cursor = [], None
    while True:
        page = shown(reader, limit=2, **({"cursor": cursor} if cursor else {}))
        pages += uids(page)
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert pages == order


def test_filters_of_the_study(house):
    wanted = add_study(house.database, house.clock, Stage.READY, priority="STAT", patient_name="Müller^Jörg")
    other = add_study(house.database, house.clock, Stage.FAILED, priority="ROUTINE", accession_number="100%")
    reader, both = house.reader(), [wanted.study_instance_uid, other.study_instance_uid]
    assert uids(shown(reader, state="ready")) == both[:1]
    assert uids(shown(reader, state=["ready", "failed"])) == both
    assert uids(shown(reader, priority="stat")) == both[:1]
    assert uids(shown(reader, priority=["stat", "Routine"])) == both
    assert uids(shown(reader, urgency="stat")) == both[:1]
    assert uids(shown(reader, urgency=["stat", "routine"])) == both
    assert uids(shown(reader, urgency="low")) == []
    assert uids(shown(reader, study=both[1])) == both[1:]
    assert uids(shown(reader, study=["1.2.3", *both])) == both
    assert uids(shown(reader, q="müller")) == both[:1]
    assert uids(shown(reader, q="0%")) == both[1:]
    assert uids(shown(reader, q="p-1")) == both
    assert uids(shown(reader, q="_")) == []
    assert uids(shown(reader, q=" ", priority="")) == both
    house.clock.advance(90)
    later = add_study(house.database, house.clock)
    assert uids(shown(reader, received_within=1)) == [later.study_instance_uid]


def test_filters_of_what_hangs_on_a_study(either_house):
    house = either_house
    plain = add_study(house.database, house.clock, Stage.READY)
    flagged, draft = add_ready_study(house.database, house.clock)
    reader, other = house.reader(), house.reader("bob")
    report = begin(reader, flagged, draft)
    plain_uid, flagged_uid = plain.study_instance_uid, flagged.study_instance_uid
    for query, expected in {
        ("flagged", True): {flagged_uid},
        ("flagged", False): {plain_uid},
        ("critical", True): set(),
        ("critical", False): {plain_uid, flagged_uid},
        ("held", "locked"): {flagged_uid},
        ("held", "unlocked"): {plain_uid},
        ("held", "mine"): {flagged_uid},
    }.items():
        assert set(uids(shown(reader, **dict([query])))) == expected, query
    assert uids(shown(other, held="mine")) == []
    house.clock.advance(61)
    assert uids(shown(reader, held="locked")) == []
    assert uids(shown(reader, held="mine")) == [flagged_uid], "a report that was begun stays its author's"
    reader.post(f"/api/v1/reports/{report['id']}/critical-result", json=CRITICAL).raise_for_status()
    assert uids(shown(reader, critical=True)) == [flagged_uid]
    (item,) = shown(reader, critical=True)["items"]
    assert (item["critical"], item["flags"], item["report_mine"]) == (True, 1, True)
    assert (item["critical_state"], item["critical_due_at"]) == ("told", None)


def test_a_signature_stops_the_clock(house):
    reader = house.reader()
    study, _ = signed_report(house, reader)
    (item,) = shown(reader, study=study.study_instance_uid)["items"]
    assert (item["state"], item["signed_at"]) == ("signed", house.clock.now().isoformat().replace("+00:00", "Z"))


@pytest.mark.parametrize(
    ("stage", "stale", "said"),
    [
        (Stage.RECEIVING, None, "none"),
        (Stage.RECEIVING, True, "stale"),
        (Stage.GATHERING_PRIORS, None, "none"),
        (Stage.GATHERING_PRIORS, False, "ready"),
        (Stage.DRAFTING, None, "drafting"),
        (Stage.DRAFTING, True, "drafting"),
        (Stage.READY, False, "ready"),
        (Stage.DRAFT_UNAVAILABLE, None, "unavailable"),
        (Stage.DRAFT_UNAVAILABLE, True, "unavailable"),
        (Stage.NOT_ELIGIBLE, None, "unavailable"),
        (Stage.FAILED, False, "ready"),
        (Stage.IN_REVIEW, None, "none"),
        (Stage.IN_REVIEW, True, "stale"),
        (Stage.SIGNED, False, "ready"),
    ],
)
def test_what_is_said_of_the_draft(stage, stale, said):
    assert draft_status(stage, stale) == said


def test_counts_name_every_state_and_are_no_look(house):
    for stage in (Stage.READY, Stage.READY, Stage.DELIVERED):
        add_study(house.database, house.clock, stage)
    answer = house.reader("vera", Role.VIEWER).get(f"{LIST}/counts")
    expected = dict.fromkeys(map(str, Stage), 0) | {"ready": 2, "delivered": 1}
    assert (answer.status_code, answer.json()) == (200, {"states": expected})
    assert house.audited("read.worklist") == []


def test_a_large_page_is_one_look(house):
    rows = [add_study(house.database, house.clock).id for _ in range(30)]
    shown(house.reader(), limit=1000)
    (entry,) = house.audited("read.worklist")
    assert sorted(entry.detail["studies"]) == sorted(rows)


MADE_UP = [
    [],
    {},
    ["due"],
    ["due", "asc", 0, "x", "x"],
    ["due", "asc", -1, 0, NOON, "1.2"],
    ["due", "up", 0, 0, NOON, "1.2"],
]
MADE_UP += [["due", "asc", 0, NOON, "1.2"], ["due", "asc", 0, 10**30, NOON, "1.2"], ["received", "asc", 1, NOON, "1.2"]]
MADE_UP += [["patient", "asc", 0, NOON, "1.2"], ["due", "asc", 0, 0, "0001-01-01T00:00:00+23:59", "1.2"]]
MADE_UP += [["received", "asc", 0, NOON, "1.2"]]  # another order than the one that is asked for


@pytest.mark.parametrize("cursor", ["x", "ü", *(base64.urlsafe_b64encode(json.dumps(c).encode()) for c in MADE_UP)])
def test_a_made_up_cursor_is_refused(house, cursor):
    answer = house.reader().get(LIST, params={"cursor": cursor})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"


BAD_QUERIES = [{"limit": 0}, {"limit": 1001}, {"state": "lost"}, {"q": "a\x00"}, {"q": "x" * 65}, {"sort": "age"}]
BAD_QUERIES += [{"held": "x"}, {"received_within": 0}, {"study": "1.2.x"}, {"study": ["1"] * 201}, {"critical": "so"}]
BAD_QUERIES += [{"critical_state": "so"}]


@pytest.mark.parametrize("query", BAD_QUERIES)
def test_a_query_outside_the_schema_is_refused_without_repeating_it(house, query):
    answer = house.reader().get(LIST, params=query)
    assert answer.status_code == 422
    assert "x" * 65 not in answer.text


def test_an_expired_lock_is_no_lock(house):
    study, _ = add_ready_study(house.database, house.clock)
    house.reader().post(f"/api/v1/studies/{study.study_instance_uid}/claim")
    house.clock.advance(61)
    (item,) = shown(house.reader("bob"))["items"]
    assert item["lock"] is None
    with house.database.reading() as session:
        assert session.get(ReadingLock, study.id) is not None


def test_each_page_that_is_looked_at_is_audited_once_a_minute(house):
    one, _ = add_ready_study(house.database, house.clock)
    viewer = house.reader("vera", Role.VIEWER)
    shown(viewer)
    shown(viewer)
    (entry,) = house.audited("read.worklist")
    assert (entry.actor, entry.detail["studies"]) == ("user:vera", [one.id])
    house.clock.advance(61)
    shown(viewer)
    two, _ = add_ready_study(house.database, house.clock)
    shown(viewer)
    assert len(house.audited("read.worklist")) == 3
    assert two.id in house.audited("read.worklist")[-1].detail["studies"]
