"""A database, a store, and a reader of headers that needs no child process: these objects are our own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from app.db import migrations
from app.db.jobs import Claim, claim
from app.db.session import Database, unit_of_work
from app.db.tables import Instance, Job, PriorEntry, PriorImageRow, Study
from app.domain.events import StudyCompleted
from app.domain.imaging import HeaderFacts
from app.domain.study import Stage
from app.errors import CannotUnderstand
from app.gateways.object_store import LocalObjectStore
from app.gateways.pixel_header import header_facts
from app.priors.handlers import PriorSearch
from app.priors.rules import PriorRules
from model.errors import NotAnImage
from tests.builders.radiographs import save
from tests.builders.studies import add_study
from tests.contract.archives import MemoryArchive
from tests.fakes.clock import SetClock


class HeaderReader:
    """app.ports.PixelReader, its first method."""

    def inspect(self, path: Path) -> HeaderFacts:
        try:
            return header_facts(path)
        except NotAnImage as error:
            raise CannotUnderstand(str(error)) from error


@dataclass
class Ward:
    """Everything around one search."""

    database: Database
    clock: SetClock
    store: LocalObjectStore

    def archive(self, name="pacs", *held):
        return MemoryArchive(self.store, name, list(held))

    def study(self, **values):
        """The current study, waiting for its priors."""
        study = add_study(self.database, self.clock, Stage.GATHERING_PRIORS, **values)
        with unit_of_work(self.database, self.clock) as uow:
            uow.emit(StudyCompleted(study.id))
        return study

    def own(self, *objects, **values):
        """An earlier study that came to us directly."""
        first = objects[0]
        values = {"study_date": first.StudyDate, "description": first.get("StudyDescription", ""), **values}
        study = add_study(self.database, self.clock, Stage.READY, study_instance_uid=first.StudyInstanceUID, **values)
        with unit_of_work(self.database, self.clock) as uow:
            for dataset in objects:
                temp = self.store.incoming_dir / "own.part"
                key = self.store.put_bytes(save(dataset, temp).read_bytes())
                uow.session.add(_instance(study, dataset, key, self.clock))
        return study

    def claim(self, study, attempts=1):
        """The job as a worker holds it; attempts: 5 is the last."""
        with unit_of_work(self.database, self.clock) as uow:
            job = uow.session.query(Job).filter_by(study_id=study.id, state="queued").one()
            job.attempts = attempts - 1
            uow.session.flush()
            held = claim(uow.session, uow.now, job.id, job.token)
        assert isinstance(held, Claim)
        return held

    def gather(self, study, *archives, attempts=1, **rules):
        PriorSearch(self.database, self.clock, archives, self.store, HeaderReader(), PriorRules(**rules)).gather(
            self.claim(study, attempts)
        )
        return self.ledger(study)

    def ledger(self, study):
        with self.database.reading() as session:
            row = session.get_one(Study, study.id)
            entries = session.query(PriorEntry).filter_by(study_id=study.id).order_by(PriorEntry.rank).all()
            images = {
                entry.id: session.query(PriorImageRow).filter_by(entry_id=entry.id).order_by(PriorImageRow.id).all()
                for entry in entries
            }
        return Written(row, entries, images)


@dataclass
class Written:
    study: Study
    entries: list[PriorEntry]
    images: dict[str, list[PriorImageRow]]

    @property
    def outcome(self):
        return self.study.prior_outcome

    @property
    def reason(self):
        return self.study.prior_reason

    @property
    def chosen(self):
        return next((entry for entry in self.entries if entry.decision == "chosen"), None)

    def decisions(self):
        return {entry.study_instance_uid: (entry.decision, entry.reason) for entry in self.entries}


def _instance(study, dataset, key, clock):
    return Instance(
        study_id=study.id, sop_instance_uid=dataset.SOPInstanceUID, sop_class_uid=dataset.SOPClassUID,
        series_instance_uid=dataset.SeriesInstanceUID, transfer_syntax_uid="1.2.840.10008.1.2.1",
        modality=dataset.Modality, view_position=dataset.get("ViewPosition", ""), object_key=key, digest="0" * 64,
        size=1, revision=1, received_at=clock.now(),
    )  # fmt: skip


@pytest.fixture
def ward(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/record.db")
    migrations.upgrade(database)
    yield Ward(database, SetClock(), LocalObjectStore(tmp_path / "store"))
    database.close()
