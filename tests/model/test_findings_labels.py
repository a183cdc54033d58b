"""CheXpert's 14 labels of a report text."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from model.findings import CHEXPERT, chexpert_labels


def told(text: str) -> dict[str, int]:
    return {label: value for label, value in chexpert_labels(text).items() if value is not None}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Heart size normal and lungs are clear. No edema or effusion.",
            {"No Finding": 1, "Cardiomegaly": 0, "Edema": 0, "Pleural Effusion": 0},
        ),
        ("Clear lungs.", {"No Finding": 1}),
        ("Right PICC in place.", {"No Finding": 1, "Support Devices": 1}),
        ("Emphysema.", {}),
        ("No pneumothorax. Small right pneumothorax.", {"Pneumothorax": 1}),
        ("No pneumonia. Pneumonia cannot be excluded.", {"Pneumonia": -1}),
        ("Opacity may represent pneumonia.", {"Lung Opacity": 1, "Pneumonia": -1}),
        ("Atelectasis or consolidation.", {"Atelectasis": -1, "Consolidation": -1}),
        ("No new consolidation.", {"Consolidation": -1}),
        ("Stable cardiomediastinal silhouette.", {"Enlarged Cardiomediastinum": -1}),
        ("Mediastinal contours are normal.", {"No Finding": 1, "Enlarged Cardiomediastinum": 0}),
        ("Decompensated heart failure.", {"Edema": 1, "Cardiomegaly": -1}),
        ("No heart failure.", {"No Finding": 1, "Edema": 0}),
        ("Old left rib fracture.", {"Fracture": 1}),
        ("Apical pleural thickening.", {"Pleural Other": 1}),
        ("Right lower lobe nodule.", {"Lung Lesion": 1}),
        ("Calcified right upper lobe nodule.", {}),
        ("Massive pericardial effusion.", {"No Finding": 1}),
        ("No evidence of tuberculosis.", {"No Finding": 1}),
        ("The endotracheal tube has been removed.", {"No Finding": 1, "Support Devices": 0}),
        ("Indication: pneumonia. Findings: Normal.", {"No Finding": 1}),
        ("", {}),
        (" \n\t", {}),
    ],
)
def test_labels(text: str, expected: dict[str, int]):
    assert told(text) == expected


def test_every_label_is_always_there_in_order():
    assert list(chexpert_labels("")) == list(CHEXPERT)
    assert len(CHEXPERT) == 14


@pytest.mark.peer("test-data")
def test_the_labelers_own_samples(test_data: Path):
    path = test_data / "labeler_phrases" / "chexpert_labeler_mit" / "labeled_reports.csv"
    with path.open(encoding="utf-8", newline="") as rows:
        for row in csv.DictReader(rows):
            expected = {label: int(float(value)) for label, value in row.items() if label != "Reports" and value}
            assert told(row["Reports"]) == expected, row["Reports"]
