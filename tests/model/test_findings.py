"""Report text read back as findings."""

from __future__ import annotations

import pytest

from model.findings import changes, present, read_findings, side_contradictions


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The heart is enlarged.", {("cardiomegaly", None)}),
        ("Cardiac silhouette within normal limits.", set()),
        ("The heart is not enlarged.", set()),
        ("There is a small left pleural effusion.", {("effusion", "left")}),
        ("No pleural effusion or pneumothorax.", set()),
        ("No pneumothorax, but there is a small left effusion.", {("effusion", "left")}),
        ("Bilateral pleural effusions.", {("effusion", "right"), ("effusion", "left")}),
        (
            "Right upper lobe consolidation and left basal atelectasis.",
            {("consolidation", "right"), ("atelectasis", "left")},
        ),
        ("Effusion: none. Pneumothorax: large right.", {("pneumothorax", "right")}),
        ("Pulmonary oedema.", {("edema", None)}),
        ("Possible left consolidation.", set()),
        ("The right pneumothorax has resolved.", set()),
        ("The left pleural effusion is unchanged.", {("effusion", "left")}),
        ("An endotracheal tube is in place. Right central line noted.", {("tube", None), ("line", "right")}),
    ],
)
def test_present(text: str, expected: set[tuple[str, str | None]]):
    assert present(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The left pleural effusion has increased.", {("effusion", "left", None, "worse")}),
        ("Improved right pneumothorax.", {("pneumothorax", "right", None, "improved")}),
        ("Change: right upper zone consolidation new.", {("consolidation", "right", "upper", "new")}),
        ("Interval resolution of pulmonary edema.", {("edema", None, None, "resolved")}),
        ("Persistent cardiomegaly, without change.", {("cardiomegaly", None, None, "stable")}),
        ("There is a small left pleural effusion.", set()),
        ("No change from the prior radiograph.", set()),
    ],
)
def test_changes(text: str, expected: set[tuple[str, str | None, str | None, str]]):
    assert changes(text) == expected


def test_sections_and_details():
    found = read_findings("Findings: Small right effusion. Impression: Left mid zone consolidation.")
    assert [(f.section, f.condition, f.size, f.zone) for f in found] == [
        ("findings", "effusion", "small", None),
        ("impression", "consolidation", None, "mid"),
    ]
    assert not read_findings("Indication: left pleural effusion. Findings: Normal.")


def test_side_contradiction():
    assert side_contradictions("Findings: Small left effusion. Impression: Right pleural effusion.")
    assert not side_contradictions("Findings: Bilateral effusions. Impression: Right pleural effusion.")
    assert not side_contradictions("Findings: Pleural effusion. Impression: Right pleural effusion.")
