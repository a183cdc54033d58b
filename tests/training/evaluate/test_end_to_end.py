"""The nano checkpoint on a few phantoms, from films to the page; ReXrank's inference on PNG and DICOM files."""

from __future__ import annotations

import json
import re
import shutil
from datetime import date, datetime

import cv2
import pytest

import inference
from model.manifest import load_checkpoint
from training.evaluate import __main__ as command
from training.evaluate.drafting import identity, question_digest
from training.evaluate.rexrank import study_case
from training.phantom.dicom import StudyIdentity, dx_dataset
from training.phantom.film import model_film
from training.phantom.reports import report_sections
from training.phantom.studies import study

pytestmark = pytest.mark.skipif(not load_checkpoint("unirg-cxr-nano").present(), reason="no nano weights here")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Folder of one evaluation of four phantom studies."""
    out = tmp_path_factory.mktemp("run")
    told = ["run", "--checkpoint", "unirg-cxr-nano", "--phantoms", "2", "--sites", "north,harbour"]
    assert command.main([*told, "--trained-sites", "north", "--draws", "50", "--out", str(out)]) == 0
    return out


@pytest.fixture(scope="module")
def results(run):
    return json.loads((run / "results.json").read_text())


def test_all_parts_are_there_with_their_n(results):
    assert (results["data"]["studies"], results["data"]["patients"]) == (4, 4)
    assert results["figures"]["findings_f1"]["n"] == 4
    assert set(results["longitudinal"]["arms"]) == {"true prior", "without prior", "wrong prior", "copied prior"}
    assert results["longitudinal"]["arms"]["wrong prior"]["change_f1"]["n"] == 2
    assert results["sites"]["sites"]["harbour"]["studies"] == 2
    assert {"sex", "age", "race", "build"} == set(results["subgroups"])
    assert results["calibration"]["n"] > 10
    assert results["rexrank"]["green"]["absent"]
    assert results["errors"]["findings_errors"]["n"] == 4


def test_figures_can_be_recomputed_from_the_studies_scores(results):
    for name, figure in results["figures"].items():
        pairs = [row["scores"][name] for row in results["studies"]]
        assert figure["value"] == pytest.approx(sum(p[0] for p in pairs) / sum(p[1] for p in pairs))


def test_drafts_are_of_the_checkpoint_and_are_kept(run, results):
    predictions = {row["study"]: row["prediction"] for row in results["studies"]}
    kept = [json.loads(line) for line in (run / "drafts-main.jsonl").read_text().splitlines()]
    assert {row["study"]: row["text"] for row in kept[1:]} == predictions
    assert all("Impression:" in text for text in predictions.values())
    assert kept[0]["weights"] == results["system"]["weights"]
    for row in kept[1:]:
        assert "".join(text for text, _ in row["tokens"]) == row["text"]
        assert all(log <= 0 for _, log in row["tokens"])


def test_a_second_run_reads_the_kept_drafts_and_gives_the_same(run, results, tmp_path):
    again, marked = tmp_path / "again", results["studies"][0]["prediction"]
    shutil.copytree(run, again)
    drafts = again / "drafts-main.jsonl"
    drafts.write_text(drafts.read_text().replace(json.dumps(marked), json.dumps("Findings: Kept.")))
    told = ["run", "--checkpoint", "unirg-cxr-nano", "--phantoms", "2", "--sites", "north,harbour"]
    assert command.main([*told, "--trained-sites", "north", "--draws", "50", "--out", str(again)]) == 0
    first, *others = json.loads((again / "results.json").read_text())["studies"]
    assert first["prediction"] == "Findings: Kept."
    assert others == results["studies"][1:]


def test_the_page_stands_alone(run):
    page = (run / "index.html").read_text()
    assert page.count("Research, not for diagnosis.") == 2
    assert not re.search(r"<script|<link|src=\"(?!data:)|href=\"http", page)
    assert page.count("data:image/png;base64,") == 6
    assert page.count("<svg") >= 6


def test_a_run_does_not_differ_from_itself(run, tmp_path):
    results = str(run / "results.json")
    assert command.main(["compare", results, results, "--out", str(tmp_path / "c.json"), "--draws", "50"]) == 0
    row = json.loads((tmp_path / "c.json").read_text())["figures"]["findings_f1"]
    assert (row["value"], row["p_randomisation"]) == (0, 1)


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    """Three PNG films, one DICOM film and one that is not there, as a ReXrank file."""
    folder = tmp_path_factory.mktemp("rexrank")
    records = {}
    for index in range(4):
        made = study(77, index, with_prior=False)
        findings, impression = report_sections("north", made.current.findings, None)
        if index < 3:
            name = f"case{index}/0.png"
            (folder / f"case{index}").mkdir()
            cv2.imwrite(str(folder / name), model_film(made.current, 200))
        else:
            name = "film.dcm"
            who = StudyIdentity("P", "P^P", date(1960, 1, 1), "F", datetime(2020, 1, 1), "A")  # noqa: DTZ001 - PS3.5 DT
            dx_dataset(made.current, who).save_as(folder / name, enforce_file_format=True)
        records[f"case{index}"] = {
            "image_path": [name], "key_image_path": name, "section_findings": findings,
            "section_impression": impression if index else float("nan"),
            "context": "Age:60-70.Gender:F.Indication: Cough.Comparison: None.",
        }  # fmt: skip
    (folder / "cases.json").write_text(json.dumps(records))
    return folder


def predict(folder, cases="cases.json", *more) -> int:
    told = ["--input_json_file", str(folder / cases), "--save_json_file", str(folder / "predicted.json")]
    return inference.main([*told, "--img_root_dir", str(folder), "--checkpoint", "unirg-cxr-nano", *more])


def test_inference_drafts_png_and_dicom_films(cases):
    assert predict(cases) == 0
    predicted = json.loads((cases / "predicted.json").read_text())
    assert list(predicted) == ["case0", "case1", "case2", "case3"]
    for record in predicted.values():
        assert re.fullmatch(r"Findings: .+ Impression: .+", record["model_prediction"])
    assert predicted["case0"]["section_impression"] is None
    assert predicted["case0"]["context"].startswith("Age:60-70")
    assert not list(cases.glob("*.part.jsonl"))


def test_predictions_are_scored_and_tabulated(cases, tmp_path):
    predict(cases)
    given = ["--predictions", str(cases / "predicted.json"), "--split", "findings", "--out", str(tmp_path)]
    assert command.main(["score", *given, "--img-root", str(cases), "--draws", "20"]) == 0
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["data"]["studies"] == 4
    assert list(results["subgroups"]["age"]["groups"]) == ["60 to 79"]
    assert results["calibration"]["n"] == 0
    assert command.main(["tables", *given]) == 0
    assert (tmp_path / "predictions.csv").read_text().startswith("study_id,case_id,report\n0,case0,")


def test_a_killed_inference_goes_on_where_it_stopped(cases):
    predict(cases)
    whole = json.loads((cases / "predicted.json").read_text())
    told = identity(load_checkpoint("unirg-cxr-nano"))
    record = json.loads((cases / "cases.json").read_text())["case1"]
    question = question_digest(study_case("case1", record, cases), "reports")
    kept = {"study": "case1", "question": question, "text": "Findings: Kept. Impression: Kept.", "tokens": []}
    part = cases / "predicted.json.part.jsonl"
    part.write_text(json.dumps(told) + "\n" + json.dumps(kept) + "\n" + '{"study": "case2", "te')
    assert predict(cases) == 0
    again = json.loads((cases / "predicted.json").read_text())
    assert again["case1"]["model_prediction"] == "Findings: Kept. Impression: Kept."
    assert again["case2"] == whole["case2"]


@pytest.mark.parametrize(
    ("images", "reason"),
    [
        ({"key_image_path": "lost.png"}, "film cannot be read: "),
        ({"key_image_path": None, "image_path": []}, "film cannot be read: case lost: neither key_image_path"),
        ({"key_image_path": "../x.png"}, "film cannot be read: case lost: ../x.png leads out of the image folder"),
    ],
)
def test_a_case_without_a_film_is_reported_and_the_others_are_drafted(cases, capsys, images, reason):
    records = json.loads((cases / "cases.json").read_text())
    two = {"case0": records["case0"], "lost": {**records["case1"], "model_prediction": "Of before.", **images}}
    (cases / "two.json").write_text(json.dumps(two))
    assert predict(cases, "two.json") == 1
    assert f"no prediction for lost: {reason}" in capsys.readouterr().err
    predicted = json.loads((cases / "predicted.json").read_text())
    assert "model_prediction" in predicted["case0"]
    assert "model_prediction" not in predicted["lost"]


@pytest.mark.parametrize("said", ["null", "NaN", '["Findings: Clear."]'])
def test_a_prediction_that_is_no_text_is_none(tmp_path, said):
    case = '{"section_findings": "Clear.", "model_prediction": %s}'
    path = tmp_path / "p.json"
    path.write_text(f'{{"a": {case % said}, "b": {case % json.dumps("Findings: Clear.")}}}')
    assert command.main(["score", "--predictions", str(path), "--out", str(tmp_path), "--draws", "20"]) == 0
    data = json.loads((tmp_path / "results.json").read_text())["data"]
    assert (data["studies"], data["not_drafted"]) == (1, {"a": "no model_prediction"})


def test_sites_takes_the_number_of_draws(run, tmp_path):
    told = ["sites", str(run / "results.json"), "--out", str(tmp_path / "s.json"), "--draws", "20", "--seed", "3"]
    assert command.main(told) == 0
    found = json.loads((tmp_path / "s.json").read_text())
    assert (found["draws"], found["seed"], set(found["sites"])) == (20, 3, {"north", "harbour"})


def test_inference_without_weights_says_what_to_fetch(cases, capsys):
    assert predict(cases, "cases.json", "--checkpoint", "unirg-cxr-8b") == 2
    assert "No weights of unirg-cxr-8b" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (
            ["run", "--checkpoint", "unirg-cxr-nano", "--phantoms", "1", "--sites", "moon", "--out", "x"],
            "no phantom site",
        ),
        (["run", "--checkpoint", "nothing", "--phantoms", "1", "--out", "x"], "There is no checkpoint"),
        (["compare", "setup.cfg", "setup.cfg"], "setup.cfg"),
    ],
)
def test_what_cannot_be_done_is_one_clear_line(told, reason, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert command.main(told) == 1
    assert reason in capsys.readouterr().err
