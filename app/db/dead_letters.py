"""A job without an attempt left: its study says so, in sight of every client."""

from __future__ import annotations

from app.db.session import UnitOfWork
from app.db.tables import Job
from app.domain.study import TRANSITIONS, Step


def bury(uow: UnitOfWork, job: Job) -> None:
    """Audit the death and move the study, where its stage was waiting for this job."""
    study = uow.study(job.study_id)
    reason = f"{job.task} failed {job.attempts} times: {job.last_error}"
    uow.audit("job.dead", study.id, task=job.task, attempts=job.attempts, error=job.last_error)
    if (study.stage, Step.DEAD_LETTERED) in TRANSITIONS and study.revision == job.revision:
        uow.move(study, Step.DEAD_LETTERED, reason=reason)
