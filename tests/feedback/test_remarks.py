"""`unirg feedback remarks`: what readers held against drafts, and nobody's identity."""

from __future__ import annotations

import csv

import pytest
from rich.console import Console

from app.access import Reader, Role
from app.accounts.handlers import Accounts
from app.accounts.passwords import Passwords
from app.commands.feedback import Ask, run_remarks, show_remarks
from app.config import DatabaseSettings, FeedbackSettings, Settings, StorageSettings
from app.db import audit_trail
from app.errors import Conflict, NotAllowed
from app.feedback.remarks import COLUMNS, ExportRemarks, WantedRemarks
from tests.builders.reading import PASSWORD
from tests.feedback import signed as made

NOTE = "Anna Müller's effusion is on the right, told Dr. Ward on 2026-03-02 (ACC 2026 778)."


@pytest.fixture
def reader(house):
    return house.reader("ada")


@pytest.fixture
def export(house, admin, tmp_path):
    def act(page=500, **wanted):
        file = tmp_path / f"remarks-{len(list(tmp_path.glob('remarks-*')))}.csv"
        use_case = ExportRemarks(house.database, house.clock, house.store, page=page)
        return file, use_case.export(admin, WantedRemarks(file, **wanted))

    return act


def give(reader, draft, **given):
    answer = reader.post(f"/api/v1/drafts/{draft.id}/feedback", json={"kind": "style", **given})
    assert answer.status_code == 201, answer.text
    return answer.json()


def rows(file):
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_each_remark_is_a_row_with_its_sentence_and_the_weights(house, reader, export):
    _, draft = made.ready_study(house)
    give(reader, draft, kind="wrong_side", sentence_index=2, note="=HYPERLINK(1)")
    give(reader, draft, kind="missed")
    file, tally = export()
    assert (tally.read, tally.written, file.stat().st_mode & 0o777) == (2, 2, 0o600)
    about, whole = sorted(rows(file), key=lambda row: row["kind"], reverse=True)
    assert tuple(about) == COLUMNS
    assert (about["kind"], about["sentence_index"], about["sentence"]) == ("wrong_side", "2", made.DRAFT[2][1])
    assert (about["section"], about["author"], about["note"]) == ("findings", "model", "'=HYPERLINK(1)")
    assert (whole["kind"], whole["sentence_index"], whole["sentence"], whole["author"]) == ("missed", "", "", "")
    for row in (about, whole):
        assert (row["weights_digest"], row["model"]) == (draft.weights_digest, draft.model)
    assert about["study"] == whole["study"]
    [entry] = house.audited("feedback.remarks_exported")
    assert (entry.actor, entry.detail["remarks"], entry.detail["refused"]) == ("user:root-karla", 2, 0)
    with house.database.reading() as session:
        assert audit_trail.verify(session).ok


def test_nobodys_identity_leaves_the_house(house, reader, export):
    _, draft = made.ready_study(house)
    give(reader, draft, sentence_index=0, note=NOTE)
    give(reader, draft, note="A n n a  M ü l l e r")
    file, tally = export()
    assert tally.refused == {"a person's name of the record still occurs in the note after scrubbing": 1}
    text = file.read_text()
    said = [name for name in ("Anna", "Müller", "Ward", "ACC", "2026", "2025", "ROOM", "Elsewhere") if name in text]
    assert said == []
    assert [value for value in made.identifiers(house.database) if value in text] == []
    assert "effusion is on the right" in text


def test_sites_that_opted_out_and_older_remarks_stay(house, reader, export):
    _, north = made.ready_study(house, calling_ae="NORTH")
    _, south = made.ready_study(house, calling_ae="SOUTH", header={"InstitutionName": "South"})
    give(reader, north)
    house.clock.advance(60)
    give(reader, south, kind="missed")
    file, tally = export(opted_out=("north", "NOBODY"))
    assert (dict(tally.opted_out), [row["kind"] for row in rows(file)]) == ({"north": 1}, ["missed"])
    file, _ = export(since=house.clock.now())
    assert [row["kind"] for row in rows(file)] == ["missed"]
    _, tally = export(page=1)
    assert (tally.read, len(house.audited("feedback.remarks_read"))) == (2, 4)


def test_a_site_whose_own_film_was_the_prior_is_left_out(house, reader, export):
    study, draft = made.ready_study(house)
    made.sent_here(house, study, "CLINIC_NORTH_AE")
    give(reader, draft)
    file, tally = export(opted_out=("CLINIC_NORTH_AE",))
    assert (dict(tally.opted_out), rows(file)) == ({"CLINIC_NORTH_AE": 1}, [])


def test_two_files_cannot_be_joined(house, reader, export):
    _, draft = made.ready_study(house)
    give(reader, draft)
    (one,), (other,) = (rows(export()[0]) for _ in range(2))
    assert {one[key] for key in ("remark", "study", "site")} & {
        other[key] for key in ("remark", "study", "site")
    } == set()


def test_a_study_whose_headers_are_gone_is_refused(house, reader, export):
    _, draft = made.ready_study(house, prior=False)
    give(reader, draft)
    for path in house.store.incoming_dir.parent.rglob("*"):
        if path.is_file():
            path.chmod(0o600)
            path.unlink()
    file, tally = export()
    assert (tally.refused, rows(file)) == ({"a stored object of the study is gone": 1}, [])


def test_only_an_administrator_exports_and_never_over_another_file(house, reader, admin, tmp_path):
    use_case = ExportRemarks(house.database, house.clock, house.store)
    nobody = Reader(admin.user_id, "ada", "Ada", (Role.RADIOLOGIST,))
    with pytest.raises(NotAllowed):
        use_case.export(nobody, WantedRemarks(tmp_path / "out.csv"))
    taken = tmp_path / "taken.csv"
    taken.write_text("mine")
    with pytest.raises(Conflict):
        use_case.export(admin, WantedRemarks(taken))
    with pytest.raises(Conflict):
        use_case.export(admin, WantedRemarks(tmp_path / "no" / "folder.csv"))
    assert taken.read_text() == "mine"


def test_the_command_asks_for_the_password_and_says_what_is_missing(house, reader, tmp_path):
    Accounts(house.database, house.clock, Passwords()).set_user("root-karla", "Karla", [Role.ADMIN], PASSWORD)
    settings = Settings(
        database=DatabaseSettings(url=house.database.url),
        storage=StorageSettings(path=tmp_path / "store"),
        feedback=FeedbackSettings(opted_out=("ROOM_TWO",)),
    )
    for room in ("ROOM_ONE", "ROOM_TWO"):
        _, draft = made.ready_study(house, calling_ae=room)
        give(reader, draft)
    with pytest.raises(NotAllowed):
        run_remarks(settings, Ask(tmp_path / "out.csv", "root-karla", "wrong password"))
    tally = run_remarks(settings, Ask(tmp_path / "out.csv", "root-karla", PASSWORD))
    console = Console(record=True, width=200)
    show_remarks(tally, tmp_path / "out.csv", ("ROOM_TWO", "NOBODY"), console)
    said = console.export_text()
    assert "1 of 2 remarks are in" in said
    assert "Left out because ROOM_TWO opted out: 1." in said
    assert "Nothing came from NOBODY" in said
