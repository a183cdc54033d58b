"""MIMIC-CXR-JPG: views, dates, reports and splits as the official files give them; nothing is lost unsaid."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.training.datasets.layouts import Prepared, film, mimic, mimic_report, write_csv
from training.datasets.problems import BadSource

ONE = {"patient": 10000032, "study": 50414267, "images": [("aa-1", "PA")], "date": "21800506", "time": "213014.531"}


def test_a_study_has_its_sections_view_order_and_labels(tmp_path: Path):
    report = mimic_report(
        examination="CHEST (PA AND LAT)",
        indication="___ year old woman with cough",
        comparison="Chest radiograph ___.",
        findings="The lungs are clear.\n There is no effusion.",
        impression="No acute cardiopulmonary process.",
    )
    images = [("lat", "LATERAL"), ("ap", "AP"), ("pa", "PA")]
    study = ONE | {
        "images": images,
        "report": report,
        "procedure": "CHEST (PA AND LAT)",
        "labels": {"Edema": "0.0", "Pneumonia": "-1.0", "No Finding": "1.0"},
        "split": "validate",
    }
    made = Prepared("mimic_cxr", mimic(tmp_path / "in", [study]), tmp_path / "out")
    row = made.rows["50414267"]
    assert row["findings"] == "The lungs are clear. There is no effusion."
    assert row["impression"] == "No acute cardiopulmonary process."
    assert row["indication"] == "___ year old woman with cough"
    assert row["comparison"] == "Chest radiograph ___."
    assert (row["sections"], row["view"], row["split"]) == ("both", "PA", "validate")
    assert Path(row["image"]).name == "pa.jpg"
    assert [Path(path).stem for path in row["image_paths"]] == ["pa", "ap", "lat"]
    assert row["order_key"] == "2180-05-06T21:30:14.531"
    assert row["procedure"] == "CHEST (PA AND LAT)"
    assert {name: value for name, value in row["labels"].items() if value is not None} == {
        "Edema": 0,
        "Pneumonia": -1,
        "No Finding": 1,
    }
    assert row["source_row"] == "mimic-cxr-2.0.0-metadata.csv.gz:2"


def test_priors_follow_date_and_time_and_never_the_study_number(tmp_path: Path):
    studies = [
        ONE | {"study": 59999999, "date": "21800101", "time": "91500.5", "images": [("first", "AP")]},
        ONE | {"study": 50000001, "date": "21800101", "time": "101500.0", "images": [("second", "PA")]},
        ONE | {"study": 55555555, "date": "21800301", "time": "000000.0", "images": [("third", "AP")]},
        ONE | {"study": 55555556, "date": "21800301", "time": "0.0", "images": [("same time", "AP")]},
        {**ONE, "patient": 10000033, "study": 51111111, "date": "21810101", "images": [("other patient", "PA")]},
    ]
    made = Prepared("mimic_cxr", mimic(tmp_path / "in", studies), tmp_path / "out")
    rows = made.rows
    assert rows["59999999"]["prior_study_id"] is None
    assert rows["50000001"]["prior_study_id"] == "59999999"  # the time lost its leading zero in the CSV
    assert rows["50000001"]["prior_report"] == "Findings: Lungs of 59999999 are clear. Impression: Normal."
    assert rows["50000001"]["prior_image"] == rows["59999999"]["image"]
    assert rows["50000001"]["prior_date"] == "2180-01-01"
    assert rows["55555555"]["prior_study_id"] == rows["55555556"]["prior_study_id"] == "50000001"
    assert rows["51111111"]["prior_study_id"] is None


def test_a_study_without_a_time_is_no_prior_of_its_own_day(tmp_path: Path):
    studies = [
        ONE | {"study": 41, "date": "21800101", "time": "090000.0", "images": [("e1", "AP")]},
        ONE | {"study": 42, "date": "21800102", "time": "", "images": [("e2", "AP")]},
        ONE | {"study": 43, "date": "21800102", "time": "091500.0", "images": [("e3", "AP")]},
        ONE | {"study": 44, "date": "21800102", "time": "101500.0", "images": [("e4", "AP")]},
        ONE | {"study": 45, "date": "21800103", "time": "", "images": [("e5", "AP")]},
    ]
    rows = Prepared("mimic_cxr", mimic(tmp_path / "in", studies), tmp_path / "out").rows
    given = {name: row["prior_study_id"] for name, row in rows.items()}
    assert given == {"41": None, "42": "41", "43": "41", "44": "43", "45": "44"}


def test_a_lateral_study_is_kept_and_is_no_prior(tmp_path: Path):
    studies = [
        ONE | {"study": 51, "date": "21800101", "images": [("lateral", "LL")]},
        ONE | {"study": 52, "date": "21800102", "images": [("frontal", "AP")]},
    ]
    made = Prepared("mimic_cxr", mimic(tmp_path / "in", studies), tmp_path / "out")
    assert made.rows["51"]["view"] == "LATERAL"
    assert made.reasons("51") == {"no frontal film"}
    assert made.rows["52"]["prior_study_id"] is None


def test_sections_decide_what_is_kept(tmp_path: Path):
    studies = [
        ONE | {"study": 61, "images": [("a1", "PA")], "report": mimic_report(findings="Clear lungs.")},
        ONE | {"study": 62, "images": [("a2", "PA")], "report": mimic_report(impression="Normal chest.")},
        ONE | {"study": 63, "images": [("a3", "PA")], "report": mimic_report(indication="Cough.", findings="")},
        ONE | {"study": 64, "images": [("a4", "PA")], "report": " WET READ\n \n The tube is too low.\n"},
        ONE | {"study": 65, "images": [("a5", "PA")], "report": None},
    ]
    root = mimic(tmp_path / "in", studies)
    made = Prepared("mimic_cxr", root, tmp_path / "out")
    assert {name: row["sections"] for name, row in made.rows.items()} == {
        "61": "findings",
        "62": "impression",
        "64": "findings",
    }
    assert made.rows["64"]["findings"] == "The tube is too low."
    assert made.reasons("64") == {"findings without a heading"}
    assert made.reasons("65") == {"report missing", "findings and impression both empty"}
    assert made.dropped() == {"findings and impression both empty": 2}
    strict = Prepared("mimic_cxr", root, tmp_path / "strict", last_paragraph=False)
    assert "64" not in strict.rows


def test_broken_rows_are_listed_with_their_reason(tmp_path: Path):
    studies = [
        ONE | {"study": 71, "images": [("b1", "PA")], "date": "21800101"},
        ONE | {"study": 72, "images": [("b2", "PA"), ("b3", "AP")], "date": "21800102"},
        ONE | {"study": 73, "images": [("b4", "PA")], "date": "21800103"},
        ONE | {"study": 74, "images": [("b5", "PA")], "date": "no date"},
        ONE
        | {"study": 75, "images": [("b6", "PA")], "date": "21800105", "report": "FINDINGS: caf\xe9".encode("latin-1")},
        ONE | {"study": 76, "images": [("b7", "")], "date": "21800106"},
    ]
    root = mimic(tmp_path / "in", studies)
    folder = root / "files" / "p10" / "p10000032"
    (folder / "s71" / "b1.jpg").unlink()
    (folder / "s72" / "b2.jpg").write_bytes(b"")
    whole = (folder / "s73" / "b4.jpg").read_bytes()
    (folder / "s73" / "b4.jpg").write_bytes(whole[: len(whole) // 2])
    index = root / "mimic-cxr-2.0.0-metadata.csv.gz"
    lines = gzip.decompress(index.read_bytes()).decode().splitlines()
    broken = [*lines, "cut,10000032", 'open,"quote', lines[1].replace("10000032", "").replace("b1", "b9")]
    index.write_bytes(gzip.compress("\n".join(broken).encode()))
    made = Prepared("mimic_cxr", root, tmp_path / "out")
    assert set(made.rows) == {"72", "74", "75", "76"}
    assert made.reasons("71") == {"image missing or empty", "no readable image"}
    assert made.rows["72"]["view"] == "AP"  # the PA film is an empty file
    assert made.reasons("72") == {"image missing or empty"}
    assert made.reasons("73") == {"image is cut off", "no readable image"}
    assert made.reasons("74") == {"no study date"}
    assert made.rows["75"]["findings"] == "café"
    assert made.reasons("75") == {"not UTF-8"}
    assert made.rows["76"]["view"] == ""
    assert made.dropped() == {"no readable image": 2, "unreadable line": 2, "identifier missing": 1}
    assert {p.source.rsplit(":", 1)[1] for p in made.problems if p.reason == "unreadable line"} == {"9", "10"}


def test_duplicates_are_dropped_and_templates_are_not(tmp_path: Path):
    long = " ".join(f"Sentence number {n} about the chest." for n in range(8))
    normal = mimic_report(impression="No acute cardiopulmonary process.")
    studies = [
        ONE | {"study": 81, "images": [("c1", "PA")], "date": "21800101", "report": normal},
        ONE | {"study": 82, "images": [("c2", "PA")], "date": "21800102", "report": normal},
        ONE | {"study": 83, "images": [("c3", "PA")], "date": "21800102", "report": normal},
        ONE | {"study": 84, "images": [("c4", "PA")], "date": "21800104", "report": mimic_report(findings=long)},
        ONE
        | {"study": 85, "images": [("c5", "PA")], "date": "21800105", "report": mimic_report(findings=long.upper())},
        ONE | {"study": 86, "images": [("c6", "PA")], "date": "21800106", "pixels": 5},
        {**ONE, "patient": 10000099, "study": 87, "images": [("c7", "PA")], "pixels": 5, "split": "test"},
        ONE | {"study": 88, "images": [("c8", "PA")], "date": "21800108"},
        ONE
        | {
            "study": 89,
            "images": [("c9", "PA")],
            "date": "21800105",
            "time": "235900.0",
            "report": mimic_report(findings=long),
        },
        {**ONE, "study": 90, "images": [("cA", "PA")], "date": "", "report": mimic_report(findings=long), "pixels": 9},
        {**ONE, "study": 91, "images": [("cB", "PA")], "date": "", "report": mimic_report(findings=long), "pixels": 9},
    ]
    made = Prepared("mimic_cxr", mimic(tmp_path / "in", studies), tmp_path / "out")
    assert set(made.rows) == {"81", "82", "84", "85", "87", "88", "90"}
    assert made.reasons("83") == {"same patient, time and report"}
    assert made.rows["85"]["prior_study_id"] == "84", "nothing changed since: a pair to learn from"
    assert made.reasons("86") == {"same image as another study"}  # of the two, the one in the test split stays
    assert made.reasons("89") == {"same patient, day and report"}
    assert made.rows["90"]["findings"] == long, "no date: another film may be of another day"
    assert made.reasons("91") == {"no study date", "same image as another study"}


def test_a_patient_is_in_one_split_and_the_hold_out_takes_whole_patients(tmp_path: Path):
    studies = [
        {
            **ONE,
            "patient": 10000100 + n // 2,
            "study": 900 + n,
            "images": [(f"d{n}", "PA")],
            "date": f"2180010{n % 2 + 1}",
        }
        for n in range(20)
    ]
    studies[3]["split"] = "test"
    made = Prepared("mimic_cxr", mimic(tmp_path / "in", studies), tmp_path / "out", validation_studies=5)
    patients: dict[str, set[str]] = {}
    for row in made.all:
        patients.setdefault(row["patient_id"], set()).add(row["split"])
    assert all(len(splits) == 1 for splits in patients.values())
    assert patients["10000101"] == {"test"}
    assert made.reasons("902") == {"patient in several splits"}
    assert made.card["sites"]["mimic_cxr"]["splits"] == {"train": 12, "validate": 6, "test": 2}


@pytest.mark.parametrize(("said", "split"), [("Test ", "test"), ("VALIDATE", "validate"), ("train", "train")])
def test_splits_are_read_whatever_case_and_spaces(tmp_path: Path, said: str, split: str):
    made = Prepared("mimic_cxr", mimic(tmp_path / "in", [ONE | {"split": said}]), tmp_path / "out")
    assert made.rows["50414267"]["split"] == split
    assert not made.problems


def test_splits_that_are_not_known_are_refused_and_missing_ones_listed(tmp_path: Path):
    other = ONE | {"study": 50414268, "images": [("bb-1", "PA")], "date": "21800507"}
    root = mimic(tmp_path / "in", [ONE | {"split": "testing"}, other])
    with pytest.raises(BadSource, match=r"split\.csv\.gz:2: there is no split 'testing'; known are train, validate"):
        Prepared("mimic_cxr", root, tmp_path / "out")
    made = Prepared("mimic_cxr", mimic(tmp_path / "in", [ONE | {"split": ""}, other]), tmp_path / "out")
    assert made.reasons("50414267") == {"no split in the source"}
    assert made.reasons("50414268") == set()
    write_csv(root / "mimic-cxr-2.0.0-split.csv.gz", ("dicom_id", "study_id", "subject_id", "split"), [])
    with pytest.raises(BadSource, match="gives no study a split"):
        Prepared("mimic_cxr", root, tmp_path / "out")


def test_patients_of_mimic_iv_give_sex_age_and_race(tmp_path: Path):
    root = mimic(tmp_path / "in", [ONE])
    patients = {"subject_id": "10000032", "gender": "F", "anchor_age": "52", "anchor_year": "2178"}
    write_csv(root / "hosp" / "patients.csv.gz", tuple(patients), [patients])
    admission = {"subject_id": "10000032", "race": "WHITE"}
    write_csv(root / "hosp" / "admissions.csv.gz", tuple(admission), [admission])
    options = {"patients": "hosp/patients.csv.gz", "admissions": "hosp/admissions.csv.gz"}
    row = Prepared("mimic_cxr", root, tmp_path / "out", **options).rows["50414267"]
    assert (row["sex"], row["age"], row["race"]) == ("F", 54.0, "WHITE")


def test_sections_made_by_the_publishers_stand_for_ours(tmp_path: Path):
    root = mimic(tmp_path / "in", [ONE])
    row = {"study": "s50414267", "impression": "Theirs.", "findings": "", "last_paragraph": "", "comparison": ""}
    write_csv(root / "mimic_cxr_sectioned.csv", tuple(row), [row])
    made = Prepared("mimic_cxr", root, tmp_path / "out", sectioned="mimic_cxr_sectioned.csv").rows["50414267"]
    assert (made["findings"], made["impression"], made["sections"]) == ("", "Theirs.", "impression")


def test_reports_may_lie_in_a_tree_of_their_own(tmp_path: Path):
    root = mimic(tmp_path / "in", [ONE])
    report = root / "files" / "p10" / "p10000032" / "s50414267.txt"
    elsewhere = tmp_path / "reports" / report.relative_to(root)
    elsewhere.parent.mkdir(parents=True)
    report.rename(elsewhere)
    assert Prepared("mimic_cxr", root, tmp_path / "out", reports=str(tmp_path / "reports")).rows["50414267"]["findings"]


def test_a_folder_that_is_no_mimic_is_refused_with_what_is_missing(tmp_path: Path):
    film(tmp_path / "in" / "x.jpg")
    with pytest.raises(BadSource, match=r"no mimic-cxr-2\.1\.0-split\.csv or mimic-cxr-2\.0\.0-split\.csv"):
        Prepared("mimic_cxr", tmp_path / "in", tmp_path / "out")
