"""Jobs: claimed with a fencing token, retried with back-off, dead-lettered in sight.

The broker's message is only a hint that a job may be ready. Whoever claims a job bumps its token's life; a late
attempt finds another token and changes nothing (LAW 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.db.tables import Job, OutboxMessage, Study
from app.domain.identifiers import new_id

DEAD, SUPERSEDED, DROPPED = "dead", "superseded", "dropped"
UNFINISHED = ("queued", "running")
"""No attempt left, and a person must look; given way to another job; given up by a person."""
MAX_ATTEMPTS = 5
UNCLAIMED_AFTER = timedelta(seconds=20)
LEASE = timedelta(seconds=20)
"""A running job whose process says nothing for so long is taken up by another."""
RUN_LIMIT = timedelta(seconds=180)
"""So long a process may renew one attempt."""
BACK_OFF = (2.0, 5.0, 15.0, 30.0)
"""Seconds until the next attempt, by number of failures so far."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A claimed job: what to do, for which study and revision, and the token that proves the claim."""

    job_id: str
    token: str
    task: str
    study_id: str
    revision: int
    target: str
    attempts: int

    @property
    def last(self) -> bool:
        """Whether a failure of this attempt ends in the dead-letter state."""
        return self.attempts >= MAX_ATTEMPTS


def enqueue(session: Session, now: datetime, task: str, study: Study, target: str = "") -> None:
    """A new job for the study's current revision; older unfinished ones of the task and target give way."""
    same = (Job.task == task, Job.study_id == study.id, Job.target == target)
    unfinished = Job.state.in_(UNFINISHED)
    session.execute(sa.update(Job).where(*same, unfinished).values(state=SUPERSEDED, token=new_id()))
    rounds = session.scalar(sa.select(sa.func.count()).where(*same, Job.revision == study.revision)) or 0
    job = Job(
        id=new_id(),
        task=task,
        study_id=study.id,
        revision=study.revision,
        target=target,
        round=rounds,
        token=new_id(),
        deadline=now + UNCLAIMED_AFTER,
        created_at=now,
    )
    session.add(job)
    _publish(session, now, job)


def _publish(session: Session, now: datetime, job: Job) -> None:
    session.add(OutboxMessage(task=job.task, job_id=job.id, token=job.token, created_at=now))


def claim(session: Session, now: datetime, job_id: str, token: str) -> Claim | None:
    """Take the job; None where it is done, taken, or this message is out of date."""
    taken = session.execute(
        sa.update(Job)
        .where(Job.id == job_id, Job.token == token, Job.state == "queued")
        .values(state="running", token=new_id(), attempts=Job.attempts + 1, deadline=now + LEASE)
    )
    if cast("sa.CursorResult[object]", taken).rowcount != 1:
        return None
    job = session.get_one(Job, job_id, populate_existing=True)
    return Claim(job.id, job.token, job.task, job.study_id, job.revision, job.target, job.attempts)


def renew(session: Session, now: datetime, held: Claim) -> None:
    """The attempt is still under way; nothing happens where the claim was lost."""
    mine = (Job.id == held.job_id, Job.token == held.token, Job.state == "running")
    session.execute(sa.update(Job).where(*mine).values(deadline=now + LEASE))


def _held(session: Session, held: Claim) -> Job | None:
    query = sa.select(Job).where(Job.id == held.job_id, Job.token == held.token, Job.state == "running")
    return session.scalars(query.with_for_update()).one_or_none()


def finish(session: Session, held: Claim) -> bool:
    """Mark done within the transaction that writes the result; False where the claim was lost."""
    job = _held(session, held)
    if job is None:
        return False
    job.state = "done"
    return True


def drop(session: Session, held: Claim) -> None:
    """The study went another way: nobody waits for this job any more."""
    job = _held(session, held)
    if job is not None:
        job.state = SUPERSEDED


def postpone(session: Session, held: Claim, until: datetime) -> None:
    """Give a sound job back because others come first; the attempt does not count."""
    job = _held(session, held)
    if job is not None:
        job.state, job.token, job.deadline = "queued", new_id(), until
        job.attempts = held.attempts - 1


def fail(session: Session, now: datetime, held: Claim, error: str, *, retry: bool) -> Job | None:
    """Note a failure and plan the next attempt; returns the job where it is now dead."""
    job = _held(session, held)
    if job is None:
        return None
    job.last_error = error
    if not retry or held.last:
        job.state = DEAD
        return job
    job.state, job.token = "queued", new_id()
    job.deadline = now + timedelta(seconds=BACK_OFF[min(held.attempts, len(BACK_OFF)) - 1])
    return None


def overdue(session: Session, now: datetime, limit: int = 100) -> list[Job]:
    """Queued or running jobs past their deadline, of at most `limit` studies; the reconciler's work list.

    Locked as everywhere, the study before its jobs. What another transaction holds is left for the next round.
    """
    late = (Job.state.in_(UNFINISHED), Job.deadline <= now)
    of_late = sa.select(Job.study_id).where(*late).group_by(Job.study_id).order_by(sa.func.min(Job.deadline))
    lock = sa.select(Study.id).where(Study.id.in_(of_late.limit(limit))).with_for_update(skip_locked=True)
    held = session.scalars(lock).all()
    query = sa.select(Job).where(Job.study_id.in_(held), *late).order_by(Job.deadline)
    return list(session.scalars(query.with_for_update(skip_locked=True)))


def requeue(session: Session, now: datetime, job: Job) -> bool:
    """Publish an overdue job again; False where it has no attempt left and is now dead.

    A job that nobody claimed keeps its token, so that its older messages stay good: in a long queue they come first.
    It is repeated more and more seldom. A job whose process fell silent gets a new token, which fences the old attempt.
    """
    if job.attempts >= MAX_ATTEMPTS:
        job.state = DEAD
        job.last_error = job.last_error or "the process that ran it ended, each time"
        return False
    if job.state == "running":
        job.state, job.token = "queued", new_id()
    job.deadline = now + max(UNCLAIMED_AFTER, now - job.created_at)
    _publish(session, now, job)
    return True


def revive(session: Session, now: datetime, job: Job) -> None:
    """Queue a dead job as if it had never been tried; messages of its old attempts are out of date."""
    job.state, job.token, job.attempts, job.last_error = "queued", new_id(), 0, ""
    job.deadline = now + UNCLAIMED_AFTER
    _publish(session, now, job)
