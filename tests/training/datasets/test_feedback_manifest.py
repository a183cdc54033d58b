"""An export of signed reports goes through the same command as every other collection, and teaches to miss nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.training.datasets.layouts import Prepared, film
from training.datasets.feedback import NO_PRIOR, UNTAUGHT, plan, preferences
from training.datasets.source import Source

CLEAR = "Lungs are clear."
LARGE = "Large right pneumothorax."
TOLD = "Large right pneumothorax, discussed with [name] at [time]."
RIGHT = "Right pneumothorax."


def sentences(*rows: tuple[str, str, str]) -> list[dict[str, Any]]:
    """Of (section, draft, signed), "" where a sentence is on one side only."""
    made: list[dict[str, Any]] = []
    for section, draft, signed in rows:
        change = "kept" if draft == signed else "reworded" if draft and signed else "deleted" if draft else "added"
        index = {side: sum(row[f"{side}_index"] is not None for row in made) for side in ("draft", "signed")}
        made.append(
            {
                "change": change,
                "section": section,
                "draft_section": section if draft else "",
                "draft_index": index["draft"] if draft else None,
                "signed_index": index["signed"] if signed else None,
                "draft": draft,
                "signed": signed,
                "similarity": 1.0,
                "moved": False,
                "decision": "accepted",
            }
        )
    return made


def record(*rows: tuple[str, str, str], **values: Any) -> dict[str, Any]:
    """One line of an export."""
    aligned = sentences(*rows or (("findings", CLEAR, CLEAR),))
    draft = [
        {"section": row["section"], "text": row["draft"], "author": "model", "flags": [], "logprob": None}
        for row in aligned
        if row["draft"]
    ]
    return {
        "record": "r1",
        "patient": "p1",
        "study": "s1",
        "site": "w",
        "study_number": 1,
        "sex": "F",
        "age_years": 71,
        "status": "final",
        "indication": "Cough.",
        "model": None,
        "prior_given": False,
        "prior_study": "",
        "prior_days": None,
        "prior_report": "",
        "prior_image": "",
        "image": "d1",
        "draft_text": "",
        "draft": draft,
        "signed_findings": "",
        "signed_impression": "",
        "sentences": aligned,
        "addenda": [],
        "withdrawn_wordings": 0,
        **values,
    }


def export(root: Path, *lines: str) -> Path:
    film(root / "images" / "d1.png")
    (root / "feedback.jsonl").write_text("".join(f"{line}\n" for line in lines))
    return root


def test_an_export_becomes_a_manifest(tmp_path: Path):
    root = export(tmp_path / "in", json.dumps(record()), "not a record")
    made = Prepared("feedback", root, tmp_path / "out")
    row = made.rows["s1"]
    assert (row["findings"], row["sections"], row["sex"], row["age"]) == (CLEAR, "findings", "F", 71.0)
    assert row["image"] == str(root / "images" / "d1.png")
    assert made.dropped() == {"unreadable entry": 1}


@pytest.mark.parametrize(
    ("rows", "findings"),
    [
        ([("findings", LARGE, TOLD)], None),
        ([("findings", "", TOLD), ("findings", CLEAR, CLEAR)], None),
        ([("findings", LARGE, TOLD), ("findings", CLEAR, CLEAR), ("impression", RIGHT, RIGHT)], CLEAR),
        ([("findings", LARGE, TOLD), ("findings", CLEAR, CLEAR), ("impression", "", "Left pneumothorax.")], None),
        ([("findings", LARGE, TOLD), ("findings", CLEAR, CLEAR), ("impression", "", "Pneumothorax.")], CLEAR),
        (
            [("findings", "", "Comparison: film of [date]."), ("findings", LARGE, TOLD), ("findings", CLEAR, CLEAR)],
            None,
        ),
        ([("findings", "", "No pneumothorax since [date]."), ("findings", CLEAR, CLEAR)], CLEAR),
    ],
)
def test_no_report_is_taught_without_a_finding_that_was_signed(
    tmp_path: Path, rows: list[tuple[str, str, str]], findings: str | None
):
    # a second report keeps the manifest from being empty
    other = record(study="s2", patient="p2", image="d2")
    film(tmp_path / "in" / "images" / "d2.png", 2)
    made = Prepared("feedback", export(tmp_path / "in", *map(json.dumps, (record(*rows), other))), tmp_path / "out")
    assert made.rows.get("s1", {}).get("findings") == findings
    assert made.reasons("s1") == ({UNTAUGHT} if findings is None else {"sentences left out"})


@pytest.mark.parametrize(("digest", "kept"), [("d3", True), ("d4", False), ("", False)])
def test_a_report_is_taught_only_with_the_prior_that_it_was_written_with(tmp_path: Path, digest: str, kept: bool):
    film(tmp_path / "in" / "images" / "d3.png", 3)
    film(tmp_path / "in" / "images" / "d2.png", 2)
    given = {"prior_given": True, "prior_study": "s0", "prior_days": 30, "prior_image": digest}
    records = (record(**given), record(study="s2", patient="p2", image="d2"))
    made = Prepared("feedback", export(tmp_path / "in", *map(json.dumps, records)), tmp_path / "out")
    assert ("s1" in made.rows) is kept
    assert made.dropped() == ({} if kept else {NO_PRIOR: 1})


def pair(tmp_path: Path, given: dict[str, Any]) -> tuple[str, str, str] | str:
    """(chosen, rejected, prompt), or why there is none."""
    pairs, problems = preferences(Source("feedback", export(tmp_path, json.dumps(given))))
    return (pairs[0].chosen, pairs[0].rejected, pairs[0].prompt) if pairs else problems[0].reason


@pytest.mark.parametrize(
    ("rows", "chosen", "rejected"),
    [
        (  # a sentence with a mark goes from both sides
            [("findings", LARGE, TOLD), ("findings", "Heart normal.", "The heart is enlarged.")],
            "Findings: The heart is enlarged.",
            "Findings: Heart normal.",
        ),
        (  # so does one whose draft holds it
            [("findings", TOLD, LARGE), ("findings", "Heart normal.", "The heart is enlarged.")],
            "Findings: The heart is enlarged.",
            "Findings: Heart normal.",
        ),
        (  # the impression was deleted: neither text has one
            [("findings", CLEAR, "The lungs are clear."), ("impression", "Normal.", "")],
            "Findings: The lungs are clear.",
            "Findings: Lungs are clear.",
        ),
        (
            [("findings", CLEAR, CLEAR), ("impression", "", "Normal chest.")],
            "Findings: Lungs are clear. Impression: Normal chest.",
            "Findings: Lungs are clear.",
        ),
    ],
)
def test_chosen_and_rejected_differ_in_what_the_reader_changed(
    tmp_path: Path, rows: list[tuple[str, str, str]], chosen: str, rejected: str
):
    found = pair(tmp_path, record(*rows))
    assert found[:2] == (chosen, rejected)
    assert ("Impression:" in found[2]) is ("Impression:" in chosen), "the prompt asks for what was chosen"


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([("findings", CLEAR, CLEAR)], "signed as it was drafted"),
        ([("findings", LARGE, TOLD), ("findings", CLEAR, CLEAR)], "nothing left to compare"),
        ([("findings", CLEAR, CLEAR), ("impression", "Normal.", "")], "nothing left to compare"),
        ([("findings", LARGE, ""), ("findings", CLEAR, CLEAR), ("findings", "", TOLD)], UNTAUGHT),
    ],
)
def test_what_makes_no_pair_is_told(tmp_path: Path, rows: list[tuple[str, str, str]], reason: str):
    assert pair(tmp_path, record(*rows)) == reason


@pytest.mark.parametrize(
    "values",
    [
        *({name: ...} for name in ("image", "indication", "sex", "age_years", "prior_study", "prior_report", "draft")),
        {"image": None},
        {"age_years": "71"},
        {"sentences": [None]},
        {"sentences": [{"change": "kept"}]},
        {"draft": [{"text": CLEAR}]},
        {"draft": []},
    ],
    ids=str,
)
def test_a_record_that_is_not_whole_is_listed(tmp_path: Path, values: dict[str, Any]):
    whole = {name: value for name, value in {**record(), **values}.items() if value is not ...}
    found = plan(Source("feedback", export(tmp_path, json.dumps(whole))))
    assert (found.records, [problem.reason for problem in found.problems]) == ([], ["unreadable entry"])
