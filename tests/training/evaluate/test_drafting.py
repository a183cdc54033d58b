"""Kept drafts: taken over for the same question, and for no other."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest

from training.evaluate.cases import Draft, StudyCase, with_wrong_priors
from training.evaluate.drafting import KeptDrafts, question_digest, write_drafts
from training.evaluate.films import read_film
from training.evaluate.phantom_studies import phantom_cases
from training.evaluate.rexrank import read_records, study_case
from training.evaluate.run import Plan, draft_arms


class Scribe:
    """Writes what it was asked, and counts."""

    image_size = 32

    def __init__(self):
        self.asked = 0

    def write(self, questions):
        self.asked += len(questions)
        return [Draft(f"{one.prompt.text} {np.asarray(one.films[-1]).mean():.0f}") for one in questions]


@pytest.fixture
def scribe():
    return Scribe()


def picture(path: Path, level: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((20, 20 + level), level, np.uint8))
    return path


def case(path: Path, **other) -> StudyCase:
    return StudyCase("one", "one", "here", partial(read_film, path), "Clear.", "", **other)


def drafted(folder: Path, scribe: Scribe, *cases: StudyCase, split="reports", weights="w") -> dict[str, str]:
    kept = KeptDrafts(folder / "drafts.jsonl", {"weights": weights})
    return {
        study: draft.text for study, draft in write_drafts(cases, split, lambda: scribe, kept, batch=2).drafts.items()
    }


def test_a_draft_is_kept_for_the_same_question(tmp_path, scribe):
    film = picture(tmp_path / "a.png", 40)
    first = drafted(tmp_path, scribe, case(film, indication="Cough."))
    assert drafted(tmp_path, scribe, case(film, indication="Cough.")) == first
    assert scribe.asked == 1


@pytest.mark.parametrize("change", ["film", "folder", "indication", "split", "weights"])
def test_a_draft_of_another_question_is_not_taken_over(tmp_path, scribe, change):
    film = picture(tmp_path / "a.png", 40)
    first = drafted(tmp_path, scribe, case(film, indication="Cough."))
    if change == "film":
        picture(film, 90)
    told = {
        "film": case(film, indication="Cough."),
        "folder": case(picture(tmp_path / "b/a.png", 90), indication="Cough."),
        "indication": case(film, indication="Fever."),
    }.get(change, case(film, indication="Cough."))
    split, weights = "findings" if change == "split" else "reports", "v" if change == "weights" else "w"
    second = drafted(tmp_path, scribe, told, split=split, weights=weights)
    assert scribe.asked == 2
    assert (second == first) is (change == "weights")


def test_two_files_of_one_name_do_not_share_drafts(tmp_path, scribe):
    said = {}
    for name, indication in (("a", "Cough."), ("b", "Fever.")):
        picture(tmp_path / name / "0.png", 50)
        path = tmp_path / name / "test.json"
        record = {"key_image_path": "0.png", "section_findings": "Clear.", "context": f"Indication: {indication}"}
        path.write_text(json.dumps({"case": record}))
        cases = [study_case(key, one, tmp_path / name) for key, one in read_records(path).items()]
        plan = Plan({"weights": "w"}, f"ReXrank cases of {path.name}", "reports", tmp_path / "out")
        said[name] = draft_arms(plan, cases, lambda: scribe)["main"][1].drafts["case"].text
    assert "Cough" in said["a"]
    assert "Fever" in said["b"]


def test_phantoms_and_wrong_priors_are_told_apart():
    one, again = (phantom_cases(5, 4, ["north"], pair_share=1.0) for _ in range(2))
    digests = [question_digest(case, "reports") for case in one]
    assert digests == [question_digest(case, "reports") for case in again]
    wrong = [question_digest(case, "reports") for case in with_wrong_priors(one, 0)]
    assert len({*digests, *wrong}) == 8
