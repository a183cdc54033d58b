"""ReXGradient-160K: JSON by study, PNG paths from metadata/, CSV for what is left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.training.datasets.layouts import Prepared, film, rexgradient_entry, write_csv, write_json
from training.datasets.problems import BadSource
from training.datasets.rexgradient import plan
from training.datasets.source import Source

DEEP = "GRDN1/GRDN2/studies/1.2/series/1.3/instances/{}.png"


def collection(root: Path, **splits: dict[str, Any]) -> Path:
    number = 0
    for split, entries in splits.items():
        write_json(root / "metadata" / f"{split}_metadata_view_position.json", entries)
        for entry in entries.values():
            for path in entry.get("ImagePath", []) if isinstance(entry, dict) else []:
                number += 1
                film(root / "deid_png" / path.removeprefix("../deid_png/"), number)
    return root


def test_a_study_is_read_from_its_json_entry(tmp_path: Path):
    images = {DEEP.format("a"): "LATERAL", DEEP.format("b"): "POSTERO_ANTERIOR", DEEP.format("c"): "AP AXIAL"}
    entry = rexgradient_entry("P1", "S1", 20200131, images)
    made = Prepared("rexgradient", collection(tmp_path / "in", train={"k1": entry}), tmp_path / "out")
    row = made.rows["S1"]
    assert (row["view"], row["sex"], row["age"], row["split"]) == ("PA", "M", 58.0, "train")
    assert row["image"] == str(tmp_path / "in" / "deid_png" / DEEP.format("b"))
    assert (row["indication"], row["comparison"]) == ("Cough.", "")
    assert row["order_key"] == "2020-01-31"
    assert row["source_row"] == "train_metadata_view_position.json:k1"


def test_splits_are_the_files_and_studies_of_one_day_are_no_priors(tmp_path: Path):
    def study(name: str, patient: str, day: object) -> Any:
        return rexgradient_entry(patient, name, day, {DEEP.format(name): "AP"})

    root = collection(
        tmp_path / "in",
        train={"1": study("S1", "P1", 20200101), "2": study("S2", "P1", 20200101), "3": study("S3", "P1", "20200103")},
        valid={"4": study("S4", "P2", 20200101)},
        test={"5": study("S5", "P3", None)},
    )
    made = Prepared("rexgradient", root, tmp_path / "out")
    assert {name: row["split"] for name, row in made.rows.items()} == {
        **dict.fromkeys(("S1", "S2", "S3"), "train"),
        "S4": "validate",
        "S5": "test",
    }
    assert made.rows["S2"]["prior_study_id"] is None
    assert made.rows["S3"]["prior_study_id"] == "S1"
    assert made.reasons("S5") == {"no study date"}


def test_the_csv_fills_what_the_json_leaves_out(tmp_path: Path):
    entry = rexgradient_entry("P1", "S1", 20200101, {DEEP.format("a"): "AP"}, PatientAge=None, Findings="")
    root = collection(tmp_path / "in", train={"k1": entry})
    line = {"id": "k1", "PatientAge": "041Y", "Findings": "Of the CSV.", "Impression": "never this", "EthnicGroup": "X"}
    write_csv(root / "metadata" / "train_metadata.csv", tuple(line), [line])
    row = Prepared("rexgradient", root, tmp_path / "out").rows["S1"]
    assert (row["age"], row["findings"], row["impression"], row["ethnicity"]) == (
        41.0,
        "Of the CSV.",
        "Impression of S1.",
        "X",
    )


def test_broken_entries_are_listed(tmp_path: Path):
    good = rexgradient_entry("P1", "S1", 20200101, {DEEP.format("a"): "AP"})
    entries = {
        "good": good,
        "text": "not an entry",
        "nobody": good | {"PatientID": None},
        "path": rexgradient_entry("P2", "S2", 20200101, {}) | {"ImagePath": "a.png"},
        "view": good | {"ImageViewPosition": {"0": "PA"}},
        "name": rexgradient_entry("P5", "S5", 20200101, {}) | {"ImagePath": ["a\0.png"]},
        "no image": rexgradient_entry("P3", "S3", 20200101, {}),
        "empty": rexgradient_entry("P4", "S4", 20200101, {DEEP.format("e"): "AP"}, Findings=None, Impression="None"),
        "twice": good | {"Findings": "Another text."},
    }
    root = collection(tmp_path / "in", train={"good": good})
    film(root / "deid_png" / DEEP.format("e"), 99)
    write_json(root / "metadata" / "train_metadata_view_position.json", entries)
    made = Prepared("rexgradient", root, tmp_path / "out")
    assert list(made.rows) == ["S1"]
    assert made.dropped() == {
        "unreadable entry": 4,
        "identifier missing": 1,
        "no readable image": 1,
        "findings and impression both empty": 1,
        "same study twice": 1,
    }


@pytest.mark.parametrize(
    ("said", "views"),
    [
        (float("nan"), ["", ""]),
        (None, ["", ""]),
        ("PA", ["PA", ""]),
        (["AP"], ["AP", ""]),
        ([float("nan"), "PA"], ["", "PA"]),
    ],
)
def test_views_may_be_missing_or_a_single_word(tmp_path: Path, said: object, views: list[str]):
    entry = rexgradient_entry(
        "P1", "S1", 20200101, {DEEP.format("a"): "", DEEP.format("b"): ""}, ImageViewPosition=said
    )
    root = collection(tmp_path / "in", train={"k1": entry})
    [record] = plan(Source("rexgradient", root)).records
    assert [view for _, view in record["images"]] == views
    assert list(Prepared("rexgradient", root, tmp_path / "out").rows) == ["S1"]


def test_a_broken_file_or_the_csv_alone_is_refused(tmp_path: Path):
    root = collection(tmp_path / "in", train={})
    with pytest.raises(BadSource, match="name no study"):
        Prepared("rexgradient", root, tmp_path / "out")
    (root / "metadata" / "train_metadata_view_position.json").write_text('{"cut": ')
    with pytest.raises(BadSource, match="is not JSON"):
        Prepared("rexgradient", root, tmp_path / "out")
    (root / "metadata" / "train_metadata_view_position.json").unlink()
    with pytest.raises(BadSource, match="CSV files alone name no images"):
        Prepared("rexgradient", root, tmp_path / "out")


def test_a_template_said_of_two_films_of_a_day_without_times_is_two_studies(tmp_path: Path):
    def study(name: str, **said: str) -> Any:
        return rexgradient_entry("P1", name, 20200101, {DEEP.format(name): "AP"}, **said)

    template, long = (
        {"Findings": "Clear lungs.", "Impression": ""},
        {"Findings": "Clear lungs. " * 20, "Impression": ""},
    )
    entries = {name: study(name, **said) for name, said in (("A", template), ("B", template), ("C", long), ("D", long))}
    made = Prepared("rexgradient", collection(tmp_path / "in", train=entries), tmp_path / "out")
    assert set(made.rows) == {"A", "B", "C"}
    assert made.reasons("D") == {"same patient, day and report"}
