"""A reading room for tests: the real API over a real record, with films in it, served to a real browser."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import sqlalchemy as sa

from app.access import Role
from app.accounts.passwords import Passwords
from app.content import content_digest
from app.db import migrations
from app.db.session import Database, unit_of_work
from app.db.tables import Draft, Instance, PriorEntry, PriorImageRow, Study
from app.domain.identifiers import derived_uid, new_id
from app.domain.priors import PriorDecision, PriorOutcome
from app.domain.reading import ReadingMode, ReadingModes
from app.domain.study import Stage, Step
from app.gateways.clock import SystemClock
from app.gateways.object_store import LocalObjectStore
from app.main import ApiDeps, create_app, server
from app.ports import PixelReader
from tests.builders.radiographs import radiograph
from tests.builders.reading import PASSWORD, add_draft, add_person, quick_passwords
from tests.builders.studies import add_study
from tests.peers.process import free_port, wait_until

STUDY_DATE, PRIOR_DATE = "20260301", "20241115"
EDGE = 256


def film(seed: int, **values: object) -> object:
    """A DX of 256 x 256 px with a soft pattern of some 2,000 values, another one for each seed."""
    rows, columns = np.mgrid[0:EDGE, 0:EDGE]
    pattern = 2048 + 1000 * np.sin(rows / (20 + seed)) + 1000 * np.cos(columns / (30 + seed))
    elements = {"Rows": EDGE, "Columns": EDGE, "PixelData": pattern.astype("<u2").tobytes()}
    return radiograph(**{**elements, "PatientOrientation": ["L", "F"], **values})


@dataclass
class Room:
    """The running service; `url` is where the page is."""

    url: str
    database: Database
    store: LocalObjectStore
    clock: SystemClock

    def person(self, username: str, role: Role = Role.RADIOLOGIST) -> str:
        """Somebody who can log in with PASSWORD; returns the name on the screen."""
        add_person(self.database, self.clock, username, role)
        return f"Dr {username.title()}"

    def study(self, stage: Stage = Stage.READY, *, with_film: bool = True, **values: object) -> Study:
        """A study that came through in `stage`, with its film."""
        study = add_study(self.database, self.clock, stage, study_date=STUDY_DATE, **values)
        if with_film:
            self.add_film(study)
        return study

    def add_film(self, study: Study, pixels: object | None = None) -> None:
        """A radiograph of the study, bytes and row."""
        dataset = pixels or film(1, StudyInstanceUID=study.study_instance_uid)
        key, digest = self._keep(dataset)
        row = Instance(
            study_id=study.id,
            sop_instance_uid=str(dataset.SOPInstanceUID),
            sop_class_uid=str(dataset.SOPClassUID),
            series_instance_uid=str(dataset.SeriesInstanceUID),
            transfer_syntax_uid=str(dataset.file_meta.TransferSyntaxUID),
            modality="DX",
            view_position="PA",
            object_key=key,
            digest=digest,
            size=1,
            revision=study.revision,
            received_at=self.clock.now(),
        )
        with unit_of_work(self.database, self.clock) as uow:
            uow.session.add(row)

    def priors(self, study: Study, outcome: PriorOutcome, decision: PriorDecision, reason: str) -> None:
        """How the search for priors ended, with one line in the ledger; a chosen one has its film."""
        entry = PriorEntry(
            id=new_id(),
            study_id=study.id,
            revision=study.revision,
            rank=1,
            study_instance_uid=derived_uid("study", new_id()),
            study_date=PRIOR_DATE,
            decision=decision,
            reason=reason,
        )
        with unit_of_work(self.database, self.clock) as uow:
            uow.study(study.id).prior_outcome = outcome
            uow.session.add(entry)
            uow.session.flush()
            if decision is PriorDecision.CHOSEN:
                uow.session.add(self._prior_film(entry))

    def draft(self, study: Study, *sentences: dict[str, object]) -> Draft:
        """The study's draft: these sentences, in this order."""
        numbered = [{"index": index, "logprob": -0.1, "flags": [], **said} for index, said in enumerate(sentences)]
        return add_draft(self.database, self.clock, study, sentences=numbered)

    def late_image_without_draft(self, study: Study) -> None:
        """An image came after the draft, and the model is away."""
        with unit_of_work(self.database, self.clock) as uow:
            row = uow.study(study.id)
            for step in (Step.IMAGE_ARRIVED, Step.COMPLETED, Step.PRIORS_GATHERED, Step.DRAFT_GIVEN_UP):
                uow.move(row, step)
            uow.session.execute(sa.update(Draft).where(Draft.study_id == study.id).values(stale=True))

    def row(self, study: Study) -> Study:
        """The study as the record has it now."""
        with self.database.reading() as session:
            return session.get_one(Study, study.id)

    @contextmanager
    def colleague(self, username: str) -> Iterator[httpx.Client]:
        """Somebody else who works over HTTP while the browser is open."""
        with httpx.Client(base_url=f"{self.url}api/v1", trust_env=False) as http:
            answer = http.post("/auth/login", json={"username": username, "password": PASSWORD})
            http.headers["X-CSRF-Token"] = answer.raise_for_status().json()["csrf_token"]
            yield http

    def _prior_film(self, entry: PriorEntry) -> PriorImageRow:
        dataset = film(7, StudyInstanceUID=entry.study_instance_uid, StudyDate=PRIOR_DATE)
        key, _ = self._keep(dataset)
        return PriorImageRow(
            entry_id=entry.id,
            series_instance_uid=str(dataset.SeriesInstanceUID),
            sop_instance_uid=str(dataset.SOPInstanceUID),
            view_position="PA",
            object_key=key,
        )

    def _keep(self, dataset: object) -> tuple[str, str]:
        temp = self.store.incoming_dir / f"{new_id()}.part"
        dataset.save_as(temp, enforce_file_format=True)
        digest = content_digest(temp.read_bytes())
        return self.store.publish(temp, digest), digest


@contextmanager
def open_room(
    folder: Path,
    pixels: PixelReader,
    mode: ReadingMode = ReadingMode.DRAFT_FIRST,
    passwords: Passwords | None = None,
    **settings: object,
) -> Iterator[Room]:
    """An API process's work in a thread of this one, on SQLite.

    mode: what a reader meets first. passwords: how they are hashed, at the lowest cost unless told.
    """
    database, clock = Database(f"sqlite:///{folder}/record.db"), SystemClock()
    store = LocalObjectStore(folder / "store")
    migrations.upgrade(database)
    port = free_port()
    modes = ReadingModes(mode)
    deps = ApiDeps(database, clock, store, pixels, lambda: True, min_free_ratio=0, modes=modes, **settings)
    app = create_app(deps, passwords or quick_passwords())
    running = server(app, "127.0.0.1", port)
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    wait_until(lambda: running.started, "the API")
    try:
        yield Room(f"http://127.0.0.1:{port}/", database, store, clock)
    finally:
        running.should_exit = True
        thread.join(15)
        database.close()
