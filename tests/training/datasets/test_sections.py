"""Report text of MIMIC-CXR -> sections: the conventions of its publishers."""

from __future__ import annotations

import pytest

from training.datasets.sections import mimic_sections, section_name


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        ("FINDINGS", "findings"),
        ("FINDING", "findings"),
        ("FINIDNGS", "findings"),
        ("CHEST, TWO VIEWS", "findings"),
        ("PORTABLE AP UPRIGHT", "findings"),
        ("PA AND LATERAL VIEWS OF THE CHEST", "findings"),
        ("IMPRESSION", "impression"),
        ("IMPRSSION", "impression"),
        ("FINDINGS AND IMPRESSION", "impression"),
        ("FINDINGS/IMPRESSION", "impression"),
        ("CONCLUSION", "impression"),
        ("REASON FOR EXAM", "indication"),
        ("NDICATION", "indication"),
        ("CLINICAL HISTORY", "history"),
        ("COMPARISONS", "comparison"),
        ("COMPARISION", "comparison"),
        ("REFERENCE EXAM", "comparison"),
        ("EXAMINATION", "other"),
        ("TECHNIQUE", "other"),
        ("CHEST RADIOGRAPH TECHNIQUE", "other"),
        ("WET READ", "other"),
        ("RECOMMENDATION(S)", "other"),
        ("NOTIFICATION", "other"),
        ("ADDENDUM", "other"),
        ("LUNGS", "unknown"),
        ("UPPER ABDOMEN", "unknown"),
        ("SUMMARY", "impression"),
        ("OPINION", "impression"),
        ("STUDY", "other"),
        ("ABDOMEN, SINGLE VIEW", "other"),
        ("PORTABLE SUPINE ABDOMEN", "other"),
        ("CHEST AND ABDOMEN, TWO VIEWS", "findings"),
        ("INTERPRETED BY", "other"),
        ("DATE", "other"),
    ],
)
def test_headings_are_named(heading: str, name: str):
    assert section_name(heading) == name


def test_the_last_of_several_that_holds_text_counts():
    report = " FINDINGS:\n First.\n \n CHEST, PA AND LATERAL:\n \n FINDINGS:  Second\n line.\n IMPRESSION:\n"
    said = mimic_sections(report)
    assert (said.findings, said.impression) == ("Second line.", "")


@pytest.mark.parametrize(
    ("report", "findings", "impression"),
    [
        (
            " FINDINGS:\n LUNGS: Clear.\n HEART: Enlarged.\n IMPRESSION: Cardiomegaly.\n",
            "LUNGS: Clear. HEART: Enlarged.",
            "Cardiomegaly.",
        ),
        (" CHEST, TWO VIEWS: Clear.\n BONES: Old fracture.\n", "Clear. BONES: Old fracture.", ""),
        (" FINDINGS AND IMPRESSION:\n LUNGS: Clear.\n HEART: Normal.\n", "", "LUNGS: Clear. HEART: Normal."),
        (" FINDINGS: Clear.\n NOTIFICATION: told.\n HEART: Normal.\n", "Clear.", ""),
        (" FINDINGS: Clear.\n ADDENDUM: A rib.\n", "Clear.", ""),
        (
            " CHEST, TWO VIEWS: Clear.\n ABDOMEN, SINGLE VIEW: Dilated loops.\n SUMMARY: Ileus.\n INTERPRETED BY: X\n",
            "Clear.",
            "Ileus.",
        ),
        (" FINDINGS: Clear.\n UPPER ABDOMEN: Normal.\n BONES: Old.\n", "Clear. UPPER ABDOMEN: Normal. BONES: Old.", ""),
        (" IMPRESSION: Normal.\n DISCLAIMER: none.\n", "", "Normal."),
    ],
)
def test_unknown_headings_below_findings_are_part_of_them(report: str, findings: str, impression: str):
    said = mimic_sections(report)
    assert (said.findings, said.impression) == (findings, impression)


def test_what_stands_before_a_heading_and_after_the_signature_line_is_not_findings():
    said = mimic_sections(
        " FINAL REPORT\n CHEST\n \n IMPRESSION: 1. Normal: heart.\n 2. Clear.\n \n NOTIFICATION: told.\n"
    )
    assert said.impression == "1. Normal: heart. 2. Clear."
    assert said.findings == ""


def test_history_stands_for_a_missing_indication_only():
    assert mimic_sections(" HISTORY:  Cough.\n FINDINGS: x\n").indication == "Cough."
    assert mimic_sections(" HISTORY:  Cough.\n INDICATION: Fever.\n FINDINGS: x\n").indication == "Fever."


def test_a_report_without_both_gives_its_last_paragraphs():
    report = " FINAL REPORT\n HISTORY:  Fall.\n \n No fracture.\n \n Clear\n lungs.\n"
    said = mimic_sections(report)
    assert (said.findings, said.from_last_paragraph) == ("No fracture. Clear lungs.", True)
    assert mimic_sections(report, last_paragraph=False).findings == ""
    assert mimic_sections(" IMPRESSION: Normal.\n \n Signed.\n").from_last_paragraph is False


@pytest.mark.parametrize("report", ["", "\n", " FINDINGS:", "words", "\r\n FINDINGS:\r\n Clear.\r\n"])
def test_any_text_has_sections(report: str):
    said = mimic_sections(report)
    assert said.findings in {"", "Clear."}


def test_deidentified_blanks_stay_and_ruled_lines_go():
    said = mimic_sections(" FINDINGS: Compared to ___, clear.\n ______________________________________\n")
    assert said.findings == "Compared to ___, clear."
