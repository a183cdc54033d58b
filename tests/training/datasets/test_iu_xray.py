"""IU X-ray: Open-I's XML, R2Gen's annotation, and ReXrank's test studies, which are never trained on."""

from __future__ import annotations

import json
import os
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from tests.training.datasets.layouts import Prepared, film, openi_xml, write_json
from training.datasets.problems import BadSource


def openi(root: Path, numbers: range) -> Path:
    folder = root / "NLMCXR_reports" / "ecgen-radiology"
    folder.mkdir(parents=True)
    for number in numbers:
        images = [f"CXR{number}_1_IM-{number:04d}-{view}001" for view in (3, 4)]
        sections = {
            "comparison": "None.",
            "indication": "Positive TB test",
            "findings": f"Study {number} &lt; 2 cm.",
            "impression": "Normal chest x-XXXX.",
        }
        (folder / f"{number}.xml").write_bytes(openi_xml(number, images, **sections))
        for place, image in enumerate(images):
            film(root / "NLMCXR_png" / f"{image}.png", 2 * number + place)
    return root


def r2gen(root: Path) -> Path:
    annotation = {
        split: [
            {
                "id": name,
                "report": f"Report of {name}.",
                "image_path": [f"{name}/0.png", f"{name}/1.png"],
                "split": split,
            }
            for name in names
        ]
        for split, names in {"train": ["CXR1_IM-0001"], "val": ["CXR2_IM-0652"], "test": ["CXR3_IM-1384"]}.items()
    }
    write_json(root / "annotation.json", annotation)
    for number, name in enumerate(("CXR1_IM-0001", "CXR2_IM-0652", "CXR3_IM-1384")):
        film(root / "images" / name / "0.png", 2 * number + 101)
        film(root / "images" / name / "1.png", 2 * number + 102)
    return root


def test_openi_reports_are_read_and_the_given_test_studies_kept_from_training(tmp_path: Path):
    root = openi(tmp_path / "in", range(1, 6))
    write_json(root / "ReXRank_IUXray_test.json", {"CXR2_IM-0652": {"image_path": []}, "CXR4_IM-2050": {}})
    made = Prepared("iu_xray", root, tmp_path / "out", test_ids="ReXRank_IUXray_test.json")
    row = made.rows["CXR3"]
    assert row["findings"] == "Study 3 < 2 cm."
    assert (row["indication"], row["comparison"], row["impression"]) == (
        "Positive TB test",
        "None.",
        "Normal chest x-XXXX.",
    )
    assert Path(row["image"]).name == "CXR3_1_IM-0003-3001.png"
    assert row["view"] == ""
    assert {name for name, row in made.rows.items() if row["split"] == "test"} == {"CXR2", "CXR4"}
    assert {row["split"] for row in made.all} == {"train", "test"}
    assert all(row["prior_study_id"] is None for row in made.all)


@pytest.mark.parametrize("listed", ["CXR2_IM-0652\nCXR4\n", '["2", "4"]', "2 4"])
def test_a_list_of_ids_may_be_lines_or_json(tmp_path: Path, listed: str):
    root = openi(tmp_path / "in", range(1, 6))
    (root / "ids").write_text(listed)
    made = Prepared("iu_xray", root, tmp_path / "out", test_ids="ids")
    assert {name for name, row in made.rows.items() if row["split"] == "test"} == {"CXR2", "CXR4"}


def test_ids_without_a_study_are_listed(tmp_path: Path):
    root = openi(tmp_path / "in", range(1, 4))
    (root / "ids").write_text("CXR2_IM-0652\nCXR99\nsomething\n")
    made = Prepared("iu_xray", root, tmp_path / "out", test_ids="ids")
    assert {(p.source, p.detail) for p in made.problems if p.reason == "test id without a study"} == {
        ("ids", "CXR99"),
        ("ids", "something"),
    }
    assert len(made.rows) == 3
    (root / "ids").write_text("CXR98\nCXR99\n")
    with pytest.raises(BadSource, match="names no study of"):
        Prepared("iu_xray", root, tmp_path / "out", test_ids="ids")


def test_without_any_list_nothing_is_trained_on_by_chance(tmp_path: Path):
    root = openi(tmp_path / "in", range(1, 4))
    with pytest.raises(BadSource, match="test_ids"):
        Prepared("iu_xray", root, tmp_path / "out")
    assert len(Prepared("iu_xray", root, tmp_path / "out", split="hash").rows) == 3
    (root / "empty").write_text("no ids here")
    with pytest.raises(BadSource, match="names no study"):
        Prepared("iu_xray", root, tmp_path / "out", test_ids="empty")


@pytest.mark.parametrize("encoding", ["foo", "shift_jis"])
def test_an_encoding_that_the_parser_does_not_know_is_one_bad_report(tmp_path: Path, encoding: str):
    root = openi(tmp_path / "in", range(1, 4))
    report = next(path for path in root.rglob("2.xml"))
    report.write_bytes(report.read_bytes().replace(b'encoding="utf-8"', f'encoding="{encoding}"'.encode()))
    made = Prepared("iu_xray", root, tmp_path / "out", split="hash")
    assert set(made.rows) == {"CXR1", "CXR3"}
    assert made.dropped() == {"unreadable entry": 1}


