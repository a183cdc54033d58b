"""A house in which reports were drafted, edited and signed over the API, full of things that must not leave it."""

from __future__ import annotations

import pytest

from app.access import Reader, Role
from app.accounts.attempts import Attempts
from app.db import migrations
from app.db.session import Database
from app.feedback.handlers import ExportFeedback, Wanted
from app.gateways.object_store import LocalObjectStore
from app.gateways.pixel_child import ChildPixelReader
from app.main import ApiDeps, create_app
from tests.api.house import House
from tests.builders.reading import add_person, quick_passwords
from tests.fakes.clock import SetClock


@pytest.fixture(scope="session")
def pixels():
    reader = ChildPixelReader()
    yield reader
    reader.close()


@pytest.fixture
def house(tmp_path, pixels):
    database, clock = Database(f"sqlite:///{tmp_path}/record.db"), SetClock()
    migrations.upgrade(database)
    store = LocalObjectStore(tmp_path / "store")
    deps = ApiDeps(database, clock, store, pixels, lambda: True, min_free_ratio=0, web_dist=None)
    attempts = Attempts(lambda: clock.now().timestamp())
    yield House(create_app(deps, quick_passwords(), attempts), database, clock, store)
    database.close()


@pytest.fixture
def admin(house):
    user_id = add_person(house.database, house.clock, "root-karla", Role.ADMIN)
    return Reader(user_id, "root-karla", "Karla", (Role.ADMIN,))


@pytest.fixture
def export(house, admin, tmp_path):
    """Export into a fresh folder; returns folder and tally."""
    made = []

    def act(pictures=None, page=200, **wanted):
        folder = tmp_path / f"export-{len(made)}"
        made.append(folder)
        use_case = ExportFeedback(house.database, house.clock, house.store, pictures, page=page)
        return folder, use_case.export(admin, Wanted(folder, **wanted))

    return act
