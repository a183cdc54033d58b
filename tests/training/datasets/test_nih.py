"""ChestX-ray14: every image a study, labels and no report, order without dates."""

from __future__ import annotations

import csv
import os
from collections import defaultdict
from pathlib import Path

import pytest

from tests.training.datasets.layouts import NIH_HEADER, Prepared, film
from training.datasets.problems import BadSource


def collection(root: Path, lines: list[str], train_val: str = "", test: str = "") -> Path:
    root.mkdir(parents=True)
    (root / "Data_Entry_2017.csv").write_text("\n".join([NIH_HEADER, *lines]) + "\n")
    for place, line in enumerate(lines):
        film(root / f"images_{place % 12 + 1:03d}" / "images" / line.split(",")[0], place)
    if train_val or test:
        (root / "train_val_list.txt").write_text(train_val.replace(" ", "\n"))
        (root / "test_list.txt").write_text(test.replace(" ", "\n"))
    return root


def line(name: str, labels: str, follow_up: object, patient: object, age: str = "058Y", rest: str = "M,PA") -> str:
    return f"{name},{labels},{follow_up},{patient},{age},{rest},2682,2749,0.143,0.143,"


def test_labels_age_and_order_are_read(tmp_path: Path):
    lines = [
        line("00000001_000.png", "Cardiomegaly|Pleural_Thickening|Effusion", 0, 1),
        line("00000001_002.png", "No Finding", 2, 1, "059Y", "M,AP"),
        line("00000001_010.png", "Hernia", 10, 1, "60"),
    ]
    made = Prepared("nih_cxr14", collection(tmp_path / "in", lines), tmp_path / "out").rows
    first = made["00000001_000"]
    present = {name for name, value in first["labels"].items() if value == 1}
    assert present == {"Cardiomegaly", "Pleural Thickening", "Pleural Effusion"}
    assert first["labels"]["Edema"] == 0
    assert first["labels"]["Fracture"] is None
    assert (first["age"], first["sex"], first["view"], first["sections"]) == (58.0, "M", "PA", "none")
    assert (first["findings"], first["impression"], first["report_digest"]) == ("", "", "")
    assert made["00000001_010"]["prior_study_id"] == "00000001_002"
    assert made["00000001_002"]["prior_study_id"] == "00000001_000"
    assert made["00000001_002"]["prior_report"] is None
    assert made["00000001_002"]["prior_date"] is None


def test_official_lists_split_and_a_share_of_patients_validates(tmp_path: Path):
    lines = [line(f"{patient:08d}_000.png", "No Finding", 0, patient) for patient in range(1, 41)]
    names = [text.split(",")[0] for text in lines]
    root = collection(tmp_path / "in", lines, " ".join(names[:30]), " ".join(names[30:39]))
    made = Prepared("nih_cxr14", root, tmp_path / "out", validate_share=0.2)
    splits = made.card["sites"]["nih_cxr14"]["splits"]
    assert splits["test"] == 9
    assert splits["train"] + splits["validate"] == 30
    assert 0 < splits["validate"] < 15
    assert made.dropped() == {"in neither official list": 1}
    (root / "test_list.txt").unlink()
    with pytest.raises(BadSource, match="only one of"):
        Prepared("nih_cxr14", root, tmp_path / "out")


def test_broken_lines_are_listed(tmp_path: Path):
    lines = [
        line("00000001_000.png", "Effusion|Nonsense", 0, 1, "414"),
        line("00000002_000.png", "No Finding", "", 2),
        line("00000003_000.png", "No Finding", 0, 3),
        "00000004_000.png,No Finding",
        line("00000005_000.png", "No Finding", 0, 5),
        line("00000005_000.png", "No Finding", 0, 5),
    ]
    root = collection(tmp_path / "in", lines)
    (root / "images_003" / "images" / "00000003_000.png").unlink()
    made = Prepared("nih_cxr14", root, tmp_path / "out")
    assert set(made.rows) == {"00000001_000", "00000005_000"}
    assert made.reasons("00000001_000") == {"unknown label", "impossible age"}
    assert made.rows["00000001_000"]["age"] is None
    assert made.dropped() == {
        "identifier missing": 1,
        "no readable image": 1,
        "same study twice": 1,
        "unreadable line": 1,
    }


def test_the_real_subset_is_prepared_whole(tmp_path: Path):
    given = os.environ.get("UNIRG_TEST_DATA")
    root = Path(given or "") / "nih_cxr14"
    if not given or not (root / "labels.csv").is_file():
        pytest.skip("UNIRG_TEST_DATA does not hold nih_cxr14")
    made = Prepared("nih_cxr14", root, tmp_path / "out", entries="labels.csv", images=str(root / "images512"))
    lines = list(csv.DictReader((root / "labels.csv").read_text().splitlines()))
    assert set(made.rows) == {row["Image Index"].removesuffix(".png") for row in lines}
    assert {row["sections"] for row in made.all} == {"none"}
    by_patient: dict[str, set[str]] = defaultdict(set)
    for row in made.all:
        by_patient[row["patient_id"]].add(row["split"])
    assert all(len(splits) == 1 for splits in by_patient.values())
    pairs = list(csv.DictReader((root / "longitudinal_pairs.csv").read_text().splitlines()))
    stems = [(Path(pair["prior"]).stem, Path(pair["current"]).stem) for pair in pairs]
    assert [made.rows[current]["prior_study_id"] for _, current in stems] == [prior for prior, _ in stems]
