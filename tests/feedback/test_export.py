"""What leaves the house: the words and what became of them, and nobody's identity."""

from __future__ import annotations

import json
import re

import pytest
import sqlalchemy as sa
from pyarrow import parquet

from app.access import Reader, Role
from app.db import audit_trail
from app.db.session import unit_of_work
from app.db.tables import Instance, Report
from app.errors import Conflict, NotAllowed
from app.feedback.handlers import ExportFeedback, Wanted
from app.feedback.known import folded, known
from app.feedback.pictures import Pictures
from tests.feedback import signed as made

NAMES = (
    "Müller-Lüdenscheidt^Anna Sofía",
    "Grünwald^Otto",
    "Gruenwald",
    "Mueller",
    "Zwiebel^Fritz",
    "Ward",
    "Ada",
    "Karla",
)


def contents(folder):
    """Every byte of the export as text, Parquet also unpacked."""
    texts = [path.read_bytes().decode("utf-8", "replace") for path in folder.rglob("*") if path.is_file()]
    texts += [path.name for path in folder.rglob("*")]
    table = parquet.read_table(folder / "feedback.parquet")
    return "\n".join([*texts, json.dumps(table.to_pylist(), ensure_ascii=False), str(table.schema.metadata)])


def is_in(value, text):
    """A login name of three letters stands in one digest in twenty by chance: letters count as a word of their own."""
    return bool(re.search(rf"\b{value}\b", text)) if value.isalpha() else value in text


@pytest.fixture
def reader(house):
    return house.reader("ada")


@pytest.fixture
def full(house, reader):
    """An appended report, a withdrawn and rewritten one, one without prior, one from nothing."""
    first = made.signed(house, reader)
    made.tell(reader, first[2])
    made.add_to(
        reader, first[2], "Addendum for Anna M\u00fcller: called Dr. Ward on 2026-03-02 at 08:15, 555-123-4567."
    )
    made.withdrawn_then_signed(house, reader, patient_id="MRN0047114", accession_number="ACC-2026-779")
    made.signed(house, reader, prior=False, patient_id="MRN0047115", accession_number="ACC-2026-780")
    return first


def test_no_identifier_of_the_database_is_in_any_byte(house, full, export):
    folder, tally = export()
    assert (tally.records, tally.refused.total()) == (3, 0)
    text = contents(folder)
    assert [value for value in made.identifiers(house.database) if is_in(value, text)] == []
    plain = folded(text)
    assert [n for n in known(names=NAMES).names if re.search(rf"(?<![^\W_]){re.escape(n)}(?![^\W_])", plain)] == []
    for day in ("2025-01-15", "15.01.2025", "January 15", "2026-03-02", "2026-02-27", "08:15", "555-123"):
        assert day not in text
    assert made.INSTITUTION not in text


def test_one_record_tells_what_became_of_each_sentence(full, export):
    folder, _ = export()
    record = next(one for one in made.records(folder) if one["status"] == "appended")
    assert [(row["change"], row["draft"], row["signed"], row["decision"]) for row in record["sentences"]] == [
        ("kept", "Comparison: chest radiograph of [date].", "Comparison: chest radiograph of [date].", "accepted"),
        ("kept", "The heart is enlarged.", "The heart is enlarged.", "accepted"),
        ("reworded", "Small left pleural effusion.", "Moderate left pleural effusion, as told to [name].", "edited"),
        ("added", "", "Known to [name] since [date] ([id]).", ""),
        ("deleted", "No pneumothorax.", "", "rejected"),
        ("kept", "Cardiomegaly.", "Cardiomegaly.", "accepted"),
    ]  # fmt: skip
    assert (record["prior_given"], record["prior_days"], record["age_years"]) == (True, 410, 90)
    assert record["model"] == {
        "name": "unirg-cxr-nano", "weights_digest": "0" * 64, "prompt_version": "test-1", "finish_reason": "stop",
    }  # fmt: skip
    assert (record["image"], record["prior_image"]) == ("1" * 64, "2" * 64)
    assert record["draft"][0]["author"] == "service"
    assert "lungs clear on [date]" in record["prior_report"]


def test_both_texts_can_be_put_together_from_the_sentences(full, export):
    folder, _ = export()
    for record in made.records(folder):
        rows = record["sentences"]
        new = sorted((row for row in rows if row["signed_index"] is not None), key=lambda row: row["signed_index"])
        for section in ("findings", "impression"):
            told = " ".join(row["signed"] for row in new if row["section"] == section)
            assert told == record[f"signed_{section}"]
        old = sorted((row for row in rows if row["draft_index"] is not None), key=lambda row: row["draft_index"])
        assert [row["draft"] for row in old] == [row["text"] for row in record["draft"]]


def test_parquet_and_json_lines_say_the_same(full, export):
    folder, _ = export()
    assert parquet.read_table(folder / "feedback.parquet").to_pylist() == made.records(folder)


def test_signed_is_what_was_signed_and_addenda_stand_apart(full, export):
    folder, _ = export()
    records = made.records(folder)
    appended = next(one for one in records if one["status"] == "appended")
    assert len(appended["addenda"]) == 1
    assert "Addendum" not in appended["signed_findings"] + appended["signed_impression"]
    rewritten = next(one for one in records if one["withdrawn_wordings"])
    assert (rewritten["withdrawn_wordings"], rewritten["status"]) == (1, "final")
    assert "Never to be seen" not in contents(folder)


def test_a_text_that_does_not_fit_its_signature_stays_here(house, full, export):
    with unit_of_work(house.database, house.clock) as uow:
        uow.session.execute(sa.update(Report).where(Report.id == full[2]["id"]).values(impression="Normal."))
    folder, tally = export()
    assert tally.records == 2
    refusals = [json.loads(line) for line in (folder / "refusals.jsonl").read_text().splitlines()]
    assert [one["reason"] for one in refusals] == ["the signed text does not fit its signature"]
    [entry] = house.audited("feedback.refused")
    assert entry.study_id == full[0].id


