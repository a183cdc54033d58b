"""Other earlier studies in a study's ledger, the PACS that holds their films, and the worker that fetches them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from app.db.session import Database, unit_of_work
from app.db.tables import Job, PriorEntry, Study
from app.domain.identifiers import derived_uid, new_id
from app.domain.priors import PriorDecision, PriorOutcome, Standing
from app.errors import ArchiveUnavailable
from app.gateways.object_store import LocalObjectStore
from app.ports import Clock, PixelReader
from app.priors.handlers import PriorSearch
from app.worker import JobRunner
from tests.contract.archives import MemoryArchive
from tests.web.room import film

OLDER = "relevant, but older than the prior that was chosen"
AWAY = ArchiveUnavailable("pacs (PACS at 10.0.0.1:104): no connection; check host and port.")


@dataclass
class Ledger:
    """`pacs`: what is asked, and may be away."""

    database: Database
    clock: Clock
    store: LocalObjectStore
    pixels: PixelReader
    pacs: MemoryArchive = field(init=False)

    def __post_init__(self) -> None:
        self.pacs = MemoryArchive(self.store, "pacs")

    def add(
        self, study: Study, date: str, standing: Standing = Standing.USABLE, reason: str = OLDER, **elements: Any
    ) -> PriorEntry:
        """An earlier study that the search did not choose; its PA film, and one per view in `views`, is in the PACS."""
        views = elements.pop("views", ("PA",))
        entry = PriorEntry(
            id=new_id(),
            study_id=study.id,
            revision=study.revision,
            rank=int("9" * 8) - int(date),
            study_instance_uid=derived_uid("study", new_id()),
            study_date=date,
            description="XR CHEST",
            source="pacs",
            decision=PriorDecision.REJECTED,
            reason=reason,
            standing=standing,
        )
        with unit_of_work(self.database, self.clock) as uow:
            row = uow.study(study.id)
            row.prior_outcome = row.prior_outcome or PriorOutcome.NONE_EXIST
            uow.session.add(entry)
        named = {"StudyInstanceUID": entry.study_instance_uid, "StudyDate": date, **elements}
        self.pacs.held += [film(11 + number, ViewPosition=view, **named) for number, view in enumerate(views)]
        return entry

    def away(self) -> None:
        """The PACS does not answer."""
        self.pacs.failure = AWAY

    def back(self) -> None:
        """It answers again."""
        self.pacs.failure = None

    def work(self) -> int:
        """Give every wish that waits one attempt; returns how many there were."""
        search = PriorSearch(self.database, self.clock, [self.pacs], self.store, self.pixels)
        runner = JobRunner(self.database, self.clock, {"priors.fetch": search.fetch})
        waiting = self.waiting()
        for job in waiting:
            runner.run(job.id, job.token)
        return len(waiting)

    def waiting(self) -> list[Job]:
        """Wishes of readers that are queued."""
        query = sa.select(Job).where(Job.task == "priors.fetch", Job.state == "queued")
        with self.database.reading() as session:
            return list(session.scalars(query))
