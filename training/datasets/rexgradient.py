"""ReXGradient-160K (rajpurkarlab): metadata/{train,valid,test}_metadata_view_position.json and deid_png/.

Each JSON file is an object keyed by study, whose entries hold PatientID, StudyInstanceUid, AccessionNumber, PatientSex,
PatientAge, StudyDate, Indication, Comparison, Findings, Impression, ImagePath (list, written "../deid_png/…") and
ImageViewPosition (list). <split>_metadata.csv, one line per study under `id`, has no image paths; where it is there, it
fills what the JSON leaves out. Studies of one day have no order.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from training.datasets import fields
from training.datasets.films import Film
from training.datasets.problems import BadSource, Problem
from training.datasets.source import Outcome, Plan, Record, Source
from training.datasets.study import Found, finish
from training.datasets.tables import find_optional, rows_of

OPTIONS = ("images",)
_SPLITS = {"train": "train", "valid": "validate", "test": "test"}
_TEXTS = ("Findings", "Impression", "Indication", "Comparison")
_KEPT = (*_TEXTS, "PatientID", "StudyInstanceUid", "PatientSex", "PatientAge", "StudyDate", "EthnicGroup")


def _metadata(source: Source) -> Path:
    folder = source.root / "metadata"
    return folder if folder.is_dir() else source.root


def _entries(path: Path) -> dict[str, Any]:
    try:
        entries = json.loads(path.read_bytes())
    except ValueError as error:
        raise BadSource(f"{path} is not JSON ({error}); fetch it again") from error
    if not isinstance(entries, dict):
        raise BadSource(f"{path} must be an object keyed by study, not a {type(entries).__name__}")
    return entries


def _lines(source: Source, split: str, problems: list[Problem]) -> dict[str, dict[str, str]]:
    """The CSV's lines by id."""
    path = find_optional(_metadata(source), f"{split}_metadata.csv")
    return {row["id"]: row for _, row in rows_of(path, source.dataset, ("id",), problems)} if path else {}


def _views(entry: dict[str, Any]) -> list[Any] | None:
    """Views in the order of the images; a single word is the first image's. None where it is neither."""
    said = entry.get("ImageViewPosition")
    if isinstance(said, list):
        return said
    if isinstance(said, dict):
        return None
    return [said] if fields.text(said) else []


def _record(key: str, entry: dict[str, Any], at: str, split: str) -> Record:
    views = _views(entry) or []
    paths = [str(path) for path in entry.get("ImagePath") or []]
    day = fields.dicom_date(entry.get("StudyDate"))
    return {
        "patient": str(entry["PatientID"]),
        "study": str(entry.get("StudyInstanceUid") or key),
        "at": at,
        "order": day.isoformat() if day else "",
        "split": split,
        "images": [[path, fields.view(views[i]) if i < len(views) else ""] for i, path in enumerate(paths)],
        **{name.lower(): fields.text(entry.get(name)) for name in _TEXTS},
        "sex": fields.sex(entry.get("PatientSex")),
        "age": fields.age(entry.get("PatientAge")),
        "ethnicity": fields.optional(entry.get("EthnicGroup")),
    }


def _split(source: Source, path: Path, name: str, problems: list[Problem]) -> Iterator[Record]:
    lines = _lines(source, name, problems)
    for key, entry in _entries(path).items():
        at = f"{path.name}:{key}"
        if not isinstance(entry, dict):
            problems.append(Problem(source.dataset, at, "unreadable entry", type(entry).__name__))
            continue
        line = lines.get(key, {})
        whole = entry | {column: line[column] for column in _KEPT if column in line and entry.get(column) in (None, "")}
        if not fields.text(whole.get("PatientID")):
            problems.append(Problem(source.dataset, at, "identifier missing", "PatientID"))
        elif not isinstance(entry.get("ImagePath") or [], list):
            problems.append(Problem(source.dataset, at, "unreadable entry", "ImagePath is no list"))
        elif _views(entry) is None:
            problems.append(Problem(source.dataset, at, "unreadable entry", "ImageViewPosition is no list"))
        else:
            yield _record(key, whole, at, _SPLITS[name])


def plan(source: Source) -> Plan:
    """One record per study of the three (or fewer) metadata files."""
    result = Plan()
    folder = _metadata(source)
    files = {name: folder / f"{name}_metadata_view_position.json" for name in _SPLITS}
    there = {name: path for name, path in files.items() if path.is_file()}
    if not there:
        raise BadSource(
            f"{folder} has none of {', '.join(path.name for path in files.values())}; it is the folder "
            "metadata/ of the published dataset (the CSV files alone name no images)"
        )
    for name, path in there.items():
        result.records += _split(source, path, name, result.problems)
    return result


def _image(path: str, source: Source) -> Path:
    root = source.folder("images", source.root / "deid_png" if (source.root / "deid_png").is_dir() else source.root)
    return root / path.removeprefix("../").removeprefix("deid_png/")


def _films(record: Record, source: Source) -> list[Film]:
    return [Film(str(_image(path, source)), view) for path, view in record["images"]]


def files(record: Record, source: Source) -> list[Path]:
    """Films of one study."""
    return [Path(film.path) for film in _films(record, source)]


def read(record: Record, source: Source) -> Outcome:
    """Find the images of one study."""
    names = ("sex", "age", "ethnicity")
    attributes = {name: record[name] for name in names if record[name] is not None}
    found = Found(
        study_id=record["study"],
        patient_id=record["patient"],
        order_key=record["order"],
        source_row=record["at"],
        films=_films(record, source),
        **{name.lower(): record[name.lower()] for name in _TEXTS},
        split=record["split"],
        attributes=attributes,
        remarks=[] if record["order"] else [("no study date", "the study has and is no prior")],
    )
    return finish(found, source)