def test_r2gen_annotation_gives_findings_and_splits(tmp_path: Path):
    made = Prepared("iu_xray", r2gen(tmp_path / "in"), tmp_path / "out").rows
    assert {name: row["split"] for name, row in made.items()} == {
        "CXR1_IM-0001": "train",
        "CXR2_IM-0652": "validate",
        "CXR3_IM-1384": "test",
    }
    assert made["CXR1_IM-0001"]["findings"] == "Report of CXR1_IM-0001."
    assert made["CXR1_IM-0001"]["sections"] == "findings"
    assert made["CXR1_IM-0001"]["image"].endswith("CXR1_IM-0001/0.png")


def test_broken_entries_of_the_annotation_are_listed(tmp_path: Path):
    root = r2gen(tmp_path / "in")
    annotation = json.loads((root / "annotation.json").read_text())
    annotation["train"] += [None, {"id": None}, {"id": 4, "report": "Four.", "image_path": ["CXR1_IM-0001/1.png"]}]
    annotation["train"].append({"id": "CXR5", "report": "Five.", "image_path": "CXR1_IM-0001/1.png"})
    write_json(root / "annotation.json", annotation)
    made = Prepared("iu_xray", root, tmp_path / "out")
    assert made.dropped() == {"identifier missing": 2, "unreadable entry": 1}
    assert (made.rows["4"]["findings"], made.rows["4"]["split"]) == ("Four.", "train")
    write_json(root / "annotation.json", {"train": None})
    with pytest.raises(BadSource, match="must each be a list"):
        Prepared("iu_xray", root, tmp_path / "out")


def test_with_both_layouts_texts_are_of_openi_and_the_split_of_r2gen(tmp_path: Path):
    root = r2gen(openi(tmp_path / "in", range(1, 6)))
    made = Prepared("iu_xray", root, tmp_path / "out").rows
    assert {name: row["split"] for name, row in made.items()} == {
        "CXR1": "train",
        "CXR2": "validate",
        "CXR3": "test",
        "CXR4": "train",
        "CXR5": "train",
    }
    assert made["CXR2"]["sections"] == "both"


def test_projections_tell_the_frontal_film(tmp_path: Path):
    root = openi(tmp_path / "in", range(1, 3))
    lines = ["uid,filename,projection", "1,1_IM-0001-3001.dcm.png,Lateral", "1,1_IM-0001-4001.dcm.png,Frontal"]
    (root / "indiana_projections.csv").write_text("\n".join(lines))
    made = Prepared("iu_xray", root, tmp_path / "out", split="hash", projections="indiana_projections.csv").rows
    assert made["CXR1"]["view"] == "FRONTAL"
    assert made["CXR1"]["image"].endswith("4001.png")
    assert made["CXR2"]["view"] == ""


def test_broken_reports_are_listed(tmp_path: Path):
    root = openi(tmp_path / "in", range(1, 5))
    folder = root / "NLMCXR_reports" / "ecgen-radiology"
    (folder / "1.xml").write_text("<eCitation><unclosed>")
    (folder / "2.xml").write_bytes(openi_xml(2, ["CXR2_1_IM-0002-3001"], findings="", indication="Cough"))
    (folder / "3.xml").write_bytes(openi_xml(3, [], findings="No film."))
    made = Prepared("iu_xray", root, tmp_path / "out", split="hash")
    assert list(made.rows) == ["CXR4"]
    assert made.dropped() == {
        "unreadable XML": 1,
        "findings and impression both empty": 1,
        "no readable image": 1,
    }


def test_real_reports_come_through_word_for_word(tmp_path: Path):
    given = os.environ.get("UNIRG_TEST_DATA")
    path = Path(given or "") / "openi_dev" / "reports.jsonl"
    if not given or not path.is_file():
        pytest.skip("UNIRG_TEST_DATA does not hold openi_dev")
    reports = [json.loads(line) for line in path.read_text().splitlines()]
    folder = tmp_path / "in" / "ecgen-radiology"
    folder.mkdir(parents=True)
    names = ("findings", "impression", "indication", "comparison")
    for place, report in enumerate(reports):
        number = int(report["id"].removeprefix("CXR"))
        xml = openi_xml(number, [f"i{number}"], **{name: escape(report[name] or "") for name in names})
        (folder / f"{number}.xml").write_bytes(xml)
        film(tmp_path / "in" / "images" / f"i{number}.png", place)
    made = Prepared("iu_xray", tmp_path / "in", tmp_path / "out", split="hash")
    spaced = {report["id"]: {name: " ".join((report[name] or "").split()) for name in names} for report in reports}
    empty = {name for name, texts in spaced.items() if not texts["findings"] and not texts["impression"]}
    assert len(reports) > 500
    assert set(made.rows) == set(spaced) - empty
    for name, row in made.rows.items():
        wanted = {
            key: "" if text.lower() in {"none", "nan", "n/a", "null"} else text for key, text in spaced[name].items()
        }
        assert {key: row[key] for key in names} == wanted
