"""Write a study's draft: choose the film, ask the model, judge its words, store what may be read."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from app.db.jobs import Claim
from app.db.session import Database, finishing, unit_of_work
from app.db.tables import Job
from app.domain.events import DraftGivenUp, DraftWritten, EvidenceWanted
from app.domain.report import ModelText, Sentence
from app.domain.study import Step
from app.drafting import record
from app.drafting.case import read_case
from app.drafting.eligibility import EligibilityRules, NotEligible
from app.drafting.films import Films
from app.drafting.guardrails import review
from app.drafting.places import positive_spans
from app.drafting.plan import Plan, planned
from app.errors import ClaimLost, ModelMisbehaved, ModelUnavailable
from app.ports import Clock, DraftModel, ObjectStore, PixelReader

Told = Callable[[str, Sequence[str]], None]
"""Hears how each attempt ended (written, reused, not_eligible, unavailable) and the codes of the draft's flags."""


@dataclass(frozen=True, slots=True)
class WriteDraft:
    """One attempt at one study; pixels and the model are asked outside any transaction.

    evidence: whether regions are looked for afterwards, by a job of its own (app.drafting.evidence).
    """

    database: Database
    clock: Clock
    store: ObjectStore
    pixels: PixelReader
    model: DraftModel
    rules: EligibilityRules = field(default_factory=EligibilityRules)
    told: Told = lambda _outcome, _codes: None
    evidence: bool = False

    def write(self, claim: Claim) -> None:
        """Ends with a current draft, or with the study not eligible.

        Raises ModelUnavailable and ModelMisbehaved after the study was opened for reading by hand; ClaimLost and
        IllegalTransition where nobody waits for this draft any more; StorageUnavailable.
        """
        with self.database.reading() as session:
            case = read_case(session, claim.study_id)
        try:
            found = planned(case, self.model.identity, Films(self.store, self.pixels, self.rules))
            if isinstance(found, NotEligible):
                self._refuse(claim, found.reason)
            else:
                self._write(claim, found)
        except (ModelUnavailable, ModelMisbehaved) as error:
            self._give_up(claim, error.message)
            raise

    def _write(self, claim: Claim, plan: Plan) -> None:
        """The same inputs replay to the same text: where it was written before, the model is not asked again."""
        with self.database.reading() as session:
            known = record.existing(session, claim.study_id, plan)
        started = time.monotonic()
        said = None if known else self._said(plan)
        model_seconds = round(time.monotonic() - started, 3)
        with finishing(self.database, self.clock, claim) as (uow, study):
            draft = record.existing(uow.session, study.id, plan)
            if draft is None and said is not None:
                draft = record.stored(uow, study, plan, *said)
            if draft is None:
                message = "The draft that was to be used again is gone; it is written anew with the next attempt."
                raise ModelUnavailable(message)
            record.make_current(uow, study, draft)
            uow.move(
                study,
                Step.DRAFT_WRITTEN,
                draft=draft.version,
                model=draft.model,
                weights=draft.weights_digest,
                reused=known is not None,
                model_seconds=model_seconds,
            )
            uow.emit(DraftWritten(study.id))
            if self.evidence and not draft.evidence and positive_spans(draft.text, draft.sentences):
                uow.emit(EvidenceWanted(study.id, draft.id))
            codes = [flag["code"] for sentence in draft.sentences for flag in sentence["flags"]]
        self.told("reused" if known else "written", codes)

    def _said(self, plan: Plan) -> tuple[ModelText, tuple[Sentence, ...]]:
        text = self.model.draft(plan.inputs)
        tokens = [(token.text, token.logprob) for token in text.tokens]
        sentences = review(text.text, tokens, plan.context, text.finish_reason)
        if not sentences:
            empty = not text.text.strip()
            what = "it was empty" if empty else "nothing in it but comparisons with an image that nobody verified"
            message = f"The model's text may not be shown ({what}); this study must be read by hand."
            raise ModelMisbehaved(message)
        return text, sentences

    def _refuse(self, claim: Claim, reason: str) -> None:
        with finishing(self.database, self.clock, claim) as (uow, study):
            record.set_aside(uow, study)
            uow.move(study, Step.FOUND_NOT_ELIGIBLE, reason=reason)
            uow.emit(DraftGivenUp(study.id))
        self.told("not_eligible", ())

    def _give_up(self, claim: Claim, reason: str) -> None:
        """Open the study for reading by hand now; the job goes on trying."""
        with unit_of_work(self.database, self.clock) as uow:
            study = uow.study(claim.study_id)
            job = uow.session.get(Job, claim.job_id)
            if job is None or job.token != claim.token or study.revision != claim.revision:
                message = "A newer attempt or a newer image set took over; this failure is of no account."
                raise ClaimLost(message)
            uow.move(study, Step.DRAFT_GIVEN_UP, reason=reason)
            uow.emit(DraftGivenUp(study.id))
        self.told("unavailable", ())
