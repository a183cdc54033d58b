"""The change feed: what happened to studies and reports, in the order of the audit chain, resumable by its numbers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import sqlalchemy as sa
from starlette.concurrency import run_in_threadpool

from app.db.session import Database
from app.db.tables import AuditHead, AuditRow, Study
from app.domain.study import Stage
from app.errors import ServiceError
from app.rest.words import Told

POLL_SECONDS = 0.5
OUTAGE_SECONDS = 5.0
BACKLOG = 1000
"""Changes that wait for one slow listener; beyond that its stream ends and it resumes from where it was."""


class ChangeOut(Told):
    """One change. seq grows, with gaps; state, revision: of the study right after it."""

    seq: int
    at: str
    action: str
    study_instance_uid: str
    state: Stage
    revision: int
    report_id: str | None


class ChangesOut(Told):
    """A page of the feed. next: `after` of the following call, also where nothing is new."""

    items: list[ChangeOut]
    next: int


@dataclass(frozen=True, slots=True)
class ChangeFeed:
    """Reads the chain; entries become visible in its order because each is written under the head's lock."""

    database: Database

    def after(self, seq: int, limit: int) -> ChangesOut:
        """The changes behind number `seq`, oldest first, at most `limit`."""
        told = sa.or_(AuditRow.action.startswith("study."), AuditRow.action.startswith("report."))
        query = (
            sa.select(AuditRow, Study)
            .join(Study, Study.id == AuditRow.study_id)
            .where(AuditRow.seq > seq, told)
            .order_by(AuditRow.seq)
            .limit(limit)
        )
        with self.database.reading() as session:
            head = session.scalar(sa.select(AuditHead.seq)) or 0
            items = [_change(row, study) for row, study in session.execute(query.where(AuditRow.seq <= head))]
        full = len(items) == limit
        return ChangesOut(items=items, next=items[-1].seq if full else max(seq, head))

    def latest(self) -> int:
        """The number of the newest entry."""
        with self.database.reading() as session:
            return session.scalar(sa.select(AuditHead.seq)) or 0


def _change(row: AuditRow, study: Study) -> ChangeOut:
    return ChangeOut(
        seq=row.seq,
        at=row.at,
        action=row.action,
        study_instance_uid=study.study_instance_uid,
        state=Stage(row.detail.get("state", study.stage)),
        revision=row.detail.get("revision", study.revision),
        report_id=row.detail.get("report_id"),
    )


@dataclass(slots=True)
class LiveChanges:
    """One poll of the feed for all listeners of this process; none while nobody listens."""

    feed: ChangeFeed
    _listeners: set[asyncio.Queue[ChangeOut | None]] = field(default_factory=set)
    _poll: asyncio.Task[None] | None = None

    async def listen(
        self, after: int | None, still_welcome: Callable[[], bool], check_seconds: float
    ) -> AsyncIterator[ChangeOut]:
        """Changes as they come; first those behind `after`, where given. Ends when no longer welcome.

        No database session is held between two polls.
        """
        queue: asyncio.Queue[ChangeOut | None] = asyncio.Queue(BACKLOG)
        self._listeners.add(queue)
        try:
            await self._ensure_polling()
            last = -1 if after is None else after
            if after is not None:
                async for change in self._missed(after):
                    last = change.seq
                    yield change
            async for change in _drained(queue, still_welcome, check_seconds):
                if change.seq > last:
                    yield change
        finally:
            self._listeners.discard(queue)

    async def _missed(self, after: int) -> AsyncIterator[ChangeOut]:
        while True:
            page = await run_in_threadpool(self.feed.after, after, BACKLOG)
            for change in page.items:
                yield change
            if len(page.items) < BACKLOG:
                return
            after = page.next

    async def _ensure_polling(self) -> None:
        if self._poll is None or self._poll.done():
            seq = await run_in_threadpool(self.feed.latest)
            if self._poll is None or self._poll.done():
                self._poll = asyncio.create_task(self._keep_polling(seq))

    async def _keep_polling(self, seq: int) -> None:
        while self._listeners:
            await asyncio.sleep(POLL_SECONDS)
            try:
                page = await run_in_threadpool(self.feed.after, seq, BACKLOG)
            except ServiceError:  # the listeners wait: nothing is lost, the numbers go on where they were
                await asyncio.sleep(OUTAGE_SECONDS)
                continue
            seq = page.next
            for change in page.items:
                self._tell(change)

    def _tell(self, change: ChangeOut) -> None:
        for queue in tuple(self._listeners):
            try:
                queue.put_nowait(change)
            except asyncio.QueueFull:
                self._end(queue)

    def close(self) -> None:
        """End every stream; clients come back by themselves, to this process or another."""
        for queue in tuple(self._listeners):
            self._end(queue)

    def _end(self, queue: asyncio.Queue[ChangeOut | None]) -> None:
        self._listeners.discard(queue)
        if queue.full():
            queue.get_nowait()
        queue.put_nowait(None)


async def _drained(
    queue: asyncio.Queue[ChangeOut | None], still_welcome: Callable[[], bool], check_seconds: float
) -> AsyncIterator[ChangeOut]:
    loop = asyncio.get_running_loop()
    check_at = loop.time() + check_seconds
    while True:
        try:
            async with asyncio.timeout_at(check_at):
                change = await queue.get()
        except TimeoutError:
            if not await run_in_threadpool(still_welcome):
                return
            check_at = loop.time() + check_seconds
            continue
        if change is None:
            return
        yield change
