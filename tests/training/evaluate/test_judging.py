"""Label F1, error shares, calibration, temporal classes, wrong priors: small tables worked out by hand."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from PIL import Image

from training.evaluate import calibration, error_counts, label_f1, longitudinal
from training.evaluate.cases import (
    Draft,
    NoStudies,
    PriorStudy,
    StudyCase,
    age_band,
    judged_in,
    sex_group,
    with_wrong_priors,
    without_priors,
)

nan = float("nan")


def film(size: int) -> Image.Image:
    return Image.new("L", (size, size))


def case(name: str, prior: str | None = None, patient: str = "", **other) -> StudyCase:
    earlier = PriorStudy(film, prior, date(2020, 1, len(name))) if prior is not None else None
    given = {"findings": "The heart is normal.", "impression": "", **other}
    return StudyCase(name, patient or name, "site", film, prior=earlier, **given)


@pytest.mark.parametrize(
    ("age", "band"),
    [
        ("63", "60 to 79"),
        (39.9, "below 40"),
        ("063Y", "60 to 79"),
        ("50-60", "40 to 59"),
        (None, "unknown"),
        (80, "80 and over"),
    ],
)
def test_age_bands(age, band):
    assert age_band(age) == band


def test_sex_of_any_spelling():
    assert [sex_group(text) for text in ("F", "female", "Male", "", None, "x")] == ["F", "F", "M", *["unknown"] * 3]


def test_label_f1_by_hand():
    names = ("a", "b")
    true = [{"a": 1, "b": None}, {"a": 1, "b": -1}, {"a": None, "b": None}]
    said = [{"a": 1, "b": None}, {"a": None, "b": 1}, {"a": 1, "b": 0}]
    present = label_f1.counts(said, true, "present")
    assert present.conditions == names
    # a: TP 1, said 2, true 2 -> .5; b: TP 0, said 1, true 0. Micro: 2 * 1 / (3 + 2).
    assert present.ratio().value == pytest.approx(2 / 5)
    assert label_f1._macro(present) == (0.5, 1)
    # The uncertain b of the second study counts now: TP 2, said 3, true 3.
    both = label_f1.counts(said, true, "present_or_uncertain")
    assert both.ratio().value == pytest.approx(4 / 6)
    assert label_f1._macro(both) == (0.75, 2)


def test_label_section_of_real_sentences():
    references = ["Findings: Small left pleural effusion. Endotracheal tube in place.", "Findings: Possible pneumonia."]
    drafts = ["Findings: Left pleural effusion. No tube.", "Findings: Lungs are clear."]
    section = label_f1.label_section(drafts, references, ["a", "b"], seed=0, draws=50)
    present, either = section["present"], section["present_or_uncertain"]
    assert section["n"] == 2
    assert present["conditions"]["Pleural Effusion"]["f1"] == 1
    assert present["conditions"]["Pneumonia"]["true"] == 0
    assert either["conditions"]["Pneumonia"] == {"f1": 0, "precision": None, "recall": 0, "stated": 0, "true": 1}
    assert present["conditions"]["device: tube"]["recall"] == 0
    assert present["sets"]["chexpert_5"]["micro_f1"]["value"] == 1
    assert len(present["conditions"]) == 14 + len(label_f1.DEVICES)


def test_error_shares_are_sorted_into_the_paper_s_four_bins():
    errors = np.array([0, 1, 2, 3, 4, 9, nan])
    assert error_counts.error_shares(errors) == pytest.approx(
        {"1 or fewer": 2 / 6, "2": 1 / 6, "3": 1 / 6, "4 or more": 2 / 6}
    )
    section = error_counts.error_section(errors, {"A": errors}, [*"abcdefg"], seed=0, draws=50)
    assert (section["n"], section["mean"]["value"]) == (6, pytest.approx(19 / 6))
    assert error_counts.error_shares(np.array([nan])) == {}


def test_auroc_by_hand_with_ties():
    confidence, right = np.array([0.9, 0.8, 0.8, 0.3]), np.array([True, True, False, False])
    # Pairs (right, wrong): .9>.8, .9>.3, .8=.8 (half), .8>.3 -> 3.5 of 4.
    assert calibration.auroc(confidence, right) == pytest.approx(3.5 / 4)
    assert calibration.auroc(confidence, ~right) == pytest.approx(0.5 / 4)
    assert calibration.auroc(confidence, np.ones(4, bool)) is None


def test_expected_calibration_error_by_hand():
    confidence, right = np.array([0.95, 0.91, 0.55, 1.0]), np.array([True, False, True, True])
    # Bin .9 to 1 holds three: mean confidence 2.86/3, two thirds right; bin .5 to .6 one: .55, right.
    expected = (3 * abs(2.86 / 3 - 2 / 3) + 1 * abs(0.55 - 1)) / 4
    assert calibration.expected_error(confidence, right) == pytest.approx(expected)
    assert [row["n"] for row in calibration.reliability(confidence, right)] == [1, 3]


def draft(*sentences: tuple[str, float]) -> Draft:
    tokens = [("Findings:", -5.0)]
    for text, log in sentences:
        tokens += [(f" {word}", log) for word in text.split()]
    return Draft("".join(text for text, _ in tokens), tuple(tokens))


@pytest.mark.parametrize(
    ("sentence", "right"),
    [
        ("There is a left pleural effusion.", True),
        ("There is a right pleural effusion.", False),
        ("There is a pleural effusion.", True),
        ("There is no pleural effusion.", False),
        ("There is no pneumothorax.", True),
        ("The left pleural effusion has increased.", True),
        ("The left pleural effusion has decreased.", False),
    ],
)
def test_a_sentence_is_right_where_its_findings_are(sentence, right):
    reference = "Findings: The left pleural effusion has increased. No pneumothorax."
    (one,) = calibration.judge(draft((sentence, -0.5), ("Thank you.", -0.1)), reference, "s")
    assert one.confidence == pytest.approx(np.exp(-0.5))
    assert one.right is right


def test_hedged_sentences_and_drafts_without_tokens_are_not_judged():
    assert calibration.judge(draft(("Possible left pleural effusion.", -1.0)), "Findings: Clear.", "s") == []
    assert calibration.judge(Draft("Findings: No edema."), "Findings: Clear.", "s") == []
    assert calibration.calibration_section([], seed=0) == {"n": 0, "studies": 0}


def test_calibration_section_counts_sentences_and_studies():
    judged = [calibration.Judged(0.9, k % 3 > 0, f"s{k % 5}") for k in range(15)]
    section = calibration.calibration_section(judged, seed=0, draws=60)
    assert (section["n"], section["studies"]) == (15, 5)
    assert section["right"] == pytest.approx(10 / 15)
    assert section["ece"]["value"] == pytest.approx(0.9 - 10 / 15)
    assert section["auroc"]["value"] == 0.5


@pytest.mark.parametrize(
    ("text", "first", "expected"),
    [
        ("The left effusion is new. The edema has increased.", True, "first study"),
        ("New left pleural effusion. The edema has increased.", False, "new development"),
        ("The edema has increased. The left pleural effusion has resolved.", False, "progression"),
        ("The left pleural effusion has resolved.", False, "regression"),
        ("The edema has improved. The left pleural effusion is unchanged.", False, "regression"),
        ("The edema is unchanged.", False, "no change"),
        ("The heart is normal.", False, "no change"),
    ],
)
def test_temporal_classes_take_the_weightiest_change(text, first, expected):
    assert longitudinal.temporal_class(f"Findings: {text}", first=first) == expected


def test_a_follow_up_that_comes_without_its_prior_is_no_first_study():
    told = {"findings": "The edema has increased."}
    cases = [case("a", **told), case("b", **told, encounter=2), case("c", "x", **told)]
    whole = longitudinal.Arm(cases, ["Findings: Edema."] * 3, {})
    section = longitudinal.longitudinal_section(whole, {}, seed=0, draws=10)
    assert {name: group["studies"] for name, group in section["temporal_classes"].items()} == {
        "first study": 1, "progression": 2,
    }  # fmt: skip


def test_encounters_are_kept_apart_up_to_the_fifth():
    assert [longitudinal.encounter_group(k) for k in (1, 4, 5, 12)] == ["1", "4", "5 or later", "5 or later"]


def test_drafts_without_a_comparison_are_counted():
    share = longitudinal.silent_share(["Findings: Clear.", "Findings: Edema, unchanged."], ["a", "b"], 0, 50)
    assert (share["value"], share["n"]) == (0.5, 2)


def test_class_agreement_is_of_studies_with_a_prior():
    cases = [
        case("a", "x", findings="New left pleural effusion."),
        case("bb", "x", findings="Edema is unchanged."),
        case("c"),
    ]
    drafts = ["Findings: New right pleural effusion.", "Findings: Edema has increased.", "Findings: New edema."]
    found = longitudinal.class_agreement(cases, drafts)
    assert (found["n"], found["agree"]) == (2, 0.5)
    assert found["table"]["no change"]["progression"] == 1


def test_a_wrong_prior_is_another_patient_s_under_the_own_date():
    cases = [case("a", "A", "p"), case("bb", "B", "p"), case("ccc", "C", "q"), case("d")]
    wrong = with_wrong_priors(cases, seed=3)
    assert [one.study for one in wrong] == ["a", "bb", "ccc"]
    assert [one.prior.report for one in wrong[:2]] == ["C", "C"]
    assert wrong[2].prior.report in {"A", "B"}
    assert [one.prior.study_date.day for one in wrong] == [1, 2, 3]
    with pytest.raises(NoStudies, match="two patients"):
        with_wrong_priors(cases[:2], seed=0)


def test_without_priors_not_even_a_comparison_is_told():
    (one,) = without_priors([case("a", "A", comparison="Film of yesterday.", indication="Cough.")])
    assert one.prompt("reports").image_roles == ("current",)
    assert "Comparison: None." in one.prompt("reports").text


def test_studies_without_the_section_are_not_judged():
    cases = [case("a"), case("b", findings="", impression="Clear."), case("c", findings="")]
    assert [one.study for one in judged_in(cases, "reports")] == ["a", "b"]
    assert [one.study for one in judged_in(cases, "findings")] == ["a"]
