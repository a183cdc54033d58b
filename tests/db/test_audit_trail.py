"""The audit chain: any edit, deletion or reorder is found, and concurrent writers keep it whole."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from app.db import audit_trail
from app.db.session import unit_of_work
from app.db.tables import AuditRow
from app.gateways.clock import SystemClock

ENTRIES = 40


@pytest.fixture
def chain(database):
    for number in range(ENTRIES):
        with unit_of_work(database, SystemClock(), "user:tester") as uow:
            uow.audit("study.read", f"s{number}", number=number)
    return database


def verify(database):
    with database.reading() as session:
        return audit_trail.verify(session)


def tamper(database, *statements):
    with database.engine.begin() as connection:
        for statement in statements:
            connection.execute(statement)


def test_an_untouched_chain_holds(chain):
    assert verify(chain) == audit_trail.ChainReport(ok=True, entries=ENTRIES)


@pytest.mark.parametrize(
    "change",
    [{"actor": "user:other"}, {"action": "x"}, {"study_id": "x"}, {"at": "x"}, {"detail": {}}, {"hash": "0" * 64}],
)
def test_an_edit_is_found(chain, change):
    tamper(chain, sa.update(AuditRow).where(AuditRow.seq == 17).values(**change))
    report = verify(chain)
    assert (report.ok, report.problem) == (False, "entry 17 was altered")


@pytest.mark.parametrize(("seq", "problem"), [(1, "entry 1 is missing"), (20, "entry 20 is missing"), (40, "the head")])
def test_a_deletion_is_found_even_of_the_last(chain, seq, problem):
    tamper(chain, sa.delete(AuditRow).where(AuditRow.seq == seq))
    report = verify(chain)
    assert not report.ok
    assert report.problem.startswith(problem)


def test_a_reorder_is_found(chain):
    moves = [(10, 9999), (11, 10), (9999, 11)]
    tamper(chain, *[sa.update(AuditRow).where(AuditRow.seq == a).values(seq=b) for a, b in moves])
    assert not verify(chain).ok


def test_concurrent_writers_keep_one_chain(database):
    def write(number):
        with unit_of_work(database, SystemClock()) as uow:
            uow.audit("x", "s", number=number)
            uow.audit("y", "s", number=number)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(30)))
    assert verify(database) == audit_trail.ChainReport(ok=True, entries=60)


def test_a_rolled_back_transaction_leaves_no_entry(database):
    with pytest.raises(RuntimeError), unit_of_work(database, SystemClock()) as uow:
        uow.audit("x")
        raise RuntimeError
    assert verify(database).entries == 0
