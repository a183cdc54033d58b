"""The prior search of one study: ask every source, judge, fetch, verify, and write down all of it (LAW 4)."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from app.db.jobs import Claim
from app.db.session import Database, UnitOfWork, finishing
from app.db.tables import PriorEntry, PriorImageRow, Study
from app.domain.events import PriorsGathered
from app.domain.identifiers import new_id
from app.domain.priors import LedgerEntry, PriorDecision, PriorImage, PriorLedger, Standing
from app.domain.study import Step
from app.errors import ArchiveUnavailable, ClaimLost
from app.ports import Archive, Clock, ObjectStore, PixelReader
from app.priors.own_studies import current_study
from app.priors.rules import CurrentStudy, PriorRules
from app.priors.search import Search
from app.priors.verification import Verification

BUDGET_SECONDS = 50.0
"""After so long no further archive is called: with the longest call the job must still end within its run limit."""
NOT_LISTED = "no archive lists this study for this patient any more"


@dataclass(frozen=True, slots=True)
class PriorSearch:
    """Use cases of the tasks "priors.gather" and "priors.fetch"."""

    database: Database
    clock: Clock
    archives: Sequence[Archive]
    store: ObjectStore
    pixels: PixelReader
    rules: PriorRules = field(default_factory=PriorRules)

    def gather(self, claim: Claim) -> None:
        """Find, fetch and verify the prior of one study, and record the ledger.

        Raises ArchiveUnavailable while a further attempt may bring what failed; the last attempt records `unavailable`.
        """
        with self.database.reading() as session:
            current = current_study(session, claim.study_id)
        ledger = self._search(current, last=claim.last).run()
        with finishing(self.database, self.clock, claim) as (uow, study):
            _record(uow, study, ledger)

    def fetch(self, claim: Claim) -> None:
        """Fetch and verify the images of one ledger entry that a reader asked for; nothing is drafted from them.

        Raises ArchiveUnavailable while a further attempt may bring them; the last attempt records why it came to
        nothing. Raises ClaimLost where the entry gave way to those of another search.
        """
        with self.database.reading() as session:
            wanted = _entry(session.get(PriorEntry, claim.target)).study_instance_uid
            current = current_study(session, claim.study_id)
        try:
            found = self._search(current, last=False).look_at(wanted)
            failure = NOT_LISTED
        except ArchiveUnavailable as error:
            if not claim.last:
                raise
            found, failure = None, error.message
        with finishing(self.database, self.clock, claim) as (uow, study):
            entry = _entry(uow.session.get(PriorEntry, claim.target, with_for_update=True))
            if found is not None:
                entry.standing, failure = found.standing, found.reason
            if found is not None and found.decision is PriorDecision.CHOSEN and found.standing is Standing.USABLE:
                entry.fetched_at, failure = uow.now, ""
                uow.session.add_all(_images(entry, found.images))
            entry.fetch_failure = failure
            _tell(uow, study, entry)

    def _search(self, current: CurrentStudy, *, last: bool) -> Search:
        return Search(
            current=current,
            rules=self.rules,
            database=self.database,
            archives=self.archives,
            verification=Verification(self.store, self.pixels),
            last=last,
            ends=time.monotonic() + BUDGET_SECONDS,
        )


def _entry(row: PriorEntry | None) -> PriorEntry:
    if row is None:
        message = "Another search has written the ledger anew; what was asked for can be asked for again."
        raise ClaimLost(message)
    return row


def _tell(uow: UnitOfWork, study: Study, entry: PriorEntry) -> None:
    """An audit entry that is also a line of the change feed: the page shows the images, or says why not."""
    facts = {"state": str(study.stage), "revision": study.revision, "study_instance_uid": entry.study_instance_uid}
    if entry.fetched_at is None:
        uow.audit("study.prior_not_fetched", study.id, **facts, reason=entry.fetch_failure, standing=entry.standing)
    else:
        uow.audit("study.prior_fetched", study.id, **facts)


def _record(uow: UnitOfWork, study: Study, ledger: PriorLedger) -> None:
    _forget(uow, study)
    for rank, entry in enumerate(ledger.entries):
        _write(uow, study, rank, entry)
    study.prior_outcome, study.prior_reason = ledger.outcome, ledger.reason
    uow.move(study, Step.PRIORS_GATHERED, outcome=str(ledger.outcome), considered=len(ledger.entries))
    if ledger.chosen is not None:
        chosen = ledger.chosen.candidate
        uow.audit("prior.chosen", study.id, study_instance_uid=chosen.study_instance_uid, source=chosen.source)
    uow.emit(PriorsGathered(study.id))


def _forget(uow: UnitOfWork, study: Study) -> None:
    """A redraft searches again for the same revision; its ledger takes the place of the former."""
    former = sa.select(PriorEntry.id).where(PriorEntry.study_id == study.id, PriorEntry.revision == study.revision)
    ids = list(uow.session.scalars(former))
    uow.session.execute(sa.delete(PriorImageRow).where(PriorImageRow.entry_id.in_(ids)))
    uow.session.execute(sa.delete(PriorEntry).where(PriorEntry.id.in_(ids)))


def _write(uow: UnitOfWork, study: Study, rank: int, entry: LedgerEntry) -> None:
    candidate = entry.candidate
    row = PriorEntry(
        id=new_id(),
        study_id=study.id,
        revision=study.revision,
        rank=rank,
        study_instance_uid=candidate.study_instance_uid,
        study_date=candidate.study_date,
        description=candidate.description,
        source=candidate.source,
        decision=entry.decision,
        reason=entry.reason,
        report_text=entry.report_text,
        report_source=entry.report_source,
        standing=entry.standing,
    )
    uow.session.add(row)
    uow.session.flush()
    uow.session.add_all(_images(row, entry.images))


def _images(row: PriorEntry, images: Iterable[PriorImage]) -> list[PriorImageRow]:
    return [
        PriorImageRow(
            entry_id=row.id,
            series_instance_uid=image.series_instance_uid,
            sop_instance_uid=image.sop_instance_uid,
            view_position=image.view,
            object_key=image.object_key,
        )
        for image in images
    ]
