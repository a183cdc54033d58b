"""Work of several threads in one transaction, where SQLite's one writer would make them take turns anyway.

A commit waits for the disk. Whoever gets the turn takes along all that wait for theirs by then, so that under load one
wait serves several; alone, nobody waits for company. PostgreSQL needs none of it: its writers do not queue.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

from app.db.session import Database, UnitOfWork, unit_of_work
from app.ports import Clock

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Member:
    """actor: of its audit entries; outcome: what `run` returns or raises."""

    actor: str
    work: Callable[[UnitOfWork], Any]
    outcome: Future[Any] = field(default_factory=Future)


class GroupCommit:
    """For work that may be done twice: it has no effect but on the database, and that one is undone."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self._turn, self._joining = threading.Lock(), threading.Lock()
        self._waiting: list[_Member] = []

    def run(self, actor: str, work: Callable[[UnitOfWork], T]) -> T:
        """What `work` returns, once it is durable; called from many threads.

        Raises Conflict, DatabaseUnavailable and whatever `work` raises, for its own caller alone.
        """
        if not self._database.is_sqlite:
            return self._alone(actor, work)
        member = _Member(actor, work)
        with self._joining:
            self._waiting.append(member)
        with self._turn:
            if not member.outcome.done():
                self._settle(self._everybody())
        return cast("T", member.outcome.result())

    def _everybody(self) -> list[_Member]:
        with self._joining:
            members, self._waiting = self._waiting, []
        return members

    def _settle(self, members: Sequence[_Member]) -> None:
        """All in one transaction; where that fails, each in its own, so that each meets its own error."""
        if len(members) > 1:
            with contextlib.suppress(Exception):
                for member, result in zip(members, self._together(members), strict=True):
                    member.outcome.set_result(result)
                return
        for member in members:
            try:
                member.outcome.set_result(self._alone(member.actor, member.work))
            except Exception as error:  # noqa: BLE001 - raised again where it belongs, in the member's own thread
                member.outcome.set_exception(error)

    def _together(self, members: Sequence[_Member]) -> list[Any]:
        with unit_of_work(self._database, self._clock) as uow:
            return [self._one_of(uow, member) for member in members]

    @staticmethod
    def _one_of(uow: UnitOfWork, member: _Member) -> Any:
        result = member.work(uow.acting_as(member.actor))
        uow.session.flush()  # the next one reads with statements that would not see what is only in the session
        return result

    def _alone(self, actor: str, work: Callable[[UnitOfWork], T]) -> T:
        with unit_of_work(self._database, self._clock, actor) as uow:
            return work(uow)
