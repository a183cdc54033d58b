"""The prior ledger of a study's present image set: each entry, whether its images are here, and they themselves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.db.dead_letters import PRIOR_FETCH
from app.db.jobs import DEAD, UNFINISHED
from app.db.tables import Draft, Job, PriorEntry, PriorImageRow, Study
from app.domain.priors import PriorDecision, PriorOutcome, Standing
from app.domain.study import Stage
from app.review.schemas import ImageOut, LedgerEntryOut, PriorFetch, PriorsOut

SEARCHING = (Stage.RECEIVING, Stage.GATHERING_PRIORS)
"""Stages in which the prior search of the present image set has not ended."""
SHOWABLE = sa.or_(PriorEntry.decision == PriorDecision.CHOSEN, PriorEntry.fetched_at.is_not(None))
"""Entries whose images were verified; of no other is any image shown."""


def display_url(sop_instance_uid: str) -> str:
    """Path of an image's display frame."""
    return f"/api/v1/instances/{sop_instance_uid}/display"


def ledger(session: Session, study: Study) -> Sequence[PriorEntry]:
    """The entries, in the order of the search; none before it has ended."""
    if _outcome(study) is None:
        return ()
    mine = (PriorEntry.study_id == study.id, PriorEntry.revision == study.revision)
    return session.scalars(sa.select(PriorEntry).where(*mine).order_by(PriorEntry.rank)).all()


def _outcome(study: Study) -> PriorOutcome | None:
    if study.stage in SEARCHING or study.prior_outcome is None:
        return None
    return PriorOutcome(study.prior_outcome)


def priors_out(session: Session, study: Study) -> PriorsOut:
    """The search and its ledger."""
    outcome = _outcome(study)
    return PriorsOut(
        outcome=outcome,
        reason=(study.prior_reason or None) if outcome else None,
        entries=entries_out(session, study, ledger(session, study)),
    )


def entries_out(session: Session, study: Study, entries: Sequence[PriorEntry]) -> list[LedgerEntryOut]:
    """Entries of the study's ledger as clients read them."""
    jobs, images = fetch_jobs(session, study), _images(session, entries)
    draft = session.get(Draft, study.current_draft_id) if study.current_draft_id else None
    return [
        LedgerEntryOut(
            study_instance_uid=entry.study_instance_uid,
            study_date=entry.study_date or None,
            description=entry.description or None,
            source=entry.source or None,
            decision=PriorDecision(entry.decision),
            reason=entry.reason or None,
            of_draft=draft is not None and draft.prior_study_instance_uid == entry.study_instance_uid,
            fetch=_fetch(entry, jobs.get(entry.id)),
            fetch_reason=_fetch_reason(entry, jobs.get(entry.id)),
            images=images[entry.id],
        )
        for entry in entries
    ]


def chosen_images(priors: PriorsOut) -> list[ImageOut]:
    """Images of the prior that the search chose."""
    chosen = (entry for entry in priors.entries if entry.decision is PriorDecision.CHOSEN)
    return [image for entry in chosen for image in entry.images]


def fetch_jobs(session: Session, study: Study) -> Mapping[str, Job]:
    """By id of the entry, the latest job that fetches, or fetched, what a reader asked for."""
    query = sa.select(Job).where(Job.task == PRIOR_FETCH, Job.study_id == study.id, Job.revision == study.revision)
    return {job.target: job for job in session.scalars(query.order_by(Job.round))}


def _images(session: Session, entries: Sequence[PriorEntry]) -> Mapping[str, list[ImageOut]]:
    query = (
        sa.select(PriorEntry, PriorImageRow)
        .join(PriorImageRow, PriorImageRow.entry_id == PriorEntry.id)
        .where(PriorEntry.id.in_([entry.id for entry in entries]), SHOWABLE)
        .order_by(PriorImageRow.id)
    )
    found: defaultdict[str, list[ImageOut]] = defaultdict(list)
    for entry, image in session.execute(query):
        told = ImageOut(
            study_instance_uid=entry.study_instance_uid,
            series_instance_uid=image.series_instance_uid,
            sop_instance_uid=image.sop_instance_uid,
            view=image.view_position or None,
            study_date=entry.study_date or None,
            role="prior",
            display_url=display_url(image.sop_instance_uid),
        )
        found[entry.id].append(told)
    return found


def _fetch(entry: PriorEntry, job: Job | None) -> PriorFetch:
    if entry.decision == PriorDecision.CHOSEN or entry.fetched_at is not None:
        return PriorFetch.FETCHED
    if entry.standing != Standing.USABLE:
        return PriorFetch.IDENTITY_UNCERTAIN if entry.standing == Standing.IDENTITY else PriorFetch.UNFIT
    if job is not None and job.state in UNFINISHED:
        return PriorFetch.FETCHING
    return PriorFetch.FAILED if _failure(entry, job) else PriorFetch.NOT_FETCHED


def _fetch_reason(entry: PriorEntry, job: Job | None) -> str | None:
    reasons = {
        PriorFetch.FETCHING: job.last_error if job else "",
        PriorFetch.FAILED: _failure(entry, job),
        PriorFetch.IDENTITY_UNCERTAIN: entry.fetch_failure or entry.reason,
        PriorFetch.UNFIT: entry.fetch_failure or entry.reason,
    }
    return reasons.get(_fetch(entry, job)) or None


def _failure(entry: PriorEntry, job: Job | None) -> str:
    """A job without an attempt left says more than what came before it."""
    return job.last_error if job is not None and job.state == DEAD else entry.fetch_failure
