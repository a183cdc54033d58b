"""Rows of a manifest as prompts: the same as evaluation asks, and nothing is judged by a prior that was not shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from training.config import Manifest
from training.datasets.manifest import Row, sections_of, table
from training.datasets.priors import invented_date
from training.evaluate.manifest_studies import case_of
from training.manifest_prompts import Shown, abnormal, question

DATED = {"prior_study_id": "s0", "prior_image": "0.png", "prior_report": "Findings: Clear.", "prior_date": "2180-01-01"}
ROWS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "comparison told": {"comparison": "Chest radiograph ___."},
    "dated prior": {**DATED, "comparison": "Chest radiograph ___."},
    "undated prior": {**DATED, "prior_date": None, "comparison": "None available."},
    "prior without a report": {**DATED, "prior_date": None, "prior_report": None},
    "prior without its film": {**DATED, "prior_image": None, "comparison": "Chest radiograph ___."},
}


def row(**values: Any) -> dict[str, Any]:
    """A row of `training_rows`."""
    values = {"findings": "Small left effusion.", "impression": "Effusion.", "comparison": "", **values}
    made = Row(
        study_id="s1", patient_id="p", dataset="city", split="train", image="1.png", image_paths=("1.png",), view="PA",
        order_key="000002", indication="Cough.", sections=sections_of(values["findings"], values["impression"]),
        source_row="x", **values,
    )  # fmt: skip
    return {**table([made]).to_pylist()[0], "place": 0}


def asked(given: dict[str, Any], shown: Shown | None = None, **manifest: Any) -> Any:
    return question(given, Manifest(path="", image_root="", image_size=64, **manifest), shown or Shown(), seed=1)


@pytest.mark.parametrize("values", ROWS.values(), ids=ROWS.keys())
def test_training_and_evaluation_ask_the_same(values: dict[str, Any]):
    given = row(**values)
    case, trained = case_of(given, encounter=2), asked(given)
    assert trained.text == case.prompt("reports").text
    assert len(trained.images) == len(case.films())
    assert trained.reference == case.reference("reports")


def test_a_prior_without_a_date_is_shown_under_an_invented_one():
    made = asked(row(**ROWS["undated prior"]))
    assert made.images == ("0.png", "1.png")
    assert (made.has_prior, made.prior_report) == (True, "Findings: Clear.")
    assert f"Prior frontal chest radiograph of {invented_date('s0').isoformat()}, shown first." in made.text
    assert invented_date("s0") == invented_date("s0") != invented_date("s2")


@pytest.mark.parametrize(
    ("findings", "impression", "kept"),
    [
        ("Effusion is larger than on the prior.", "Effusion.", True),
        ("Effusion.", "Unchanged effusion.", True),
        ("New effusion on the left.", "", True),
        ("Left pleural effusion is increased. Heart size is normal.", "", True),
        ("Lungs are clear.", "Similar right base atelectasis.", True),
        ("Small left effusion.", "Effusion.", False),
    ],
)
def test_a_reference_that_compares_keeps_its_prior(findings: str, impression: str, kept: bool):
    given = row(**ROWS["dated prior"], findings=findings, impression=impression)
    made = asked(given, Shown(prior_dropout=1.0))
    assert made.has_prior is kept
    assert len(made.images) == 1 + kept
    assert ("Comparison: None." in made.text) is not kept, "a prior that is left out is not told of either"


def test_a_comparison_in_a_section_that_is_not_asked_for_needs_no_prior():
    given = row(**ROWS["dated prior"], impression="Unchanged effusion.")
    assert not asked(given, Shown(findings_share=1.0, prior_dropout=1.0)).has_prior


def test_the_share_of_prior_reports_leaves_the_film():
    made = asked(row(**ROWS["undated prior"]), prior_report_rate=0.0)
    assert (len(made.images), made.prior_report) == (2, "")


def studies(*findings: str) -> pa.Table:
    rows = [row(findings=text, impression="") for text in findings]
    return pa.Table.from_pylist([{**one, "study_id": str(place)} for place, one in enumerate(rows)])


def test_what_shows_something_is_kept_for_the_same_studies_only(tmp_path: Path):
    keep, rows = tmp_path / "out" / "abnormal.npy", studies("Large left effusion.", "The lungs are clear.")
    assert abnormal(rows, keep).tolist() == [True, False]
    [path] = keep.parent.iterdir()
    np.save(path, np.array([False, False]))
    assert abnormal(rows, keep).tolist() == [False, False], "read once"
    turned = studies("The lungs are clear.", "Large left effusion.")
    assert abnormal(turned, keep).tolist() == [False, True], "as many studies, but others"


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x93NUMPY\x01\x00"])
def test_a_damaged_file_is_made_anew(tmp_path: Path, content: bytes):
    keep, rows = tmp_path / "abnormal.npy", studies("Large left effusion.", "The lungs are clear.")
    abnormal(rows, keep)
    [path] = tmp_path.iterdir()
    whole = path.read_bytes()
    for damaged in (content, whole[:-1]):
        path.write_bytes(damaged)
        assert abnormal(rows, keep).tolist() == [True, False]
        assert path.read_bytes() == whole
    assert [path] == list(tmp_path.iterdir())
