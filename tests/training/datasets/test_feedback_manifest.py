"""An export of signed reports goes through the same command as every other collection."""

from __future__ import annotations

import json
from pathlib import Path

from tests.training.datasets.layouts import Prepared, film


def test_an_export_becomes_a_manifest(tmp_path: Path):
    sentence = {
        "change": "kept",
        "section": "findings",
        "draft_section": "findings",
        "draft_index": 0,
        "signed_index": 0,
        "draft": "Lungs are clear.",
        "signed": "Lungs are clear.",
        "similarity": 1.0,
        "moved": False,
        "decision": "accepted",
    }
    record = {
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
        "draft": [{"section": "findings", "text": "Lungs are clear.", "author": "model", "flags": [], "logprob": None}],
        "signed_findings": "Lungs are clear.",
        "signed_impression": "",
        "sentences": [sentence],
        "addenda": [],
        "withdrawn_wordings": 0,
    }
    root = tmp_path / "in"
    film(root / "images" / "d1.png")
    (root / "feedback.jsonl").write_text(json.dumps(record) + "\nnot a record\n")
    made = Prepared("feedback", root, tmp_path / "out")
    row = made.rows["s1"]
    assert (row["findings"], row["sections"], row["sex"], row["age"]) == ("Lungs are clear.", "findings", "F", 71.0)
    assert row["image"] == str(root / "images" / "d1.png")
    assert made.dropped() == {"unreadable entry": 1}
