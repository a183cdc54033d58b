"""Queues, dead letters, model versions and earlier echoes, read from the record."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.administration.schemas import (
    DeadLetterOut,
    DeadLettersOut,
    EchoOut,
    ModelVersionOut,
    ModelVersionsOut,
    QueueOut,
    QueuesOut,
)
from app.db.jobs import DEAD, UNFINISHED
from app.db.tables import AuditRow, Draft, Job, OutboxMessage, Study
from app.errors import NotFound

WAITING = (*UNFINISHED, DEAD)
ECHOED, ECHO_FAILED = "peer.echoed", "peer.echo_failed"


def queues(session: Session, now: datetime) -> QueuesOut:
    """Every task and state of which there is a job."""
    counted = sa.select(Job.task, Job.state, sa.func.count(), sa.func.min(Job.created_at))
    rows = session.execute(counted.group_by(Job.task, Job.state).order_by(Job.task, Job.state))
    messages = sa.select(sa.func.count(), sa.func.min(OutboxMessage.created_at)).select_from(OutboxMessage)
    waiting, since = session.execute(messages).one()
    return QueuesOut(
        items=[
            QueueOut(task=task, state=state, jobs=jobs, oldest_seconds=_age(now, oldest) if state in WAITING else None)
            for task, state, jobs, oldest in rows
        ],
        waiting_messages=waiting,
        oldest_message_seconds=_age(now, since),
    )


def _age(now: datetime, since: datetime | None) -> float | None:
    return (now - since).total_seconds() if since else None


def dead_letters(session: Session, after: str | None, limit: int) -> DeadLettersOut:
    """At most `limit`, behind the job `after`. Raises NotFound for an `after` that is no job."""
    query = sa.select(Job, Study).join(Study, Study.id == Job.study_id).where(Job.state == DEAD)
    if after is not None:
        last = session.get(Job, after)
        if last is None:
            message = "No job has the id in `after`; start again without it."
            raise NotFound(message)
        place = sa.tuple_(sa.literal(last.created_at, Job.created_at.type), sa.literal(last.id))
        query = query.where(sa.tuple_(Job.created_at, Job.id) > place)
    rows = session.execute(query.order_by(Job.created_at, Job.id).limit(limit + 1)).all()
    items = [letter(job, study) for job, study in rows[:limit]]
    return DeadLettersOut(items=items, next=items[-1].id if len(rows) > limit else None)


def letter(job: Job, study: Study) -> DeadLetterOut:
    """One of them."""
    return DeadLetterOut(
        id=job.id,
        task=job.task,
        state=job.state,
        study_instance_uid=study.study_instance_uid,
        study_state=study.stage,
        study_reason=study.reason or None,
        revision=job.revision,
        attempts=job.attempts,
        last_error=job.last_error,
        created_at=job.created_at,
    )


def model_versions(session: Session) -> ModelVersionsOut:
    """By model, weights and prompt."""
    version = (Draft.model, Draft.weights_digest, Draft.prompt_version)
    first, last = sa.func.min(Draft.created_at), sa.func.max(Draft.created_at)
    fresh = sa.func.sum(sa.case((Draft.stale, 0), else_=1))
    query = sa.select(*version, sa.func.count(), fresh, first, last)
    return ModelVersionsOut(
        items=[
            ModelVersionOut(
                model=model,
                weights_digest=digest,
                prompt_version=prompt,
                drafts=drafts,
                current=current,
                first_draft_at=since,
                last_draft_at=until,
            )
            for model, digest, prompt, drafts, current, since, until in session.execute(
                query.group_by(*version).order_by(last.desc(), *version)
            )
        ]
    )


def last_echo(session: Session, peer: str) -> EchoOut | None:
    """As the audit chain has it: whichever process asked."""
    query = (
        sa.select(AuditRow)
        .where(AuditRow.action.in_((ECHOED, ECHO_FAILED)), AuditRow.detail["peer"].as_string() == peer)
        .order_by(AuditRow.seq.desc())
        .limit(1)
    )
    row = session.scalars(query).one_or_none()
    if row is None:
        return None
    return EchoOut(
        outcome="answered" if row.action == ECHOED else "failed",
        seconds=row.detail["seconds"],
        error=row.detail.get("error"),
        at=datetime.fromisoformat(row.at),
    )
