"""CheXpert Plus (Stanford AIMI): df_chexpert_plus_*.csv and its PNG (or CheXpert's JPEG) tree.

One CSV row per image, the report repeated on each; a study is patientNNNNN/studyN of `path_to_image` (accession
numbers are shared between patients). Images are looked for below `images` (default: the root, PNG/, PNG/PNG/) under
the given name and with .png. Indication: section_clinical_history, else section_history; section_narrative repeats
the report and is never used. `labels` names one of the JSON Lines files keyed by path_to_image.

Split: train, and `valid` (200 patients, ReXrank's public test studies) as test; part of train can be held out
(validation_studies, validate_share).

Order: patient_report_date_order, an ordinal without dates. `order = "report_dates"` takes the date in the report's
first lines where every study of the patient has one. A third party found the ordinal at odds with those dates in about
half of the pairs; the dates themselves were replaced when the reports were de-identified, so neither is certain. What
disagrees is counted in the card ("order and report date disagree").
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

from training.datasets import fields, splits
from training.datasets.films import Film
from training.datasets.manifest import CHEXPERT_LABELS
from training.datasets.problems import BadSource, Problem
from training.datasets.source import Outcome, Plan, Record, Source
from training.datasets.study import Found, finish
from training.datasets.tables import rows_of

OPTIONS = ("csv", "images", "labels", "order")
_NEEDED = (
    *("path_to_image", "frontal_lateral", "ap_pa", "deid_patient_id", "patient_report_date_order", "split"),
    *("section_findings", "section_impression", "section_clinical_history", "section_history", "section_comparison"),
    *("age", "sex", "race"),
)
_STUDY = re.compile(r"(patient\d+)/(study\d+)/[^/]+$")
_SPLITS = {"train": "train", "valid": "test", "test": "test"}
_DATE = re.compile(r"\b(\d{1,2})[/-](\d{1,2})[/-](\d{4}|\d{2})\b")
_HEADER = 300  # characters of a report in which the examination is dated
_SECTIONS = ("findings", "impression", "comparison")


def _csv(source: Source) -> Path:
    given = source.file("csv")
    if given:
        return given
    found = sorted(source.root.glob("df_chexpert_plus_*.csv*"))
    if len(found) != 1:
        raise BadSource(
            f"{source.root} holds {len(found)} files df_chexpert_plus_*.csv; name the one to read with csv = …"
        )
    return found[0]


def _report_date(row: dict[str, str]) -> str:
    """ISO date of the first date in the report's first lines, "" where there is none."""
    match = _DATE.search((row.get("report") or row.get("section_narrative") or "")[:_HEADER])
    if not match:
        return ""
    month, day, year = (int(part) for part in match.groups())
    try:
        return date(year + 2000 if year < 100 else year, month, day).isoformat()
    except ValueError:
        return ""


def _record(row: dict[str, str], patient: str, study: str, at: str) -> Record:
    ordinal = row["patient_report_date_order"].removesuffix(".0")
    return {
        "patient": patient,
        "study": f"{patient}/{study}",
        "at": at,
        "order": ordinal.zfill(6) if ordinal.isdigit() else "",
        "dated": _report_date(row),
        "images": [],
        "split": splits.said(row["split"], _SPLITS, at),
        **{name: fields.text(row[f"section_{name}"]) for name in _SECTIONS},
        "indication": fields.text(row["section_clinical_history"]) or fields.text(row["section_history"]),
        "sex": fields.sex(row["sex"]),
        "age": fields.age(row["age"]),
        "race": fields.optional(row["race"]),
        "ethnicity": fields.optional(row.get("ethnicity")),
    }


def _labels(source: Source, problems: list[Problem]) -> dict[str, dict[str, int]]:
    """By path_to_image."""
    path = source.file("labels")
    found: dict[str, dict[str, int]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines() if path else (), start=1):
        try:
            row = json.loads(line)
            said = {name: fields.label(row.get(name)) for name in CHEXPERT_LABELS}
            found[row["path_to_image"]] = {name: value for name, value in said.items() if value is not None}
        except (ValueError, KeyError, AttributeError) as error:
            problems.append(Problem(source.dataset, f"{path}:{number}", "unreadable label line", str(error)))
    return found


def plan(source: Source) -> Plan:
    """One record per study; rows whose path names no study are problems."""
    result = Plan()
    labels = _labels(source, result.problems)
    path = _csv(source)
    studies: dict[str, Record] = {}
    for line, row in rows_of(path, source.dataset, _NEEDED, result.problems):
        at = f"{path.name}:{line}"
        match = _STUDY.search(row["path_to_image"].strip())
        if not match:
            result.problems.append(Problem(source.dataset, at, "path names no study", row["path_to_image"]))
            continue
        record = studies.setdefault("/".join(match.groups()), _record(row, match[1], match[2], at))
        frontal = row["frontal_lateral"].strip() == "Frontal"
        record["images"].append([row["path_to_image"].strip(), _view(row["ap_pa"], frontal=frontal)])
        if row["path_to_image"] in labels:
            record.setdefault("labels", labels[row["path_to_image"]])
    result.records = list(studies.values())
    _order(result.records, by_dates=source.choice("order", ("ordinal", "report_dates")) == "report_dates")
    return result


def _view(projection: str, *, frontal: bool) -> str:
    if not frontal:
        return "LATERAL"
    said = fields.view(projection)
    return said if said in {"PA", "AP"} else "FRONTAL"


def _order(records: Iterable[Record], *, by_dates: bool) -> None:
    """Mark where ordinal and report dates disagree; put dates for ordinals where asked and all of a patient's known."""
    patients: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        patients[record["patient"]].append(record)
    for studies in patients.values():
        studies.sort(key=lambda record: (record["order"], record["study"]))
        latest = ""
        for record in studies:
            record["disagrees"] = bool(record["dated"]) and record["dated"] < latest
            latest = max(latest, record["dated"])
        if by_dates and all(record["dated"] for record in studies):
            for record in studies:
                record["order"] = record["dated"]


def _image(name: str, source: Source) -> Path:
    """The file of a path_to_image, or where it should be."""
    given = source.option("images")
    roots = [source.folder("images", source.root)] if given else [source.root / part for part in ("", "PNG", "PNG/PNG")]
    candidates = [root / file for root in roots for file in (name, Path(name).with_suffix(".png"))]
    return next((path for path in candidates if path.is_file()), candidates[0])


def _films(record: Record, source: Source) -> list[Film]:
    return [Film(str(_image(name, source)), view) for name, view in record["images"]]


def files(record: Record, source: Source) -> list[Path]:
    """Films of one study."""
    return [Path(film.path) for film in _films(record, source)]


def read(record: Record, source: Source) -> Outcome:
    """Find the images of one study."""
    names = ("sex", "age", "race", "ethnicity", "labels")
    attributes: dict[str, Any] = {name: record[name] for name in names if record.get(name) is not None}
    remarks = [("order and report date disagree", record["dated"])] if record["disagrees"] else []
    if not record["order"]:
        remarks.append(("no study date", "the study has and is no prior"))
    if not record["split"]:
        remarks.append(splits.NO_SPLIT)
    found = Found(
        study_id=record["study"],
        patient_id=record["patient"],
        order_key=record["order"],
        source_row=record["at"],
        films=_films(record, source),
        **{name: record[name] for name in (*_SECTIONS, "indication", "split")},
        attributes=attributes,
        remarks=remarks,
    )
    return finish(found, source)
