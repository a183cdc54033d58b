"""Report text: nothing lost between the model's words and the reader's sentences."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.report_text import Span, compose, mean_logprobs, section_text, sections, sentences


def texts(report: str, section: str | None = None) -> list[str]:
    return [span.text for span in sentences(report) if section in {None, span.section}]


def test_the_published_form_is_read() -> None:
    report = "Findings: The heart is enlarged. No effusion. Impression: Cardiomegaly."
    assert texts(report, "findings") == ["The heart is enlarged.", "No effusion."]
    assert texts(report, "impression") == ["Cardiomegaly."]


@pytest.mark.parametrize(
    "report",
    [
        "FINDINGS:\nLungs are clear.\n\nIMPRESSION:\nNormal.",
        "findings: Lungs are clear. impression: Normal.",
        "**Findings:** Lungs are clear. **Impression:** Normal.",
        "## Findings\nLungs are clear.\n## Impression\nNormal.",
        "Findings: Lungs are clear Impression: Normal.",
        "FINDINGS Lungs are clear.\nIMPRESSION Normal.",
        "Lungs are clear. Impression: Normal.",
        "Findings\nLungs are clear.\nConclusion\nNormal.",
        "Findings:Lungs are clear.Impression:Normal.",
    ],
)
def test_headings_are_found_however_they_are_written(report: str) -> None:
    assert section_text(report, "findings").rstrip(".") == "Lungs are clear"
    assert section_text(report, "impression") == "Normal."


@pytest.mark.parametrize(
    "report",
    [
        "Findings of mild edema are noted. No effusion.",
        "These findings are unchanged. The impression of a nodule is false.",
        "Heart: normal. Effusion: none. Change: none.",
    ],
)
def test_words_within_a_sentence_are_no_headings(report: str) -> None:
    assert {span.section for span in sections(report)} == {"findings"}
    assert section_text(report, "findings") == report


def test_missing_sections_are_empty_not_an_error() -> None:
    assert section_text("Findings: Clear lungs.", "impression") == ""
    assert section_text("Impression: Normal.", "findings") == ""
    assert sentences("") == sentences(" \n ") == sentences("Findings: Impression:") == ()


def test_other_sections_of_a_report_end_the_one_before() -> None:
    report = "EXAM: Chest PA.\nCOMPARISON: None.\nFINDINGS: Clear.\nIMPRESSION: Normal.\nRECOMMENDATION: None."
    assert [(span.section, span.text) for span in sections(report)] == [
        ("other", "Chest PA."),
        ("other", "None."),
        ("findings", "Clear."),
        ("impression", "Normal."),
        ("other", "None."),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Tube tip 4.5 cm above the carina. No pneumothorax.", 2),
        ("Discussed with Dr. Smith at 5 p.m. on Monday. Done.", 2),
        ("A nodule of approx. 5 mm, e.g. a granuloma. Clear otherwise.", 2),
        ("Right vs. left asymmetry is seen.", 1),
        ("heart is normal. no effusion. lungs clear", 3),
        ("1. Small left effusion. 2. Cardiomegaly. 3. No pneumothorax.", 3),
        ("1) Small left effusion\n2) Cardiomegaly", 2),
        ("- Small left effusion\n- Cardiomegaly", 2),
        ("The heart is\nenlarged. The tip of the\nSwan-Ganz catheter is in place.", 2),
        ("Clear lungs\nNormal heart\n\nNo effusion", 3),
        ("Fracture of rib no. 5 on the left. Any effusion? No. Nothing else!", 4),
        ("Seen by Dr. J. B. Smith and J. smith. Done.", 2),
        ("Effusion measures 4 cm. The heart is normal.", 2),
        ("Line ends in the S.V.C. The heart is normal.", 2),
        ("... . ;", 0),
    ],
)
def test_sentences_end_where_a_reader_ends_them(text: str, expected: int) -> None:
    assert len(sentences(text)) == expected, texts(text)


def test_list_numbers_are_not_part_of_a_sentence() -> None:
    assert texts("1. Small effusion. 2. Cardiomegaly.") == ["Small effusion.", "Cardiomegaly."]


PIECES = st.sampled_from([*"abcD ..\n:!?12)-*", "Findings:", "IMPRESSION", " impression: ", "e.g. "])


@given(st.lists(PIECES).map("".join))
def test_spans_cover_all_but_headings_numbers_and_white_space(report: str) -> None:
    rest, at = "", 0
    for span in sentences(report):
        assert span.text == report[span.start : span.end] == span.text.strip() != ""
        assert span.start >= at
        rest, at = f"{rest}{report[at : span.start]}\n", span.end
    rest += report[at:]
    headings_gone = re.sub(r"findings|impression", "", rest, flags=re.IGNORECASE)
    numbers_gone = re.sub(r"\(?\d{1,2}[.)]", "", headings_gone)
    assert not re.search(r"[a-zD]", numbers_gone)


WORDS = st.sampled_from(
    ["the heart is enlarged", "no effusion of 4.5 cm", "Clear", "seen by Dr. Smith", "1.2 cm nodule"]
)
SENTENCES = st.lists(st.tuples(WORDS, st.sampled_from(".!?")).map("".join), min_size=1, max_size=6)


@given(SENTENCES, SENTENCES)
def test_composing_and_reading_are_inverse(findings: list[str], impression: list[str]) -> None:
    report = compose(" ".join(findings), " ".join(impression))
    assert texts(report, "findings") == findings
    assert texts(report, "impression") == impression
    assert compose(section_text(report, "findings"), section_text(report, "impression")) == report


def test_each_sentence_gets_the_mean_of_its_own_tokens() -> None:
    report = "Findings: Clear lungs. Impression: Normal."
    tokens = [("Find", -9.0), ("ings:", -9.0), (" Clear", -1.0), (" lungs.", -3.0), (" Impression:", -9.0)]
    tokens.append((" Normal.", -0.5))
    assert mean_logprobs(report, tokens, sentences(report)) == (-2.0, -0.5)


def test_tokens_that_do_not_spell_the_report_give_no_figures() -> None:
    assert mean_logprobs("Clear.", [("Cloudy.", -1.0)], sentences("Clear.")) == (None,)


TOKENS = ["Clear", " lungs", ".", " No", " effusion", ". ", "\n", " Impression:", " Normal"]


@given(st.lists(st.sampled_from(TOKENS), max_size=30))
def test_every_sentence_of_a_spelt_report_has_a_figure(pieces: list[str]) -> None:
    report = "".join(pieces)
    spans = sentences(report)
    figures = mean_logprobs(report, [(piece, -1.0) for piece in pieces], spans)
    assert all(figure == -1.0 for figure, span in zip(figures, spans, strict=True) if re.match(r"\w", span.text))
    assert all(isinstance(span, Span) for span in spans)
