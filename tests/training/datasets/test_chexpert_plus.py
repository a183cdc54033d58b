"""CheXpert Plus: one CSV row per image, studies by path, ordinals for dates."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.training.datasets.layouts import CHEXPERT_PLUS, Prepared, chexpert_row, film, write_csv
from training.datasets.problems import BadSource


def collection(root: Path, rows: list[dict[str, object]], *, png: bool = True) -> Path:
    write_csv(root / "df_chexpert_plus_240401.csv", CHEXPERT_PLUS, rows)
    for number, row in enumerate(rows):
        path = root / "PNG" / str(row["path_to_image"])
        film(path.with_suffix(".png") if png else path, number + 1)
    return root


def test_images_of_a_study_come_together_with_its_sections(tmp_path: Path):
    texts = {
        "section_clinical_history": "58 years of age, chest pain.",
        "section_comparison": "None available.\nSee PACS.",
        "section_narrative": "RADIOGRAPHIC EXAMINATION OF THE CHEST: the whole report again",
        "ethnicity": "Non-Hispanic/Non-Latino",
    }
    rows = [
        chexpert_row(1, 1, "view2_lateral", **texts),
        chexpert_row(1, 1, "view1_frontal", ap_pa="PA", **texts),
        chexpert_row(2, 1, split="valid", sex="Unknown", race="Unknown", age=""),
    ]
    made = Prepared("chexpert_plus", collection(tmp_path / "in", rows), tmp_path / "out")
    row = made.rows["patient00001/study1"]
    assert row["view"] == "PA"
    assert Path(row["image"]).name == "view1_frontal.png"
    assert len(row["image_paths"]) == 2
    assert row["indication"] == "58 years of age, chest pain."
    assert row["comparison"] == "None available. See PACS."
    assert (row["sex"], row["age"], row["race"], row["ethnicity"]) == ("F", 61.0, "White", "Non-Hispanic/Non-Latino")
    assert row["split"] == "train"
    valid = made.rows["patient00002/study1"]
    assert (valid["split"], valid["sex"], valid["age"], valid["race"]) == ("test", None, None, None)


def test_priors_follow_the_ordinal_as_a_number(tmp_path: Path):
    rows = [chexpert_row(3, n, patient_report_date_order=order) for n, order in ((1, 10), (2, 2), (3, 9), (4, 10))]
    made = Prepared("chexpert_plus", collection(tmp_path / "in", rows), tmp_path / "out").rows
    assert {name[-1]: row["prior_study_id"] and row["prior_study_id"][-1] for name, row in made.items()} == {
        "2": None,
        "3": "2",
        "1": "3",
        "4": "3",  # 1 and 4 have one ordinal
    }
    assert made["patient00003/study3"]["prior_date"] is None


def test_report_dates_may_order_and_disagreement_is_told(tmp_path: Path):
    reports = {1: "CHEST 2 VIEWS: 5/20/2009 ...", 2: "CHEST 1 VIEW: 05-01-2008 ...", 3: "CHEST: 6/1/2009"}
    rows = [chexpert_row(4, n, report=text) for n, text in reports.items()]
    root = collection(tmp_path / "in", rows)
    by_ordinal = Prepared("chexpert_plus", root, tmp_path / "a")
    assert by_ordinal.rows["patient00004/study2"]["prior_study_id"] == "patient00004/study1"
    assert by_ordinal.card["remarks"] == {"order and report date disagree": 1}
    by_date = Prepared("chexpert_plus", root, tmp_path / "b", order="report_dates").rows
    assert by_date["patient00004/study1"]["prior_study_id"] == "patient00004/study2"
    assert by_date["patient00004/study1"]["prior_date"] == "2008-05-01"


def test_labels_join_by_path(tmp_path: Path):
    root = collection(tmp_path / "in", [chexpert_row(5, 1)])
    line = {
        "path_to_image": "train/patient00005/study1/view1_frontal.jpg",
        "Edema": 1.0,
        "Fracture": -1.0,
        "Pneumonia": None,
    }
    (root / "impression_fixed.json").write_text(json.dumps(line) + "\n{broken\n")
    made = Prepared("chexpert_plus", root, tmp_path / "out", labels="impression_fixed.json")
    labels = made.rows["patient00005/study1"]["labels"]
    assert {name: value for name, value in labels.items() if value is not None} == {"Edema": 1, "Fracture": -1}
    assert made.dropped() == {"unreadable label line": 1}


def test_broken_rows_are_listed_and_the_lines_after_an_open_quote_are_read(tmp_path: Path):
    rows = [
        chexpert_row(6, 1, section_findings='Two lines,\nand a "quoted" word.'),
        chexpert_row(6, 2, section_findings="", section_impression="nan"),
        chexpert_row(6, 3) | {"path_to_image": "somewhere/else.jpg"},
        chexpert_row(6, 4),
    ]
    root = collection(tmp_path / "in", rows)
    path = root / "df_chexpert_plus_240401.csv"
    whole = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*whole[:3], 'train/patient00006/study9/view1_frontal.jpg,"never closed\n', *whole[3:]]))
    made = Prepared("chexpert_plus", root, tmp_path / "out")
    assert set(made.rows) == {"patient00006/study1", "patient00006/study4"}
    assert made.rows["patient00006/study1"]["findings"] == 'Two lines, and a "quoted" word.'
    assert made.dropped() == {
        "findings and impression both empty": 1,
        "path names no study": 1,
        "unreadable line": 1,
    }
    assert [p.source for p in made.problems if p.reason == "unreadable line"] == ["df_chexpert_plus_240401.csv:4"]


def test_jpegs_and_other_folders_are_found_too(tmp_path: Path):
    root = collection(tmp_path / "in", [chexpert_row(7, 1)], png=False)
    (root / "PNG").rename(tmp_path / "jpegs")
    made = Prepared("chexpert_plus", root, tmp_path / "out", images=str(tmp_path / "jpegs"))
    assert made.rows["patient00007/study1"]["image"].endswith("jpegs/train/patient00007/study1/view1_frontal.jpg")


def test_splits_that_are_not_known_are_refused_and_missing_ones_listed(tmp_path: Path):
    root = collection(tmp_path / "in", [chexpert_row(9, 1, split=" Valid"), chexpert_row(10, 1, split="")])
    made = Prepared("chexpert_plus", root, tmp_path / "out")
    assert made.rows["patient00009/study1"]["split"] == "test"
    assert made.reasons("patient00010/study1") == {"no split in the source"}
    root = collection(tmp_path / "other", [chexpert_row(9, 1, split="validation")])
    with pytest.raises(BadSource, match=r"240401\.csv:2: there is no split 'validation'"):
        Prepared("chexpert_plus", root, tmp_path / "out")


def test_two_tables_are_refused_unless_one_is_named(tmp_path: Path):
    root = collection(tmp_path / "in", [chexpert_row(8, 1)])
    write_csv(root / "df_chexpert_plus_250101.csv", CHEXPERT_PLUS, [])
    with pytest.raises(BadSource, match="csv = …"):
        Prepared("chexpert_plus", root, tmp_path / "out")
    assert Prepared("chexpert_plus", root, tmp_path / "out", csv="df_chexpert_plus_240401.csv").rows
