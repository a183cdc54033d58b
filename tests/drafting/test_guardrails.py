"""Flags on a draft's sentences, and what is withheld."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.report import Section, Source
from app.drafting.guardrails import WITHHELD, Context, review
from model.comparison import compares
from model.report_text import compose
from tests.model.test_comparison import COMPARING, DESCRIBING
from tests.peers.presence import data_root

PRIOR = Context(prior_date="20190102")
NO_PRIOR = Context()


def codes(text: str, context: Context = PRIOR, finish_reason: str = "stop") -> dict[str, list[str]]:
    return {
        sentence.text: [flag.code for flag in sentence.flags]
        for sentence in review(text, [], context, finish_reason)
        if sentence.flags
    }


def test_a_sound_draft_has_no_flag() -> None:
    text = "Findings: The heart is enlarged. No pleural effusion. Impression: Cardiomegaly."
    draft = review(text, [], NO_PRIOR)
    assert [(s.index, str(s.section), s.text) for s in draft] == [
        (0, "findings", "The heart is enlarged."),
        (1, "findings", "No pleural effusion."),
        (2, "impression", "Cardiomegaly."),
    ]
    assert {sentence.source for sentence in draft} == {Source.IMAGE}
    assert not any(sentence.flags for sentence in draft)


def test_figures_are_those_of_the_sentences_own_tokens() -> None:
    tokens = [("Findings:", -9.0), (" Clear.", -1.0), (" Impression:", -9.0), (" Normal.", -2.0)]
    draft = review("Findings: Clear. Impression: Normal.", tokens, NO_PRIOR)
    assert [sentence.logprob for sentence in draft] == [-1.0, -2.0]


def test_without_a_prior_a_comparison_is_withheld_and_its_neighbour_says_so() -> None:
    text = "Findings: The heart is normal. The left effusion has increased. No edema. Impression: Worsening effusion."
    draft = review(text, [], NO_PRIOR)
    assert [sentence.text for sentence in draft] == ["The heart is normal.", "No edema."]
    assert [[flag.code for flag in sentence.flags] for sentence in draft] == [[WITHHELD], [WITHHELD]]
    told = draft[0].flags[0].reason
    assert "left effusion" in told
    assert "increased" not in told


def test_a_comparison_at_the_beginning_is_told_on_the_first_sentence_left() -> None:
    draft = review("Findings: Unchanged heart. No edema. Impression: Normal.", [], NO_PRIOR)
    assert codes("Findings: Unchanged heart. No edema. Impression: Normal.", NO_PRIOR) == {"No edema.": [WITHHELD]}
    assert [sentence.index for sentence in draft] == [0, 1]


def test_with_a_verified_prior_the_same_sentence_is_shown_as_resting_on_it() -> None:
    text = "Findings: The left effusion has increased. Impression: Worse effusion."
    draft = review(text, [], PRIOR)
    assert {sentence.source for sentence in draft} == {Source.PRIOR}
    assert codes(text) == {}


@given(st.lists(st.sampled_from([*COMPARING, *DESCRIBING]), max_size=12), st.lists(st.sampled_from(COMPARING)))
def test_no_comparison_is_ever_shown_without_a_prior(findings: list[str], impression: list[str]) -> None:
    draft = review(compose(" ".join(findings), " ".join(impression)), [], NO_PRIOR)
    assert not any(compares(sentence.text) for sentence in draft)
    assert all(sentence.text for sentence in draft)
    assert [sentence.index for sentence in draft] == list(range(len(draft)))


@pytest.mark.parametrize(
    "text", ["", " \n ", "...", "Findings: Impression:", "Findings: Unchanged. Impression: Stable."]
)
def test_where_nothing_may_be_read_there_is_no_draft(text: str) -> None:
    assert review(text, [], NO_PRIOR) == ()


@pytest.mark.parametrize(
    ("text", "sentence", "code"),
    [
        ("Findings: Clear lungs.", "Clear lungs.", "section-missing"),
        ("Impression: Normal.", "Normal.", "section-missing"),
        (
            "Findings: Small left pleural effusion. Impression: Right pleural effusion.",
            "Right pleural effusion.",
            "side-contradiction",
        ),
        (
            "Findings: Left pneumothorax. No edema. Impression: Pneumothorax on both sides.",
            "Pneumothorax on both sides.",
            "side-contradiction",
        ),
        (
            "Findings: No pleural effusion. Impression: Left pleural effusion.",
            "Left pleural effusion.",
            "contradicts-findings",
        ),
        (
            "Findings: Left pneumothorax. There is no pneumothorax. Impression: Pneumothorax.",
            "There is no pneumothorax.",
            "contradicts-findings",
        ),
        (
            "Findings: The heart is enlarged. Impression: Normal heart size.",
            "Normal heart size.",
            "contradicts-findings",
        ),
        ("Findings: No edema. No edema. Impression: Normal.", "No edema.", "repeated-text"),
        (
            "Findings: There is a left effusion a left effusion a left effusion a left effusion. Impression: Effusion.",
            "There is a left effusion a left effusion a left effusion a left effusion.",
            "repeated-text",
        ),
        ("Findings: [write the findings] Impression: Normal.", "[write the findings]", "template-text"),
        ("Findings: Seen by ___. Impression: Normal.", "Seen by ___.", "template-text"),
        (
            "Findings: Clear lungs. Impression: Normal. RECOMMENDATION: CT of the chest.",
            "CT of the chest.",
            "unexpected-section",
        ),
        (
            "Findings: Unchanged since 2018-05-05. Impression: Normal.",
            "Unchanged since 2018-05-05.",
            "prior-date-mismatch",
        ),
        ("Findings: Unchanged since the CT. Impression: Normal.", "Unchanged since the CT.", "other-prior-named"),
    ],
)
def test_each_fault_is_flagged_where_it_stands(text: str, sentence: str, code: str) -> None:
    assert code in codes(text)[sentence]


@pytest.mark.parametrize(
    "text",
    [
        "Findings: Small left pleural effusion. Impression: Left pleural effusion.",
        "Findings: Effusions on both sides. Impression: Right pleural effusion.",
        "Findings: Pleural effusion. Impression: Left pleural effusion.",
        "Findings: No right effusion. Small left effusion. Impression: Left effusion.",
        "Findings: The left effusion has resolved. No effusion. Impression: No effusion.",
        "Findings: The left effusion has resolved. Small right effusion. Impression: Right effusion.",
        "Findings: No effusion. No edema. Impression: No effusion.",
        "Findings: Unchanged since 2019-01-02. Impression: Unchanged.",
        "Findings: Possible left pneumonia. Impression: No pneumonia seen.",
    ],
)
def test_what_agrees_is_not_flagged(text: str) -> None:
    assert codes(text) == {}


@pytest.mark.parametrize(
    ("sex", "words"),
    [
        *(
            ("M", words)
            for words in (
                "She is pregnant.",
                "Intrauterine device.",
                "Breast implants.",
                "Status post hysterectomy.",
                "A 60-year-old woman.",
            )
        ),
        *(
            ("F", words)
            for words in ("Prostate metastases.", "He has effusion.", "Gynecomastia.", "A 60-year-old man.")
        ),
    ],
)
def test_what_the_patients_sex_forbids_is_flagged(sex: str, words: str) -> None:
    text = f"Findings: {words} Impression: Normal."
    assert codes(text, Context(sex=sex))[words] == ["sex-impossible"]
    for other in {"M", "F", "O", ""} - {sex}:
        assert codes(text, Context(sex=other)) == {}


def test_a_text_that_was_cut_off_says_so_at_its_end() -> None:
    text = "Findings: The heart is normal. There is a"
    assert codes(text, finish_reason="length") == {"There is a": ["truncated", "section-missing"]}


def test_words_of_the_order_are_told_from_those_of_the_image() -> None:
    text = "Findings: History of cough and fever. The lungs are clear. Impression: Normal."
    draft = review(text, [], Context(indication="Cough and fever"))
    assert [sentence.source for sentence in draft] == [Source.ORDER, Source.IMAGE, Source.IMAGE]


def test_a_report_without_headings_is_findings() -> None:
    assert {sentence.section for sentence in review("Clear lungs. No effusion.", [], PRIOR)} == {Section.FINDINGS}


@given(st.text(max_size=300), st.sampled_from([PRIOR, NO_PRIOR, Context(sex="F")]))
def test_any_text_can_be_judged(text: str, context: Context) -> None:
    for sentence in review(text, [("x", -1.0)], context, "length"):
        assert sentence.text in text
        assert sentence.text.strip()
        assert all(flag.code and flag.reason for flag in sentence.flags)


@pytest.mark.peer("test-data")
def test_real_reports_raise_few_alarms() -> None:
    """532 Open-I reports, read as if with a prior: at most one in fifty has an objection beside a missing section."""
    reports = [json.loads(line) for line in (data_root() / "openi_dev" / "reports.jsonl").read_text().splitlines()]
    expected = {"section-missing", "other-prior-named"}
    alarms = sum(
        any(flag.code not in expected for sentence in review(text, [], PRIOR) for flag in sentence.flags)
        for report in reports
        if (text := compose(report["findings"] or "", report["impression"] or ""))
    )
    assert alarms <= len(reports) / 50
