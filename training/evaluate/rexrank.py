"""ReXrank's files: test cases in, predictions out, and the two tables its scorers read.

A file is one object keyed by case id; a case has `image_path` (list), `key_image_path` (the frontal film), `context`
("Age:50-60.Gender:M.Indication: ... Comparison: ..."), `section_findings`, `section_impression` (NaN where missing, so
the file is not strict JSON), and in predictions `model_prediction`. Paths are relative to the image folder.
Source: rajpurkarlab/ReXrank, data/ and example_files/.
"""

from __future__ import annotations

import csv
import json
import os
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from model.errors import NotAnImage
from model.report_text import section_text
from training.evaluate.cases import UNKNOWN, Film, Split, StudyCase, age_band, sex_group, whole_report
from training.evaluate.films import read_film

PREDICTION = "model_prediction"
_FIELD = re.compile(r"\b(Age|Gender|Indication|Comparison)\s*:", re.IGNORECASE)

Record = dict[str, Any]


class BadRecords(ValueError):
    """The file is not in ReXrank's format; the message names file, case and key."""


def read_records(path: Path) -> dict[str, Record]:
    """Cases by id, in the file's order; NaN values become None. Raises BadRecords, OSError."""
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"), parse_constant=lambda _: None)
    except ValueError as error:
        raise BadRecords(f"{path} is not JSON ({error}); give ReXrank's object keyed by case id") from None
    if not isinstance(loaded, dict) or not all(isinstance(record, dict) for record in loaded.values()):
        raise BadRecords(f"{path} must hold one object keyed by case id, each case an object itself")
    return loaded


def write_records(path: Path, records: Mapping[str, Record]) -> None:
    """One file, replaced at once. What was NaN is written as null, so that any JSON reader takes it."""
    part = path.with_name(f"{path.name}.writing")
    part.write_text(json.dumps(records, indent=1, ensure_ascii=False, allow_nan=False), encoding="utf-8")
    part.replace(path)


def read_context(context: str | None) -> dict[str, str]:
    """age, gender, indication, comparison: those that the context string has and that hold text."""
    text = context or ""
    marks = list(_FIELD.finditer(text))
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    found = {mark.group(1).lower(): text[mark.end() : end].strip() for mark, end in zip(marks, ends, strict=False)}
    found |= {key: found[key].rstrip(".").strip() for key in ("age", "gender") if key in found}
    return {key: value for key, value in found.items() if value}


def image_file(root: Path, record: Record, case: str) -> Path:
    """The frontal film: `key_image_path`, else the first image. Raises BadRecords for none, or one outside the root."""
    images = record.get("image_path") or []
    stated = record.get("key_image_path") or (images[0] if isinstance(images, list) and images else None)
    if not isinstance(stated, str) or not stated:
        raise BadRecords(f"case {case}: neither key_image_path nor image_path names an image")
    inside = os.path.normpath(stated.lstrip("/"))
    if inside.startswith(".."):
        raise BadRecords(f"case {case}: {stated} leads out of the image folder; give paths below --img_root_dir")
    return root / inside


def study_case(case: str, record: Record, root: Path, site: str = "rexrank") -> StudyCase:
    """One record as a study. The files name no patients: each case counts as one. Raises BadRecords.

    A record without an image below the root is a study as well; its film cannot be read.
    """
    told = read_context(_section(record, "context", case))
    return StudyCase(
        study=case,
        patient=str(record.get("patient_id") or case),
        site=site,
        film=_film(root, record, case),
        findings=_section(record, "section_findings", case),
        impression=_section(record, "section_impression", case),
        indication=told.get("indication"),
        comparison=told.get("comparison"),
        groups={"sex": sex_group(told.get("gender")), "age": age_band(told.get("age")), "race": UNKNOWN},
    )


def _film(root: Path, record: Record, case: str) -> Film:
    try:
        return partial(read_film, image_file(root, record, case))
    except BadRecords as error:
        return partial(_no_film, str(error))


def _no_film(reason: str, _size: int) -> Image.Image:
    raise NotAnImage(reason)


def prediction(record: Record) -> str | None:
    """The record's draft; None where it has none: no key, null, NaN, or anything but text."""
    said = record.get(PREDICTION)
    return said if isinstance(said, str) else None


def _section(record: Record, key: str, case: str) -> str:
    value = record.get(key)
    if value is not None and not isinstance(value, str):
        raise BadRecords(f"case {case}: {key} must be text or NaN, not {value!r}")
    return (value or "").strip()


def write_tables(records: Mapping[str, Record], split: Split, folder: Path) -> tuple[Path, Path]:
    """ground_truth.csv and predictions.csv: study_id (0, 1, ...), case_id, report. Raises BadRecords.

    reports: `whole_report`, and the prediction as it is. findings: the bare findings of both. Cases without a reference
    for the split are left out, as they are not judged.
    """
    unpredicted = [case for case, record in records.items() if prediction(record) is None]
    if unpredicted:
        raise BadRecords(f"{len(unpredicted)} cases have no {PREDICTION}, such as {unpredicted[0]}; run inference.py")
    truth, predicted = [], []
    for case, record in records.items():
        findings, impression = _section(record, "section_findings", case), _section(record, "section_impression", case)
        said = prediction(record) or ""
        if split == "reports" and (findings or impression):
            truth.append((case, whole_report(findings, impression)))
            predicted.append((case, said))
        elif split == "findings" and findings:
            truth.append((case, findings))
            predicted.append((case, section_text(said, "findings")))
    folder.mkdir(parents=True, exist_ok=True)
    return _table(folder / "ground_truth.csv", truth), _table(folder / "predictions.csv", predicted)


def _table(path: Path, rows: list[tuple[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("study_id", "case_id", "report"))
        writer.writerows((number, case, report) for number, (case, report) in enumerate(rows))
    return path
