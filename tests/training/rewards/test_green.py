"""GREEN: reading its answers, and generation with a tiny Llama in the published layout."""

from __future__ import annotations

import numpy as np
import pytest

from tests.training.rewards import tiny_checkpoints as tiny
from training.rewards.batch import Sample
from training.rewards.green import Green, Verdict, read
from training.rewards.weights import UnusableWeights

ANSWER = """[Explanation]:
The candidate puts the effusion on the wrong side.

[Clinically Significant Errors]:
(a) False report of a finding in the candidate: 1. Right effusion
(c) Misidentification of a finding's anatomic location/position: 2. one; two

[Clinically Insignificant Errors]:
(d) Misassessment of the severity of a finding: 7. seven of them

[Matched Findings]:
3. Clear lungs; Normal heart; No pneumothorax
"""
NO_ERRORS = "[Clinically Significant Errors]:\nNo errors.\n\n[Matched Findings]:\n2. Clear lungs; Normal heart"
NO_MATCH = (
    "[Clinically Significant Errors]:\n(b) Missing a finding: 1. Edema\n\n[Matched Findings]:\nNo matched findings."
)


def test_answer_by_hand():
    assert read(ANSWER) == Verdict(3, {"a": 1, "c": 2})
    assert read(ANSWER).score == pytest.approx(3 / 6)  # insignificant errors do not count
    assert read(NO_ERRORS).score == 1
    assert read(NO_MATCH).score == 0


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "I cannot judge this.",
        "[Matched Findings]:\n2. Clear lungs",
        "[Clinically Significant Errors]:\nNo errors.",
        "[Clinically Significant Errors]:\nsome\n\n[Matched Findings]:\n2. Clear",
        "[Clinically Significant Errors]:\nNo errors.\n\n[Matched Findings]:\nseveral",
    ],
)
def test_unreadable_answers_are_missing(answer):
    assert read(answer) is None


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("green")
    prompt = folder / "prompt.txt"
    prompt.write_text("Reference: {reference} Candidate: {candidate} Assess:")
    return {"green": tiny.llama(folder / "model"), "green_prompt": prompt}


def test_random_decoder_judges_nothing(paths):
    found = Green(paths, batch=2, max_new_tokens=8)(
        [Sample("a", text, has_prior=False) for text in ("b", "c" * 40, "")]
    )
    assert found.missing.all()
    assert np.isnan(found.components["green_matched"]).all()


def test_prompts_are_filled_at_the_marks_of_the_file_only(paths):
    judge = Green(paths)
    assert judge._dialogue("{reference} ours", "theirs {candidate}") == (
        "<|user|>\nReference: theirs {candidate} Candidate: {reference} ours Assess:</s>\n<|assistant|>\n"
    )


def test_batched_answers_equal_single_ones(paths):
    judge = Green(paths, max_new_tokens=4)
    prompts = [judge._dialogue("no effusion", "effusion"), judge._dialogue("clear", "the lungs are clear " * 5)]
    assert judge._answers(prompts) == [judge._answers([prompt])[0] for prompt in prompts]


def test_dialogue_beyond_the_limit_is_missing_not_cut(paths):
    assert Green(paths, max_new_tokens=4).verdicts(["effusion " * 3000], ["effusion"]) == [None]


@pytest.mark.parametrize("text", ["no marks", "{reference} alone", "{reference} {candidate} {candidate}"])
def test_prompt_without_its_marks_is_refused(tmp_path, paths, text):
    path = tmp_path / "prompt.txt"
    path.write_text(text)
    with pytest.raises(UnusableWeights, match="once each"):
        Green(paths | {"green_prompt": path})