def test_a_known_name_in_an_odd_spelling_refuses_the_record(house, reader, export):
    text = {**made.TEXT, "findings": f"{made.FINDINGS} Compare M u l l e r."}
    made.signed(house, reader, text=text)
    folder, tally = export()
    assert (tally.records, dict(tally.refused)) == (
        0, {"a person's name of the record still occurs in signed_findings after scrubbing": 1},
    )  # fmt: skip
    assert "M u l l e r" not in contents(folder)


def test_who_exported_how_many_is_in_the_chain(house, full, export):
    tally = export()[1]
    [read], [done] = house.audited("feedback.read"), house.audited("feedback.exported")
    assert (read.actor, read.detail) == ("user:root-karla", {"export": tally.export, "reports": 3})
    assert (done.actor, done.detail["records"], done.detail["opted_out"]) == ("user:root-karla", 3, 0)
    assert done.detail["files"] == tally.files
    assert sorted(tally.files) == ["CARD.md", "feedback.jsonl", "feedback.parquet", "refusals.jsonl"]
    with house.database.reading() as session:
        assert audit_trail.verify(session).ok


@pytest.mark.parametrize("name", ["room_one", made.INSTITUTION.upper(), "elsewhere", "pacs"])
def test_a_site_that_opts_out_is_left_out_and_counted(house, reader, export, name):
    made.signed(house, reader)
    folder, tally = export(opted_out=(name, "NOBODY"))
    assert (tally.records, tally.opted_out.total(), (folder / "feedback.jsonl").read_text()) == (0, 1, "")
    card = (folder / "CARD.md").read_text()
    assert "| left out, of 2 sites that opted out (1 of them sent none) | 1 |" in card
    assert name not in card


def test_a_site_whose_own_film_was_the_prior_is_left_out(house, reader, export):
    study, _, _ = made.signed(house, reader)
    made.sent_here(house, study, "CLINIC_NORTH_AE")
    folder, tally = export(opted_out=("clinic_north_ae",))
    assert (tally.records, dict(tally.opted_out)) == (0, {"clinic_north_ae": 1})
    assert (folder / "feedback.jsonl").read_text() == ""


def test_since_takes_later_ones_only(house, reader, export):
    made.signed(house, reader)
    later = house.clock.now()
    made.signed(house, reader, patient_id="P-2")
    assert export(since=later)[1].records == 1


def test_pages_are_complete(house, reader, export):
    for number in range(5):
        made.signed(
            house, reader, patient_id="SAME", accession_number=f"ACC-{number}", study_date=f"2026030{number + 1}"
        )
    folder, tally = export(page=2)
    assert tally.records == 5
    records = made.records(folder)
    assert sorted(one["study_number"] for one in records) == [1, 2, 3, 4, 5]
    assert len({one["patient"] for one in records}) == 1
    assert len({one["record"] for one in records}) == 5
    assert [entry.detail["reports"] for entry in house.audited("feedback.read")] == [2, 2, 1]


def test_two_exports_cannot_be_joined(full, export):
    one, other = (made.records(export()[0]) for _ in range(2))
    assert not {row[key] for row in one for key in ("patient", "study", "record", "site")} & {
        row[key] for row in other for key in ("patient", "study", "record", "site")
    }


def test_only_an_administrator_and_only_into_a_new_folder(house, admin, full, tmp_path):
    use_case = ExportFeedback(house.database, house.clock, house.store)
    with pytest.raises(NotAllowed):
        use_case.export(Reader("x", "ada", "Ada", (Role.RADIOLOGIST,)), Wanted(tmp_path / "no"))
    with pytest.raises(Conflict):
        use_case.export(admin, Wanted(tmp_path))
    assert house.audited("feedback.read") == []


def test_a_missing_object_refuses_the_record(house, reader, export):
    study = made.signed(house, reader)[0]
    with unit_of_work(house.database, house.clock) as uow:
        uow.session.execute(sa.update(Instance).where(Instance.study_id == study.id).values(object_key="objects/00/x"))
    assert dict(export()[1].refused) == {"a stored object of the study is gone": 1}


def test_pictures_are_the_models_own_without_a_header(house, reader, export, pixels):
    study, draft = made.ready_study(house, prior=False)
    with house.database.reading() as session:
        key = session.scalars(sa.select(Instance.object_key).where(Instance.study_id == study.id)).one()
    digest = pixels.model_image(house.store.path(key), 64).sha256
    with unit_of_work(house.database, house.clock) as uow:
        uow.session.merge(draft).image_digests = [digest]
    answer = made.sign(reader, made.save(reader, made.begin(reader, study, draft), made.TEXT))
    assert answer.status_code == 200
    folder, tally = export(pictures=Pictures(house.store, pixels, lambda _name: 64))
    assert tally.pictures == 1
    png = (folder / "images" / f"{digest}.png").read_bytes()
    assert set(re.findall(rb"IHDR|IDAT|IEND|tEXt|iTXt|zTXt|eXIf|tIME", png)) == {b"IHDR", b"IDAT", b"IEND"}


def test_a_film_that_may_carry_text_stays_here(house, reader, export, pixels):
    made.signed(house, reader, prior=False, header={"BurnedInAnnotation": "YES"})
    folder, tally = export(pictures=Pictures(house.store, pixels, lambda _name: 64))
    assert (tally.records, tally.pictures, tally.pictures_left.total()) == (1, 0, 1)
    assert not (folder / "images").exists()
