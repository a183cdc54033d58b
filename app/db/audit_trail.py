"""Writing and checking the audit chain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.db.tables import AuditHead, AuditRow
from app.domain.audit import GENESIS, AuditFacts, chain_hash

PAGE = 1000
# tables, not mapped classes: every transaction ends here, and the unit of work would cost more than the rest
_ROWS, _HEAD = cast("sa.Table", AuditRow.__table__), cast("sa.Table", AuditHead.__table__)
_LAST = sa.select(_HEAD.c.seq, _HEAD.c.hash).where(_HEAD.c.id == 1).with_for_update()
_ADD, _MOVE_HEAD = sa.insert(_ROWS), sa.update(_HEAD).where(_HEAD.c.id == 1)


@dataclass(frozen=True, slots=True)
class Entry:
    """One action to be written; detail: JSON values, no free patient text."""

    actor: str
    action: str
    study_id: str
    detail: Mapping[str, object]


def append(connection: sa.Connection, now: datetime, entries: Sequence[Entry]) -> None:
    """Add the entries to the chain under the head's row lock."""
    if not entries:
        return
    seq, last = connection.execute(_LAST).one()
    at = now.isoformat(timespec="microseconds")
    rows = []
    for entry in entries:
        rows.append(_link(seq, last, at, entry))
        seq, last = rows[-1]["seq"], rows[-1]["hash"]
    connection.execute(_ADD, rows)
    connection.execute(_MOVE_HEAD, {"seq": seq, "hash": last})


def _link(seq: int, last: str, at: str, entry: Entry) -> dict[str, Any]:
    facts = AuditFacts(seq + 1, at, entry.actor, entry.action, entry.study_id, entry.detail)
    return {
        "seq": facts.seq,
        "at": at,
        "actor": entry.actor,
        "action": entry.action,
        "study_id": entry.study_id,
        "detail": dict(entry.detail),
        "previous_hash": last,
        "hash": chain_hash(last, facts),
    }


@dataclass(frozen=True, slots=True)
class ChainReport:
    """ok; entries checked; problem in words where the chain is broken."""

    ok: bool
    entries: int
    problem: str = ""


def verify(session: Session) -> ChainReport:
    """Walk the whole chain: every hash, every number, and the head."""
    previous, count = GENESIS, 0
    for row in _rows(session):
        count += 1
        facts = AuditFacts(row.seq, row.at, row.actor, row.action, row.study_id, row.detail)
        if row.seq != count:
            problem = f"entry {count} is missing; found {row.seq} in its place"
            return ChainReport(ok=False, entries=count, problem=problem)
        if row.previous_hash != previous or row.hash != chain_hash(previous, facts):
            return ChainReport(ok=False, entries=count, problem=f"entry {row.seq} was altered")
        previous = row.hash
    return _compare_head(session, previous, count)


def _rows(session: Session) -> Iterator[AuditRow]:
    last = 0
    while page := session.scalars(
        sa.select(AuditRow).where(AuditRow.seq > last).order_by(AuditRow.seq).limit(PAGE)
    ).all():
        yield from page
        last = page[-1].seq
        session.expunge_all()  # a long chain must not pile up in memory


def _compare_head(session: Session, last: str, count: int) -> ChainReport:
    head = session.get(AuditHead, 1)
    expected = (head.seq, head.hash) if head else (0, GENESIS)
    if expected != (count, last):
        problem = f"the head says {expected[0]} entries, the chain has {count}"
        return ChainReport(ok=False, entries=count, problem=problem)
    return ChainReport(ok=True, entries=count)
