"""After the draft: where on the current film its positive sentences hang, by the model that wrote them.

Evidence only. Nobody waits for it: drafts go before it, and whatever fails here leaves draft and study as they are.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import sqlalchemy as sa

from app.db import jobs
from app.db.jobs import Claim
from app.db.report_tables import SentenceRegion
from app.db.session import Database, finishing, unit_of_work
from app.db.tables import Draft, Job, Study
from app.domain.report import Region
from app.drafting.case import DraftCase, case_of
from app.drafting.eligibility import EligibilityRules, NotEligible
from app.drafting.films import Films
from app.drafting.places import on_display, positive_spans
from app.drafting.plan import Plan, planned
from app.errors import ClaimLost
from app.ports import Clock, DraftModel, ObjectStore, PixelReader

METHOD = "occlusion-1"
"""model/evidence.py: a window of a quarter of the film's edge, moved in halves of itself, 8 x 8 cells."""
LATER = timedelta(seconds=2)
LOOK_SECONDS = 0.25
DRAFTING = "drafting.write"


@dataclass(frozen=True, slots=True)
class PointAtEvidence:
    """One attempt at one draft; one at a time in a process, and none while a draft waits to be written."""

    database: Database
    clock: Clock
    store: ObjectStore
    pixels: PixelReader
    model: DraftModel
    rules: EligibilityRules = field(default_factory=EligibilityRules)
    _one: threading.Lock = field(default_factory=threading.Lock)

    def point(self, claim: Claim) -> None:
        """Ends with the draft's regions stored, none among them, or with the job given back because a draft waits.

        Raises ClaimLost where the draft can no longer be replayed; ModelUnavailable, ModelMisbehaved,
        PixelsUnreadable, StorageUnavailable.
        """
        while not self._one.acquire(timeout=LOOK_SECONDS):
            if self._draft_waits():
                return self._postpone(claim)
        try:
            return self._postpone(claim) if self._draft_waits() else self._point(claim)
        finally:
            self._one.release()

    def _draft_waits(self) -> bool:
        waiting = sa.select(Job.id).where(Job.task == DRAFTING, Job.state.in_(("queued", "running"))).limit(1)
        with self.database.reading() as session:
            return session.scalar(waiting) is not None

    def _postpone(self, claim: Claim) -> None:
        with unit_of_work(self.database, self.clock) as uow:
            uow.study(claim.study_id)
            jobs.postpone(uow.session, claim, uow.now + LATER)

    def _point(self, claim: Claim) -> None:
        draft, case = self._read(claim)
        started = time.monotonic()
        regions = {} if draft.evidence else self._regions(draft, case)
        model_seconds = round(time.monotonic() - started, 3)
        with finishing(self.database, self.clock, claim) as (uow, study):
            row = uow.session.get_one(Draft, draft.id, with_for_update=True, populate_existing=True)
            if row.evidence:
                return
            row.evidence = METHOD
            uow.session.add_all(regions.values())
            facts = {"state": str(study.stage), "revision": study.revision, "draft": row.version}
            uow.audit(
                "study.regions_added", study.id, **facts, regions=len(regions), method=METHOD, seconds=model_seconds
            )

    def _read(self, claim: Claim) -> tuple[Draft, DraftCase]:
        with self.database.reading() as session:
            draft, study = session.get(Draft, claim.target), session.get(Study, claim.study_id)
            if draft is None or study is None or study.revision != claim.revision:
                message = "The study has another image set now; regions are for the draft of the present one."
                raise ClaimLost(message)
            return draft, case_of(session, study)

    def _regions(self, draft: Draft, case: DraftCase) -> Mapping[int, SentenceRegion]:
        """By index of the sentence, for those with a region."""
        plan = planned(case, self.model.identity, Films(self.store, self.pixels, self.rules))
        if isinstance(plan, NotEligible) or plan.input_hash != draft.input_hash:
            message = "Another model, or other images, than those of the draft are at hand; it cannot be asked again."
            raise ClaimLost(message)
        spans = positive_spans(draft.text, draft.sentences)
        found = self.model.regions(plan.inputs, draft.text, list(spans.values()))
        placed = {
            index: on_display(region, plan.film.image) for index, region in zip(spans, found, strict=True) if region
        }
        return {index: _row(draft, index, plan, region) for index, region in placed.items() if region}


def _row(draft: Draft, index: int, plan: Plan, region: Region) -> SentenceRegion:
    return SentenceRegion(
        draft_id=draft.id,
        sentence_index=index,
        sop_instance_uid=plan.film.facts.sop_instance_uid,
        left_edge=region.left,
        top_edge=region.top,
        right_edge=region.right,
        bottom_edge=region.bottom,
        nats=region.nats,
    )
