"""Work that shares a transaction: durable together, failing alone, one audit chain."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from app.db import audit_trail
from app.db.group_commit import GroupCommit
from app.db.tables import AuditRow
from app.errors import NotFound
from app.gateways.clock import SystemClock

CROWD = 5


@pytest.fixture
def commits(database):
    return GroupCommit(database, SystemClock())


def counted(database):
    """Transactions with an effect that end by a commit, one entry each."""
    ended = []
    sa.event.listen(database.engine, "commit", lambda _connection: ended.append(1))
    return ended


def noting(action):
    return lambda uow: uow.audit(action) or action


def at_once(commits, works):
    """Outcomes of works of which all but the first come while the first is under way."""
    under_way, go_on = threading.Event(), threading.Event()

    def first(uow):
        under_way.set()
        go_on.wait(10)
        return works[0](uow)

    with ThreadPoolExecutor(len(works)) as pool:
        running = [pool.submit(commits.run, "actor-0", first)]
        under_way.wait(10)
        running += [pool.submit(commits.run, f"actor-{n}", work) for n, work in enumerate(works[1:], 1)]
        time.sleep(0.3)  # they queue; where they do not come in time the group is smaller, and the test still holds
        go_on.set()
        return [future.exception(30) or future.result() for future in running]


def entries(database):
    with database.reading() as session:
        assert audit_trail.verify(session).ok
        return [(row.actor, row.action) for row in session.scalars(sa.select(AuditRow).order_by(AuditRow.seq))]


def test_all_that_wait_are_committed(database, commits):
    outcomes = at_once(commits, [noting(f"did-{number}") for number in range(CROWD)])
    assert outcomes == [f"did-{number}" for number in range(CROWD)]
    assert sorted(entries(database)) == [(f"actor-{number}", f"did-{number}") for number in range(CROWD)]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # PostgreSQL's writers do not wait for each other
def test_those_that_wait_share_one_commit(database, commits):
    ended = counted(database)
    at_once(commits, [noting("did")] * CROWD)
    assert len(ended) == 2


@pytest.mark.parametrize("error", [NotFound("no such study"), ZeroDivisionError("a fault of ours")])
def test_who_fails_in_a_group_fails_alone(database, commits, error):
    def fails(uow):
        uow.audit("never-written")
        raise error

    outcomes = at_once(commits, [noting("a"), noting("b"), fails, noting("c")])
    assert outcomes == ["a", "b", error, "c"]
    assert sorted(action for _, action in entries(database)) == ["a", "b", "c"]


def test_alone_it_is_a_transaction_as_any_other(database, commits):
    assert commits.run("somebody", noting("did")) == "did"
    assert entries(database) == [("somebody", "did")]
