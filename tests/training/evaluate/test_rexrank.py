"""ReXrank's files: what its own test sets look like, and what its scorers are given."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from model.errors import NotAnImage
from training.evaluate.cases import judged_in
from training.evaluate.metrics import as_rexrank_writes, samples
from training.evaluate.rexrank import (
    BadRecords,
    image_file,
    prediction,
    read_context,
    read_records,
    study_case,
    write_records,
    write_tables,
)

# In the form of the public test files, NaN and all.
CASES = """{
    "CXR1_IM-1": {
        "key_image_path": "CXR1_IM-1/1.png",
        "image_path": ["CXR1_IM-1/0.png", "CXR1_IM-1/1.png"],
        "frontal_lateral": ["Lateral", "Frontal"],
        "report": "Findings: The heart is enlarged. Impression: Cardiomegaly.",
        "section_findings": "The heart is enlarged.",
        "section_impression": "Cardiomegaly.",
        "context": "Age:50-60.Gender:M.Indication: Cough, \\"worse\\".Comparison: None."
    },
    "CXR2": {
        "image_path": ["CXR2/0.png"],
        "section_findings": NaN,
        "section_impression": "No acute disease.",
        "context": NaN
    }
}"""


@pytest.fixture
def records(tmp_path):
    path = tmp_path / "cases.json"
    path.write_text(CASES)
    return read_records(path)


def test_a_missing_section_is_nan_and_becomes_none(records):
    assert list(records) == ["CXR1_IM-1", "CXR2"]
    assert records["CXR2"]["section_findings"] is None


def test_context_is_taken_apart():
    assert read_context("Age:50-60.Gender:M.Indication: Fever. Comparison: CT of chest.") == {
        "age": "50-60",
        "gender": "M",
        "indication": "Fever.",
        "comparison": "CT of chest.",
    }
    assert read_context("Indication: Shortness of breath Comparison: None") == {
        "indication": "Shortness of breath",
        "comparison": "None",
    }
    assert read_context("Indication:  Comparison: ") == {}
    assert read_context(None) == {}


def test_a_record_becomes_a_study(records):
    case = study_case("CXR1_IM-1", records["CXR1_IM-1"], Path("/films"))
    assert (case.findings, case.impression) == ("The heart is enlarged.", "Cardiomegaly.")
    assert case.groups == {"sex": "M", "age": "40 to 59", "race": "unknown"}
    assert case.reference("reports") == "Findings: The heart is enlarged. Impression: Cardiomegaly."
    assert case.reference("findings") == "Findings: The heart is enlarged."
    assert 'Indication: ⟦Cough, "worse".⟧ Comparison: ⟦None.⟧' in case.prompt("reports").text
    assert "Impression" not in case.prompt("findings").text
    assert study_case("CXR2", records["CXR2"], Path("/films")).reference("reports") == "Impression: No acute disease."


def test_the_key_image_is_the_film_and_the_first_one_where_none_is_named(records):
    root = Path("/films")
    assert image_file(root, records["CXR1_IM-1"], "x") == root / "CXR1_IM-1/1.png"
    assert image_file(root, records["CXR2"], "x") == root / "CXR2/0.png"
    assert image_file(root, {"key_image_path": "./a/../b.png"}, "x") == root / "b.png"


@pytest.mark.parametrize(
    "record", [{}, {"image_path": []}, {"key_image_path": 3}, {"key_image_path": "../../etc/x.png"}]
)
def test_a_case_without_a_film_below_the_folder_is_refused(record):
    with pytest.raises(BadRecords, match="case x"):
        image_file(Path("/films"), record, "x")


@pytest.mark.parametrize("said", [{}, {"model_prediction": None}, {"model_prediction": ["x"]}])
def test_what_is_no_text_is_no_prediction(said):
    assert prediction(said) is None
    assert prediction({"model_prediction": "Clear."}) == "Clear."


def test_a_case_without_an_image_is_a_study_whose_film_cannot_be_read(records):
    case = study_case("x", {**records["CXR1_IM-1"], "image_path": None, "key_image_path": None}, Path("/films"))
    assert case.findings == "The heart is enlarged."
    with pytest.raises(NotAnImage, match="case x: neither key_image_path nor image_path"):
        case.film(64)


@pytest.mark.parametrize("key", ["context", "section_findings"])
def test_a_text_that_is_none_is_refused(records, key):
    with pytest.raises(BadRecords, match=f"case x: {key} must be text"):
        study_case("x", {**records["CXR2"], key: 3}, Path("/films"))


def test_what_is_judged_is_what_the_tables_hold(records, tmp_path):
    records["CXR3"] = {"image_path": ["CXR3/0.png"], "section_findings": None, "section_impression": None}
    for record in records.values():
        record["model_prediction"] = "Findings: Heart large. Impression: Large heart."
    cases = [study_case(name, record, Path("/films")) for name, record in records.items()]
    for split in ("reports", "findings"):
        judged = judged_in(cases, split)
        seen = samples(judged, ["Findings: Heart large. Impression: Large heart."] * len(judged), split)
        truth, said = (rows_of(path)[1:] for path in write_tables(records, split, tmp_path / split))
        assert [as_rexrank_writes(one).reference for one in seen] == [row[2] for row in truth]
        assert [one.prediction for one in seen] == [row[2] for row in said]


def test_what_is_written_is_strict_json(records, tmp_path):
    path = tmp_path / "predictions.json"
    write_records(path, records)

    def refuse(constant):
        raise AssertionError(constant)

    assert json.loads(path.read_text(), parse_constant=refuse) == records


@pytest.mark.parametrize("text", ["[1]", '{"a": 1}', "{", '"x"'])
def test_another_file_is_refused(tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(BadRecords, match=r"x\.json"):
        read_records(tmp_path / "x.json")


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_tables_of_both_splits(records, tmp_path):
    for record in records.values():
        record["model_prediction"] = "Findings: Heart large. Impression: Large heart."
    truth, said = (rows_of(path) for path in write_tables(records, "reports", tmp_path / "r"))
    assert truth == [
        ["study_id", "case_id", "report"],
        ["0", "CXR1_IM-1", "Findings: The heart is enlarged. Impression: Cardiomegaly."],
        ["1", "CXR2", "Findings: None Impression: No acute disease."],
    ]
    assert said[2] == ["1", "CXR2", "Findings: Heart large. Impression: Large heart."]
    truth, said = (rows_of(path) for path in write_tables(records, "findings", tmp_path / "f"))
    assert truth[1:] == [["0", "CXR1_IM-1", "The heart is enlarged."]]
    assert said[1:] == [["0", "CXR1_IM-1", "Heart large."]]


def test_cases_without_a_prediction_make_no_table(records, tmp_path):
    with pytest.raises(BadRecords, match="2 cases have no model_prediction"):
        write_tables(records, "reports", tmp_path)
