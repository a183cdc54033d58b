"""Page after page, the worklist is one sorted list, whatever its size and the size of the pages."""

from __future__ import annotations

import base64
import random
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.access import Reader, Role
from app.db.tables import Study
from app.domain.identifiers import derived_uid, new_id
from app.domain.reading import ReadingModes
from app.domain.study import Stage
from app.review.worklist import Worklist
from app.review.worklist_filter import Filter
from app.review.worklist_order import Direction, Sort

PRIORITIES = ["STAT", "ASAP", "URGENT", "HIGH", "MEDIUM", "ROUTINE", "LOW", "odd", ""]
RANKS = {"STAT": 0, "ASAP": 1, "URGENT": 1, "HIGH": 1, "LOW": 3}
MINUTES = [60, 240, 1440, 4320]
NAMES = [
    "",
    "Doe^Jane",
    "doe^jane",
    "DOE^JANE",
    "Doe",
    "Müller^Jörg",
    "müller",
    "Ärzte",
    "山田^太郎",
    "𠮷田",
    "豈",
    "_x",
    "Z",
    "a",
]
SETS = {"sqlite": 1000, "postgresql": 200}
ADA = Reader("0" * 32, "ada", "Dr Ada", (Role.RADIOLOGIST,))


def random_studies(chance, now):
    return [
        {
            "id": new_id(),
            "study_instance_uid": derived_uid("study", str(chance.random())),
            "stage": chance.choice(list(Stage)),
            "priority": chance.choice(PRIORITIES),
            "patient_id": "P",
            "patient_name": chance.choice(NAMES),
            "received_at": now - timedelta(minutes=chance.randrange(5), microseconds=chance.randrange(2)),
            "last_image_at": now,
            "quiet_until": now,
            "stage_since": now,
        }
        for _ in range(chance.randrange(14))
    ]


def due(row):
    """Urgency, then the due time, while it is open; after that, the latest received first."""
    rank, received = RANKS.get(row["priority"], 2), row["received_at"]
    if row["stage"] in (Stage.SIGNED, Stage.DELIVERED):
        return (1, 0, -received.timestamp(), "")
    return (0, rank, (received + timedelta(minutes=MINUTES[rank])).timestamp(), row["study_instance_uid"])


def by_due(rows):
    newest = sorted(rows, key=lambda row: row["study_instance_uid"], reverse=True)
    return sorted(newest, key=due)


def by_received(rows):
    return sorted(rows, key=lambda row: (row["received_at"], row["study_instance_uid"]))


def by_patient(rows):
    return sorted(by_received(rows), key=lambda row: row["patient_name"].encode().lower())


def by_state(rows):
    ranked = sorted(by_received(rows), key=lambda row: RANKS.get(row["priority"], 2))
    return sorted(ranked, key=lambda row: list(Stage).index(row["stage"]))


ORDERS = {Sort.DUE: by_due, Sort.RECEIVED: by_received, Sort.PATIENT: by_patient, Sort.STATE: by_state}


def paged(worklist, sort, direction, limit):
    found, cursor = [], None
    while True:
        page, _ = worklist.page(Filter(), sort, direction, cursor, limit)
        found += [item.study_instance_uid for item in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return found


@pytest.mark.parametrize("sort", Sort)
@pytest.mark.parametrize("direction", Direction)
def test_pages_joined_are_what_sorted_would_give(either_house, sort, direction):
    database, now = either_house.database, either_house.clock.now()
    sets = SETS["sqlite" if database.is_sqlite else "postgresql"] // (len(Sort) * len(Direction)) + 1
    chance = random.Random(f"{sort} {direction}")
    with database.writing() as session:  # nothing is committed: each set is rolled back
        for _ in range(sets):
            rows = random_studies(chance, now)
            if rows:
                session.execute(sa.insert(Study), rows)
            expected = [row["study_instance_uid"] for row in ORDERS[sort](rows)]
            if direction is Direction.DESC:
                expected.reverse()
            worklist = Worklist(session, now, ADA, ReadingModes())
            assert paged(worklist, sort, direction, chance.randint(1, 5)) == expected
            session.rollback()


def test_a_study_that_changes_between_two_pages_hides_no_other(house):
    """By state: the last row of a page is taken up by somebody before the next page is asked for."""
    database, now = house.database, house.clock.now()
    with database.writing() as session:
        rows = [{**row, "stage": Stage.READY} for row in random_studies(random.Random(9), now)]
        session.execute(sa.insert(Study), rows)
        worklist = Worklist(session, now, ADA, ReadingModes())
        first, ids = worklist.page(Filter(), Sort.STATE, Direction.ASC, None, 3)
        session.execute(sa.update(Study).where(Study.id == ids[-1]).values(stage=Stage.IN_REVIEW))
        rest, _ = worklist.page(Filter(), Sort.STATE, Direction.ASC, first.next_cursor, 100)
    assert {item.study_instance_uid for item in first.items + rest.items} == {r["study_instance_uid"] for r in rows}


def test_a_cursor_tells_no_name(house):
    database, now = house.database, house.clock.now()
    with database.writing() as session:
        session.execute(sa.insert(Study), random_studies(random.Random(9), now))
        for sort in Sort:
            page, _ = Worklist(session, now, ADA, ReadingModes()).page(Filter(), sort, Direction.ASC, None, 1)
            cursor = base64.urlsafe_b64decode(page.next_cursor).decode()
            assert not any(name in cursor for name in NAMES if len(name) > 2), cursor
