"""A reader asks to be shown another earlier study than the one that the search chose."""

from __future__ import annotations

from dataclasses import dataclass

from app.access import Reader
from app.db import jobs
from app.db.session import Database, UnitOfWork, unit_of_work
from app.db.tables import PriorEntry, Study
from app.domain.events import PriorWanted
from app.errors import Conflict, NotFound
from app.ports import Clock
from app.rest.guard import actor
from app.review.prior_views import entries_out, fetch_jobs, ledger
from app.review.reading import refuse_machine
from app.review.schemas import LedgerEntryOut, PriorFetch


class PriorRefused(Conflict):
    """An earlier study that is never shown: whose it is is not certain, or it is no chest radiograph."""

    title = "This earlier study cannot be shown"


REFUSALS = {
    PriorFetch.IDENTITY_UNCERTAIN: "It is not certain that this study is of the same patient ({}); it is not shown.",
    PriorFetch.UNFIT: "This earlier study is no chest radiograph to compare with ({}); it is not shown.",
}


@dataclass(frozen=True, slots=True)
class OtherPriors:
    """POST …/priors/{prior_study_instance_uid}/fetch."""

    database: Database
    clock: Clock

    def ask(self, reader: Reader, study_instance_uid: str, prior_study_instance_uid: str) -> LedgerEntryOut:
        """Have the images of a ledger entry fetched, once however often it is asked for; starts no draft.

        Raises NotAllowed for a machine, NotFound for what is not in the study's ledger, PriorRefused.
        """
        with unit_of_work(self.database, self.clock, actor(reader)) as uow:
            refuse_machine(uow.session, reader)
            study = uow.study_by_uid(study_instance_uid)
            entry = _entry(uow, study, prior_study_instance_uid)
            (told,) = entries_out(uow.session, study, [entry])
            if told.fetch in REFUSALS:
                raise PriorRefused(REFUSALS[told.fetch].format(told.fetch_reason))
            if told.fetch in (PriorFetch.NOT_FETCHED, PriorFetch.FAILED):
                self._want(uow, study, entry)
                uow.session.flush()
                (told,) = entries_out(uow.session, study, [entry])
            return told

    def _want(self, uow: UnitOfWork, study: Study, entry: PriorEntry) -> None:
        entry.fetch_failure = ""
        dead = fetch_jobs(uow.session, study).get(entry.id)
        if dead is not None and dead.state == jobs.DEAD:
            jobs.revive(uow.session, uow.now, dead)
        else:
            uow.emit(PriorWanted(study.id, entry.id))
        uow.audit("prior.wanted", study.id, study_instance_uid=entry.study_instance_uid, revision=study.revision)


def _entry(uow: UnitOfWork, study: Study, prior_study_instance_uid: str) -> PriorEntry:
    for entry in ledger(uow.session, study):
        if entry.study_instance_uid == prior_study_instance_uid:
            return entry
    message = "The search for this study's priors lists no such earlier study; read the study again."
    raise NotFound(message)
