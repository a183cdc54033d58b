"""The keys of the review page that a person has changed, kept so that they are at every workstation."""

from __future__ import annotations

from dataclasses import dataclass

from app.access import Reader
from app.accounts.schemas import Keys
from app.db.session import Database, unit_of_work
from app.db.tables import User
from app.ports import Clock
from app.rest.guard import actor


@dataclass(frozen=True, slots=True)
class OwnKeys:
    """Everybody's own; which acts there are, and what their keys are until changed, the page knows."""

    database: Database
    clock: Clock

    def of(self, reader: Reader) -> dict[str, str]:
        """By act; an act that is not there has the page's own key."""
        with self.database.reading() as session:
            return dict(session.get_one(User, reader.user_id).keys)

    def keep(self, reader: Reader, given: Keys) -> Keys:
        """These and no others."""
        with unit_of_work(self.database, self.clock, actor(reader)) as uow:
            user = uow.session.get_one(User, reader.user_id, with_for_update=True)
            user.keys = dict(given.keys)
            uow.audit("auth.keys_changed")
        return given
