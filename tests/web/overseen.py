"""A house whose reports were signed in four weeks that lie apart, and a lead at its page."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from playwright.sync_api import expect

from app.access import Role
from app.accounts.attempts import Attempts
from app.db import migrations
from app.db.session import Database
from app.gateways.object_store import LocalObjectStore
from app.main import ApiDeps, create_app
from app.ports import PixelReader
from tests.api.house import House, served
from tests.api.season import read_one
from tests.builders.reading import PASSWORD, add_person, quick_passwords
from tests.fakes.clock import SetClock
from tests.web.reader import Reader

SIGNED = {200: 3, 60: 6, 20: 9, 3: 12}
"""Reports by how many days ago they were signed."""


@dataclass
class Overseen:
    """The running service. today: its day, on which nothing was signed."""

    house: House
    url: str
    today: date

    def day(self, ago: int) -> date:
        """So many days before today."""
        return self.today - timedelta(days=ago)

    def log_in(self, reader: Reader) -> None:
        """As Lena, a lead, whose first page is that of the figures."""
        self.house.clock.advance(7)  # ten logins a minute are allowed
        reader.page.goto(self.url)
        reader.page.get_by_label("User name").fill("lena")
        reader.page.get_by_label("Password").fill(PASSWORD)
        reader.page.get_by_role("button", name="Log in").click()
        expect(reader.page.get_by_role("heading", name="Drafts in use")).to_be_visible()


@contextmanager
def open_overseen(folder: Path, pixels: PixelReader) -> Iterator[Overseen]:
    """The API on a socket, over weeks of reading that end today."""
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    database, clock = Database(f"sqlite:///{folder}/record.db"), SetClock(noon - timedelta(days=max(SIGNED)))
    migrations.upgrade(database)
    store = LocalObjectStore(folder / "store")
    deps = ApiDeps(database, clock, store, pixels, lambda: True, min_free_ratio=0)
    attempts = Attempts(lambda: clock.now().timestamp())
    house = House(create_app(deps, quick_passwords(), attempts), database, clock, store)
    add_person(database, clock, "lena", Role.LEAD)
    _read(house, noon)
    with served(house.app) as (_, url):
        yield Overseen(house, url, noon.date())
    database.close()


def _read(house: House, noon: datetime) -> None:
    dice = random.Random(7)
    for ago, reports in SIGNED.items():
        house.clock.advance((noon - timedelta(days=ago) - house.clock.now()).total_seconds())
        reader = house.reader("bob")
        for _ in range(reports):
            read_one(house, dice, reader)
    house.clock.advance((noon - house.clock.now()).total_seconds())
