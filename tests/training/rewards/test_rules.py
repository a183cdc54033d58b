"""Each rule-based reward against figures worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from training.rewards.agreement import Agreement
from training.rewards.batch import Sample, Scores, scores
from training.rewards.bleu import Bleu2, bleu2
from training.rewards.change_f1 import ChangeF1
from training.rewards.findings_errors import FindingsErrors, count_errors
from training.rewards.findings_f1 import FindingsF1
from training.rewards.length import Length
from training.rewards.prior_claims import PriorClaims, excess_copy
from training.rewards.repetition import Repetition
from training.rewards.section_format import SectionFormat


def judged(reward, prediction: str, reference: str, **given) -> float:
    one = Sample(prediction, reference, **{"has_prior": False, **given})
    [value] = reward([one]).values
    return float(value)


@pytest.mark.parametrize(
    ("prediction", "reference", "expected"),
    [
        ("No effusion.", "No effusion.", 1.0),
        # said: no pleural effusion . | true: pleural effusion . — 3/4 unigrams, 2/3 bigrams, longer: no penalty
        ("No pleural effusion.", "Pleural effusion.", math.sqrt(3 / 4 * 2 / 3)),
        # said: pleural effusion . (3) | true: no pleural effusion . (4) — precision 1, brevity e^(1 - 4/3)
        ("Pleural effusion.", "No pleural effusion.", math.exp(1 - 4 / 3)),
        # clipped: "no no no ." holds one "no" and "." of the reference; no bigram in common: 0.1 / 3
        ("No no no.", "No effusion.", math.sqrt(2 / 4 * 0.1 / 3)),
        # one token, no bigram at all: the denominator is 1, the numerator 0.1; brevity e^(1 - 2)
        ("effusion", "effusion .", math.exp(1 - 2) * math.sqrt(1 * 0.1)),
        ("Clear lungs", "no effusion", 0.0),
        ("", "No effusion.", 0.0),
        # only single spaces split, only full stops are set off: "effusion," is another word than "effusion"
        ("no  effusion,", "no effusion", math.sqrt(1 / 2 * 0.1 / 1)),
        ("4.5 cm", "4.5 cm", 1.0),
    ],
)
def test_bleu_2_is_the_hand_computed_figure(prediction: str, reference: str, expected: float):
    assert bleu2(prediction, reference) == pytest.approx(expected, abs=1e-12)


def test_bleu_2_of_whole_sentences():
    # The sentences of fast_bleu's documentation, against its first reference alone.
    said = "It is a guide to action which ensures that the military always obeys the commands of the party"
    true = "It is a guide to action that ensures that the military will forever heed Party commands"
    # 12 of 18 words (lower-case "party" matches), 8 of 17 bigrams, longer than the reference
    assert bleu2(said, true) == pytest.approx(math.sqrt(12 / 18 * 8 / 17))


@pytest.mark.parametrize(
    ("uncertain", "prediction", "reference", "expected"),
    [
        ("half", "Cardiomegaly. Pleural effusion.", "Cardiomegaly. Pleural effusion.", 1.0),
        ("half", "Cardiomegaly.", "Cardiomegaly. Pleural effusion.", 2 / 3),
        ("half", "No pleural effusion.", "Pleural effusion.", 0.0),
        ("half", "No pleural effusion.", "No pneumothorax.", 1.0),
        ("half", "", "No pneumothorax.", 0.0),
        ("half", "Findings: Impression:", "No pneumothorax.", 0.0),
        ("half", "Left pleural effusion.", "Right pleural effusion.", 1.0),
        ("half", "Possible pleural effusion.", "Pleural effusion.", 2 * 0.5 / 1.5),
        ("half", "Possible pleural effusion.", "Possible pleural effusion.", 1.0),
        ("present", "Possible pleural effusion.", "Pleural effusion.", 1.0),
        ("present", "Possible pleural effusion.", "No pleural effusion.", 0.0),
        ("ignore", "Possible pleural effusion. Cardiomegaly.", "Pleural effusion. Cardiomegaly.", 1.0),
        ("ignore", "Cardiomegaly.", "Possible pleural effusion. Cardiomegaly.", 1.0),
    ],
)
def test_findings_f1(uncertain: str, prediction: str, reference: str, expected: float):
    assert judged(FindingsF1(uncertain), prediction, reference) == pytest.approx(expected)


def test_findings_f1_counts_add_up_to_a_corpus():
    batch = [
        Sample("Cardiomegaly.", "Cardiomegaly. Pleural effusion.", has_prior=False),
        Sample("Pneumothorax.", "No pneumothorax.", has_prior=False),
    ]
    counts = FindingsF1()(batch).components
    assert [counts[key].sum() for key in ("hit", "said", "true")] == [1, 2, 2]
    assert np.isnan(counts["recall"][1]), "nothing was there to be found"


@pytest.mark.parametrize(
    ("prediction", "reference", "expected"),
    [
        ("Small right pleural effusion.", "Small right pleural effusion.", 1.0),
        ("Small left pleural effusion.", "Small right pleural effusion.", 0.5),  # size yes, side no
        ("Bilateral pleural effusions.", "Right pleural effusion.", 0.5),
        ("Pleural effusion.", "Right pleural effusion.", 0.0),
        ("Cardiomegaly.", "Right pleural effusion.", 0.0),
        ("Severe edema.", "Mild edema.", 1 / 3),
        ("Moderate edema.", "Mild edema.", 2 / 3),
        ("1.5 cm right pneumothorax.", "2 cm right pneumothorax.", (1 + 0.75) / 2),
        ("20 mm right pneumothorax.", "2 cm right pneumothorax.", 1.0),
        ("20 mm nodule. 10 mm nodule. 40 mm nodule.", "2 cm nodule.", (1 + 1 / 2 + 1 / 2) / 3),
        ("Left pleural effusion.", "Pleural effusion.", None),  # the reference does not say
        ("No pleural effusion.", "No pneumothorax.", None),
        ("Right pleural effusion.", "", None),
    ],
)
def test_agreement(prediction: str, reference: str, expected: float | None):
    value = judged(Agreement(), prediction, reference)
    assert math.isnan(value) if expected is None else value == pytest.approx(expected)


@pytest.mark.parametrize(
    ("prediction", "given", "expected"),
    [
        ("Small right pleural effusion.", {"has_prior": False}, 1.0),
        ("The effusion is unchanged from prior.", {"has_prior": False}, 1 / 2),
        ("Unchanged effusion. The heart is again enlarged.", {"has_prior": False}, 1 / 3),
        ("Unchanged effusion.", {"has_prior": True}, None),
        ("Large left effusion with mediastinal shift.", {"has_prior": True, "prior_report": "Clear lungs."}, 1.0),
        ("", {"has_prior": False}, 0.0),
    ],
)
def test_prior_claims(prediction: str, given: dict, expected: float | None):
    value = judged(PriorClaims(), prediction, "Small right pleural effusion.", **given)
    assert math.isnan(value) if expected is None else value == pytest.approx(expected)


def test_copying_is_what_the_reference_does_not_share():
    prior = "The heart is enlarged. There is a small right pleural effusion."
    new = "There is now a large left pneumothorax with collapse."
    assert excess_copy(prior, new, prior) == 1
    assert excess_copy(prior, prior, prior) == 0, "a stable chest may be reported in the same words"
    assert excess_copy(new, prior, prior) == 0


@pytest.mark.parametrize(
    ("written", "wanted", "expected"),
    [(20, 20, 1.0), (25, 20, 1.0), (16, 20, 1.0), (45, 20, 0.625), (5, 15, 0.625), (245, 20, 0.125), (0, 20, 0.0)],
)
def test_length_is_symmetric_with_a_plateau(written: int, wanted: int, expected: float):
    assert judged(Length(), "word " * written, "word " * wanted) == pytest.approx(expected)


def test_length_counts_no_headings():
    assert judged(Length(), "Findings: clear lungs. Impression: normal.", "Clear lungs. Normal.") == 1


OTHER = "Findings: Clear lungs. Recommendation: Follow-up film, compared with the prior, to exclude new left effusion."


@pytest.mark.parametrize(
    ("reward", "given", "expected"),
    [
        (Length(plateau=1, slack=0), {}, 2 / 13),
        (PriorClaims(), {}, 1 / 2),
        (PriorClaims(), {"has_prior": True, "prior_report": OTHER.split("Recommendation: ")[1]}, 1 - 9 / 11),
        (FindingsErrors(), {}, 1 / 3),  # an effusion, a comparison
        (FindingsF1(), {}, 0.0),
        (ChangeF1(), {}, 0.0),
    ],
    ids=lambda one: getattr(one, "name", ""),
)
def test_a_prediction_is_read_under_every_heading(reward, given: dict, expected: float):
    assert judged(reward, OTHER, "Clear lungs.", **given) == pytest.approx(expected)


@pytest.mark.parametrize("reward", [Length(), PriorClaims(), Repetition(), FindingsErrors(), FindingsF1()])
def test_text_under_other_headings_alone_is_no_report(reward):
    assert judged(reward, "Recommendation: Clear lungs.", "Clear lungs.") == 0


@pytest.mark.parametrize("reward", [FindingsErrors(), FindingsF1(), Length(), Repetition()])
def test_what_the_reference_has_under_other_headings_is_asked_of_nobody(reward):
    truth = "Findings: Clear lungs. Indication: Pleural effusion. Comparison: None."
    assert judged(reward, "Findings: Clear lungs.", truth) == pytest.approx(1, abs=0.25)


@pytest.mark.parametrize(
    ("prediction", "expected"),
    [
        ("The heart is enlarged. There is an effusion.", 1.0),
        ("There is an effusion. There is an effusion.", 0.5),  # 2 sentences, 1 different; 3-grams 4 of 6
        ("effusion " * 12, 0.1),  # ten 3-grams, one different
        ("", 0.0),
    ],
)
def test_repetition(prediction: str, expected: float):
    assert judged(Repetition(), prediction, "The heart is normal.") == pytest.approx(expected)


def test_an_impression_may_repeat_what_the_reference_repeats():
    text = "Findings: There is no pleural effusion. Impression: There is no pleural effusion."
    assert judged(Repetition(), text, text) == 1


BOTH = "Findings: Clear lungs. Impression: Normal chest."


@pytest.mark.parametrize(
    ("prediction", "reference", "asked", "expected"),
    [
        (BOTH, BOTH, "report", 1.0),
        ("Findings: Clear lungs.", BOTH, "report", 0.5),
        ("Findings: Clear lungs. Findings: Clear lungs. Impression: Normal.", BOTH, "report", 0.5),
        ("Findings: Clear lungs.", "Findings: Clear lungs.", "report", 1.0),
        (BOTH, "Findings: Clear lungs.", "report", 0.5),
        ("Findings: Clear lungs.", BOTH, "findings", 1.0),
        (BOTH, "Findings: Clear lungs.", "findings", 0.5),
        ("Impression: Normal chest.", "Findings: Clear lungs.", "findings", 0.0),
        ("", BOTH, "report", 0.0),
    ],
)
def test_section_format(prediction: str, reference: str, asked: str, expected: float):
    assert judged(SectionFormat(), prediction, reference, asked=asked) == pytest.approx(expected)


REFERENCE = "Small right pleural effusion. Mild edema. The heart is normal in size."


@pytest.mark.parametrize(
    ("prediction", "errors"),
    [
        (REFERENCE, {}),
        ("Small right pleural effusion. Mild edema. Cardiomegaly.", {"A": 1}),
        ("Small right pleural effusion. Mild edema. Possible pneumothorax.", {"A": 1}),
        ("Small right pleural effusion.", {"B": 1}),
        ("Small right pleural effusion. Possible mild edema.", {}),
        ("Small left pleural effusion. Mild edema.", {"C": 1}),
        ("Pleural effusion. Edema.", {}),
        ("Large right pleural effusion. Severe edema.", {"D": 2}),
        ("Small right pleural effusion, unchanged. Mild edema.", {"E": 1}),
        ("Small right pleural effusion. Mild edema. No change from the previous film.", {"E": 1}),
        ("No pleural effusion. No edema. The heart is normal.", {"B": 2}),
        ("", {"B": 2}),
    ],
)
def test_errors_by_category(prediction: str, errors: dict[str, int]):
    assert count_errors(prediction, REFERENCE) == {**dict.fromkeys("ABCDEF", 0), **errors}


@pytest.mark.parametrize(
    ("prediction", "reference", "errors"),
    [
        ("Right effusion.", "Right effusion, increased.", {"F": 1}),
        ("Right effusion.", "Right effusion, unchanged.", {}),
        ("Right effusion, decreased.", "Right effusion, increased.", {"E": 1}),
        ("Right effusion, increased.", "Right effusion, increased.", {}),
    ],
)
def test_errors_of_comparison(prediction: str, reference: str, errors: dict[str, int]):
    assert count_errors(prediction, reference) == {**dict.fromkeys("ABCDEF", 0), **errors}


def test_errors_as_a_reward():
    assert judged(FindingsErrors(), REFERENCE, REFERENCE) == 1
    assert judged(FindingsErrors(), "Cardiomegaly.", REFERENCE) == pytest.approx(1 / 4)  # A 1, B 2
    assert judged(FindingsErrors(), "", "No pleural effusion.") == 0, "silence is no perfect report"
    counted = FindingsErrors()([Sample("Cardiomegaly.", REFERENCE, has_prior=False)]).components
    assert (counted["A"][0], counted["B"][0], counted["errors"][0]) == (1, 2, 3)


@pytest.mark.parametrize("reward", [Bleu2(), FindingsF1(), FindingsErrors(), Agreement(), Length()])
def test_without_a_reference_nothing_is_judged(reward):
    assert math.isnan(judged(reward, "Clear lungs.", ""))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FindingsF1("maybe"), "uncertain must be one of"),
        (lambda: Length(plateau=0.5), "plateau is a factor"),
        (lambda: Scores(np.zeros(2), {"a": np.zeros(3)}), "a has shape"),
        (lambda: scores([math.inf]), "infinite"),
    ],
)
def test_wrong_settings_are_refused(make, message: str):
    with pytest.raises(ValueError, match=message):
        make()
