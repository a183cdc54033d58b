"""A study at the drafting stage, with the peers of the stage at hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from app.db import jobs
from app.db.dead_letters import EVIDENCE
from app.db.jobs import Claim
from app.db.report_tables import SentenceRegion
from app.db.session import Database, unit_of_work
from app.db.tables import AuditRow, Draft, Instance, Job, PriorEntry, PriorImageRow, Study
from app.domain.events import PriorsGathered
from app.domain.identifiers import new_id
from app.domain.imaging import HeaderFacts
from app.domain.priors import PriorDecision, PriorOutcome
from app.domain.study import Stage
from app.drafting.eligibility import EligibilityRules
from app.drafting.evidence import PointAtEvidence
from app.drafting.handlers import WriteDraft
from tests.builders.studies import add_study
from tests.fakes.clock import SetClock
from tests.fakes.draft_model import ChosenWords
from tests.fakes.object_store import KeysAlone
from tests.fakes.pixel_reader import KnownFilms, frontal


@dataclass
class Desk:
    """Add objects and priors, ``claim()`` a job and ``write()``; read back with ``study``, ``drafts``, ``audit``."""

    database: Database
    folder: Path
    clock: SetClock = field(default_factory=SetClock)
    pixels: KnownFilms = field(default_factory=KnownFilms)
    model: ChosenWords = field(default_factory=ChosenWords)
    study_id: str = ""

    def begin(self, *films: HeaderFacts | Exception, key: str = "", **columns: object) -> None:
        """A study in DRAFTING with these objects; one plain frontal film by default. key: of the (single) object."""
        self.study_id = add_study(self.database, self.clock, Stage.DRAFTING, **columns).id
        for film in films or (frontal(),):
            self.add_film(film, key)

    def add_film(self, film: HeaderFacts | Exception, key: str = "") -> str:
        """One object of the study; returns its key."""
        key = key or f"film{len(self.pixels.headers)}"
        self.pixels.headers[key] = film
        self.clock.advance(1)
        with unit_of_work(self.database, self.clock) as uow:
            uow.session.add(
                Instance(
                    study_id=self.study_id,
                    sop_instance_uid=f"1.2.{len(self.pixels.headers)}",
                    sop_class_uid="1.2.840.10008.5.1.4.1.1.1.1",
                    series_instance_uid="1.2.3",
                    transfer_syntax_uid="1.2.840.10008.1.2.1",
                    object_key=key,
                    digest="0" * 64,
                    size=1,
                    revision=1,
                    received_at=uow.now,
                )
            )
        return key

    def add_prior(
        self,
        *films: HeaderFacts | Exception,
        date: str = "20190102",
        outcome: PriorOutcome = PriorOutcome.FOUND,
        decision: PriorDecision = PriorDecision.CHOSEN,
        report: str = "",
    ) -> None:
        """A prior in the ledger of the study's revision, with these retrieved images."""
        entry_id = new_id()
        with unit_of_work(self.database, self.clock) as uow:
            study = uow.study(self.study_id)
            study.prior_outcome = str(outcome)
            uow.session.add(
                PriorEntry(
                    id=entry_id,
                    study_id=study.id,
                    revision=study.revision,
                    rank=0,
                    study_instance_uid="1.2.99",
                    study_date=date,
                    decision=str(decision),
                    reason="newest chest film",
                    report_text=report,
                )
            )
            uow.session.flush()
            for number, film in enumerate(films):
                key = f"prior{number}"
                self.pixels.headers[key] = film
                image = PriorImageRow(
                    entry_id=entry_id, series_instance_uid="1.9", sop_instance_uid=f"1.9.{number}", object_key=key
                )
                uow.session.add(image)

    def claim(self) -> Claim:
        """A claimed job of the stage, as the worker holds it."""
        with unit_of_work(self.database, self.clock) as uow:
            uow.emit(PriorsGathered(self.study_id))
        with unit_of_work(self.database, self.clock) as uow:
            query = sa.select(Job).where(Job.study_id == self.study_id, Job.state == "queued")
            job = uow.session.scalars(query).one()
            held = jobs.claim(uow.session, uow.now, job.id, job.token)
        assert held is not None
        return held

    def write(
        self, claim: Claim | None = None, rules: EligibilityRules | None = None, *, evidence: bool = False
    ) -> None:
        """Run the use case once."""
        store = KeysAlone(self.folder)
        stage = WriteDraft(self.database, self.clock, store, self.pixels, self.model, evidence=evidence)
        if rules:
            stage = WriteDraft(self.database, self.clock, KeysAlone(self.folder), self.pixels, self.model, rules)
        stage.write(claim or self.claim())

    def claim_evidence(self) -> Claim:
        """The claimed job that looks for regions."""
        with unit_of_work(self.database, self.clock) as uow:
            job = uow.session.scalars(sa.select(Job).where(Job.task == EVIDENCE, Job.state == "queued")).one()
            held = jobs.claim(uow.session, uow.now, job.id, job.token)
        assert held is not None
        return held

    @property
    def pointing(self) -> PointAtEvidence:
        """The use case."""
        return PointAtEvidence(self.database, self.clock, KeysAlone(self.folder), self.pixels, self.model)

    @property
    def regions(self) -> dict[int, SentenceRegion]:
        """Of the study's current draft, by index of the sentence."""
        mine = sa.select(SentenceRegion).where(SentenceRegion.draft_id == self.study.current_draft_id)
        with self.database.reading() as session:
            return {row.sentence_index: row for row in session.scalars(mine)}

    @property
    def study(self) -> Study:
        """The study's row as it is now."""
        with self.database.reading() as session:
            return session.get_one(Study, self.study_id)

    @property
    def drafts(self) -> Sequence[Draft]:
        """In order of version."""
        with self.database.reading() as session:
            return session.scalars(sa.select(Draft).order_by(Draft.version)).all()

    @property
    def jobs(self) -> list[str]:
        """States of all jobs."""
        with self.database.reading() as session:
            return list(session.scalars(sa.select(Job.state).order_by(Job.created_at, Job.round)))

    @property
    def audit(self) -> list[str]:
        """Actions in order."""
        with self.database.reading() as session:
            return list(session.scalars(sa.select(AuditRow.action).order_by(AuditRow.seq)))
