"""The sweep that closes studies whose quiet period has passed."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from app.db.session import Database, unit_of_work
from app.db.tables import Study
from app.domain.events import StudyCompleted
from app.domain.study import Stage, Step
from app.ports import Clock

BATCH = 50


@dataclass(frozen=True, slots=True)
class CompleteStudies:
    """Run on a clock by the relay; the database's time of the last image is what counts, not any timer."""

    database: Database
    clock: Clock

    def sweep(self) -> int:
        """Close every study that is due; returns how many."""
        due = self._due()
        return sum(self._complete(study_id) for study_id in due)

    def _due(self) -> list[str]:
        query = (
            sa.select(Study.id)
            .where(Study.stage == Stage.RECEIVING, Study.quiet_until <= self.clock.now())
            .order_by(Study.quiet_until)
            .limit(BATCH)
        )
        with self.database.reading() as session:
            return list(session.scalars(query))

    def _complete(self, study_id: str) -> bool:
        with unit_of_work(self.database, self.clock) as uow:
            study = uow.study(study_id)
            if study.stage is not Stage.RECEIVING or study.quiet_until > uow.now:
                return False  # an image came between the query and the lock
            uow.move(study, Step.COMPLETED)
            uow.emit(StudyCompleted(study.id))
            return True
