"""NIH ChestX-ray14 (nihcc.app.box.com/v/ChestXray-NIHCC): Data_Entry_2017(_v2020).csv and images, no reports.

Images are looked for below images/, images_001/images/ … images_012/images/ or the folder `images`, with the CSV's
name or with .jpg for .png (copies at smaller size). Every image is a study; the order within a patient is
"Follow-up #", there are no dates. The 14 text-mined labels (about 10 % wrong by the publishers' own estimate) are kept
under CheXpert's names where both name the same thing; what is not listed is 0.

Split: train_val_list.txt and test_list.txt where both are there, a tenth of the former's patients (validate_share) as
`validate`; otherwise by hash. Rows are marked sections = "none".
"""

from __future__ import annotations

import os
from pathlib import Path

from training.datasets import fields
from training.datasets.films import Film
from training.datasets.manifest import LABELS
from training.datasets.problems import BadSource, Problem
from training.datasets.source import Outcome, Plan, Record, Source
from training.datasets.study import Found, finish
from training.datasets.tables import find, rows_of

OPTIONS = ("entries", "images")
_NEEDED = ("Image Index", "Finding Labels", "Follow-up #", "Patient ID", "Patient Age", "View Position")
_NAMES = {"Effusion": "Pleural Effusion", "Pleural_Thickening": "Pleural Thickening"}
_MINED = (
    *("Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Emphysema", "Fibrosis", "Hernia", "Infiltration"),
    *("Mass", "No Finding", "Nodule", "Pleural Effusion", "Pleural Thickening", "Pneumonia", "Pneumothorax"),
)


def _images(source: Source) -> dict[str, str]:
    """Every image file below the root by its stem."""
    root = source.folder("images", source.root)
    found: dict[str, str] = {}
    for folder, below, names in os.walk(root):
        below.sort()
        for name in names:
            if name.endswith((".png", ".jpg", ".jpeg")):
                found.setdefault(Path(name).stem, str(Path(folder) / name))
    return found


def _splits(source: Source) -> dict[str, str]:
    """Image -> "train" or "test" by the official lists; empty where they are not there."""
    lists = {"train": source.root / "train_val_list.txt", "test": source.root / "test_list.txt"}
    there = [name for name, path in lists.items() if path.is_file()]
    if len(there) == 1:
        raise BadSource(f"{source.root} has only one of train_val_list.txt and test_list.txt; fetch the other, too")
    return {image: name for name in there for image in lists[name].read_text(encoding="utf-8").split()}


def _labels(said: str) -> tuple[dict[str, int], list[str]]:
    """(labels, names that are none of ChestX-ray14's)."""
    names = [_NAMES.get(name.strip(), name.strip()) for name in said.split("|") if name.strip()]
    unknown = [name for name in names if name not in LABELS]
    return {name: int(name in names) for name in _MINED}, unknown


def plan(source: Source) -> Plan:
    """One record per image of the entry file."""
    result = Plan()
    given = source.file("entries")
    names = ("Data_Entry_2017_v2020.csv", "Data_Entry_2017.csv")
    path = given or find(source.root, *names, why="labels, patients and follow-up order")
    splits, images = _splits(source), _images(source)
    for line, row in rows_of(path, source.dataset, _NEEDED, result.problems):
        at, image = f"{path.name}:{line}", row["Image Index"].strip()
        if not row["Patient ID"].strip() or not row["Follow-up #"].strip().isdigit():
            result.problems.append(Problem(source.dataset, at, "identifier missing", image))
            continue
        if splits and image not in splits:
            result.problems.append(Problem(source.dataset, at, "in neither official list", image))
            continue
        result.records.append(
            _record(row, at, images.get(Path(image).stem, str(source.root / "images" / image)), splits)
        )
    return result


def _record(row: dict[str, str], at: str, file: str, splits: dict[str, str]) -> Record:
    split = splits.get(row["Image Index"].strip(), "")
    return {
        "patient": row["Patient ID"].strip(),
        "study": Path(row["Image Index"].strip()).stem,
        "at": at,
        "order": row["Follow-up #"].strip().zfill(6),
        "image": file,
        "view": fields.view(row["View Position"]),
        "age": fields.age(row["Patient Age"]),
        "aged": row["Patient Age"].strip(),
        "sex": fields.sex(row.get("Patient Gender") or row.get("Patient Sex")),
        "labels": row["Finding Labels"],
        "split": "train or validate" if split == "train" else split,
    }


def files(record: Record, source: Source) -> list[Path]:  # noqa: ARG001 - an adapter's signature
    """The film of one study."""
    return [Path(record["image"])]


def read(record: Record, source: Source) -> Outcome:
    """Find the film of one study."""
    labels, unknown = _labels(record["labels"])
    remarks = [("unknown label", name) for name in unknown]
    if record["age"] is None and record["aged"]:
        remarks.append(("impossible age", record["aged"]))
    attributes = {"labels": labels, "sex": record["sex"], "age": record["age"]}
    found = Found(
        study_id=record["study"],
        patient_id=record["patient"],
        order_key=record["order"],
        source_row=record["at"],
        films=[Film(record["image"], record["view"])],
        split=record["split"],
        attributes=attributes,
        remarks=remarks,
        reported=False,
    )
    return finish(found, source)
