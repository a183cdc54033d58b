"""`unirg feedback export` as an administrator meets it."""

from __future__ import annotations

import pytest

from app.access import Role
from app.accounts.handlers import Accounts
from app.accounts.passwords import Passwords
from app.commands.feedback import Ask, image_size_of, run, show
from app.config import DatabaseSettings, FeedbackSettings, Settings, StorageSettings
from app.errors import InvalidRequest, NotAllowed
from tests.builders.reading import PASSWORD
from tests.feedback import signed as made


@pytest.fixture
def settings(house, tmp_path):
    return Settings(
        database=DatabaseSettings(url=house.database.url),
        storage=StorageSettings(path=tmp_path / "store"),
        feedback=FeedbackSettings(opted_out=("ROOM_TWO",)),
    )


@pytest.fixture
def people(house):
    accounts = Accounts(house.database, house.clock, Passwords())
    accounts.set_user("root-karla", "Karla", [Role.ADMIN], PASSWORD)
    return house.reader("ada")


def test_an_administrator_exports_and_hears_what_is_missing(house, people, settings, tmp_path):
    from rich.console import Console

    made.signed(house, people)
    made.signed(house, people, calling_ae="ROOM_TWO", patient_id="MRN-2-2-2")
    folder = tmp_path / "out"
    tally = run(settings, Ask(folder, "root-karla", PASSWORD, opted_out=("NOBODY",)))
    assert (tally.records, dict(tally.opted_out)) == (1, {"ROOM_TWO": 1})
    console = Console(record=True, width=200)
    show(tally, folder, ("ROOM_TWO", "NOBODY"), console)
    said = console.export_text()
    assert "1 of 2 signed reports" in said
    assert "Nothing came from NOBODY" in said
    [entry] = house.audited("feedback.exported")
    assert (entry.actor, entry.detail["opted_out"]) == ("user:root-karla", 1)


@pytest.mark.parametrize(("name", "password"), [("root-karla", "wrong password"), ("ada", PASSWORD), ("nobody", "x")])
def test_nobody_else_exports(house, people, settings, tmp_path, name, password):
    with pytest.raises(NotAllowed):
        run(settings, Ask(tmp_path / "out", name, password))
    assert not (tmp_path / "out").exists()
    assert house.audited("feedback.read") == []


def test_a_wrong_day_is_said(people, settings, tmp_path):
    with pytest.raises(InvalidRequest, match="YYYY-MM-DD"):
        run(settings, Ask(tmp_path / "out", "root-karla", PASSWORD, since="1 March"))


def test_the_image_size_is_the_manifests():
    assert image_size_of("unirg-cxr-nano") == 128
    assert image_size_of("no-such-model") is None
