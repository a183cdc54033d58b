"""A reader asks for another draft: the study goes back to its prior search, and from there its usual road."""

from __future__ import annotations

from dataclasses import dataclass

from app.access import Reader
from app.db.session import Database, unit_of_work
from app.domain.events import RedraftRequested
from app.domain.study import Step
from app.ports import Clock
from app.rest.guard import actor
from app.review.schemas import StudyStateOut


@dataclass(frozen=True, slots=True)
class Redraft:
    """POST …/redraft."""

    database: Database
    clock: Clock

    def ask(self, reader: Reader, study_instance_uid: str) -> StudyStateOut:
        """Raises NotFound, IllegalTransition where a draft is under way or a report was begun."""
        with unit_of_work(self.database, self.clock, actor(reader)) as uow:
            study = uow.study_by_uid(study_instance_uid)
            uow.move(study, Step.REDRAFT_ASKED)
            uow.emit(RedraftRequested(study.id))
            return StudyStateOut(study_instance_uid=study_instance_uid, state=study.stage, revision=study.revision)
