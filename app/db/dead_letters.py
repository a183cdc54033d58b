"""A job without an attempt left: its study says so in sight of every client, until a person takes it up or drops it."""

from __future__ import annotations

import sqlalchemy as sa

from app.db import jobs
from app.db.session import UnitOfWork
from app.db.tables import Delivery, Job, Study
from app.domain.events import RedraftRequested
from app.domain.study import TRANSITIONS, Stage, Step
from app.errors import Conflict, NotFound

ROAD = ("priors.gather", "drafting.write")
"""Without these a study gets no draft: it fails with them."""
DELIVERY = "delivery.send"
"""Its study stays signed, and says that it was not delivered."""
EVIDENCE, PRIOR_FETCH = "evidence.point", "priors.fetch"
"""Beside the road: no stage of a study waits for them."""


class NobodyWaits(Conflict):
    """The study went on without this job."""

    title = "Nothing waits for this job"


def bury(uow: UnitOfWork, job: Job) -> None:
    """Audit the death and move the study, where its stage was waiting for this job."""
    study = uow.study(job.study_id)
    reason = f"{job.task} failed {job.attempts} times: {job.last_error}"
    uow.audit("job.dead", study.id, task=job.task, attempts=job.attempts, error=job.last_error)
    waits = job.task not in (EVIDENCE, PRIOR_FETCH) and (study.stage, Step.DEAD_LETTERED) in TRANSITIONS
    if waits and study.revision == job.revision:
        uow.move(study, Step.DEAD_LETTERED, reason=reason)


def take_up(uow: UnitOfWork, job_id: str, why: str) -> Job:
    """Try a dead job anew; one that is dead no longer is left as it is, so a repeat changes nothing.

    A study that failed takes its road again from the prior search, under a new job: the dead ones of that road have
    given way. Any other job is queued again itself; a delivery with its own documents. Returns the job's row.
    Raises NotFound, NobodyWaits.
    """
    study, job = _locked(uow, job_id)
    if job.state != jobs.DEAD:
        return job
    if job.task in ROAD:
        _send_back(uow, study)
    else:
        jobs.revive(uow.session, uow.now, job)
    if job.task == DELIVERY:
        _reopen_deliveries(uow, study, job)
    uow.audit("job.retried", study.id, job_id=job.id, task=job.task, reason=why)
    uow.session.flush()
    uow.session.refresh(job)
    return job


def _send_back(uow: UnitOfWork, study: Study) -> None:
    if study.stage is not Stage.FAILED:
        message = f"The study is {study.stage}: it went on without this job. Drop it."
        raise NobodyWaits(message)
    dead = (Job.study_id == study.id, Job.state == jobs.DEAD, Job.task.in_(ROAD))
    uow.session.execute(sa.update(Job).where(*dead).values(state=jobs.SUPERSEDED))
    uow.move(study, Step.REDRAFT_ASKED)
    uow.emit(RedraftRequested(study.id))


def _reopen_deliveries(uow: UnitOfWork, study: Study, job: Job) -> None:
    dead = (Delivery.target == job.target, Delivery.status == "dead")
    uow.session.execute(sa.update(Delivery).where(*dead).values(status="pending", last_error=""))
    study.reason = ""


def drop(uow: UnitOfWork, job_id: str, why: str) -> Job:
    """Give a dead job up; its study and its documents stay as they are. A repeat changes nothing. Raises NotFound."""
    study, job = _locked(uow, job_id)
    if job.state == jobs.DEAD:
        job.state = jobs.DROPPED
        uow.audit("job.dropped", study.id, job_id=job.id, task=job.task, reason=why)
    return job


def _locked(uow: UnitOfWork, job_id: str) -> tuple[Study, Job]:
    """Locked as everywhere, the study before its jobs."""
    study_id = uow.session.scalar(sa.select(Job.study_id).where(Job.id == job_id))
    if study_id is None:
        message = "No job has this id."
        raise NotFound(message)
    study = uow.study(study_id)
    return study, uow.session.get_one(Job, job_id, with_for_update=True, populate_existing=True)
