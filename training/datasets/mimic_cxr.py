"""MIMIC-CXR-JPG 2.x with the reports of MIMIC-CXR (physionet.org/content/mimic-cxr-jpg, mimic-cxr).

Layout: mimic-cxr-2.0.0-metadata.csv, -split.csv and -chexpert.csv (each perhaps .gz) beside files/, which holds
pXX/pXXXXXXXX/sXXXXXXXX/<dicom_id>.jpg and, there or below `reports`, pXX/pXXXXXXXX/sXXXXXXXX.txt.

Studies of a patient are ordered by StudyDate and StudyTime of their first image: study_id is random. Sex, age and
race are not in MIMIC-CXR; `patients` and `admissions` name patients.csv(.gz) and admissions.csv(.gz) of MIMIC-IV,
whose subject_id and date shift are the same (age = anchor_age + year of the study - anchor_year).
`sectioned` names a mimic_cxr_sectioned.csv made by the publishers' create_section_files.py: its findings and
impression then stand for those read here (it knows the few reports whose headings no rule finds).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from training.datasets import fields, splits
from training.datasets.films import Film
from training.datasets.manifest import CHEXPERT_LABELS
from training.datasets.problems import BadSource, Problem
from training.datasets.sections import ReportSections, mimic_sections
from training.datasets.source import Outcome, Plan, Record, Source
from training.datasets.study import Found, finish
from training.datasets.tables import decode, find, find_optional, rows_of

OPTIONS = ("reports", "last_paragraph", "patients", "admissions", "sectioned")
_VERSIONS = ("2.1.0", "2.0.0")
_METADATA = ("dicom_id", "subject_id", "study_id", "ViewPosition", "StudyDate", "StudyTime")
_SPLITS = {"train": "train", "validate": "validate", "test": "test"}
_RACES = 40  # distinct values of MIMIC-IV's race; a file with more has another column under the name


@dataclass
class _Tables:
    """What the other files say, by study or patient."""

    split: dict[str, str] = field(default_factory=dict)
    labels: dict[str, dict[str, int]] = field(default_factory=dict)
    patients: dict[str, tuple[str | None, float | None, int | None]] = field(default_factory=dict)
    races: dict[str, str] = field(default_factory=dict)
    sectioned: dict[str, tuple[str, str]] = field(default_factory=dict)


def _names(what: str) -> tuple[str, ...]:
    return tuple(f"mimic-cxr-{version}-{what}.csv" for version in _VERSIONS)


def _tables(source: Source, problems: list[Problem]) -> _Tables:
    name, tables = source.dataset, _Tables()
    path = find(source.root, *_names("split"), why="the official split")
    for line, row in rows_of(path, name, ("study_id", "split"), problems):
        if split := splits.said(row["split"], _SPLITS, f"{path.name}:{line}"):
            tables.split[row["study_id"]] = splits.strictest((split, tables.split.get(row["study_id"], split)))
    if not tables.split:
        raise BadSource(f"{path} gives no study a split; fetch it again")
    labelled = find_optional(source.root, *_names("chexpert"))
    for _, row in rows_of(labelled, name, ("study_id", *CHEXPERT_LABELS), problems) if labelled else ():
        said = {label: fields.label(row[label]) for label in CHEXPERT_LABELS}
        tables.labels[row["study_id"]] = {label: value for label, value in said.items() if value is not None}
    _patients(source, tables, problems)
    sectioned = source.file("sectioned")
    for _, row in rows_of(sectioned, name, ("study", "findings", "impression"), problems) if sectioned else ():
        tables.sectioned[row["study"].removeprefix("s")] = (
            fields.text(row["findings"]),
            fields.text(row["impression"]),
        )
    return tables


def _patients(source: Source, tables: _Tables, problems: list[Problem]) -> None:
    patients, admissions = source.file("patients"), source.file("admissions")
    needed = ("subject_id", "gender", "anchor_age", "anchor_year")
    for _, row in rows_of(patients, source.dataset, needed, problems) if patients else ():
        anchor = row["anchor_year"]
        known = (fields.sex(row["gender"]), fields.age(row["anchor_age"]), int(anchor) if anchor.isdigit() else None)
        tables.patients[row["subject_id"]] = known
    for _, row in rows_of(admissions, source.dataset, ("subject_id", "race"), problems) if admissions else ():
        race = fields.optional(row["race"])
        if race:
            tables.races[row["subject_id"]] = race
    if len(set(tables.races.values())) > _RACES:
        raise BadSource(f"{admissions}: more than {_RACES} races; is this admissions.csv of MIMIC-IV?")


def _order(row: dict[str, str]) -> str:
    """Sortable date and time, "" where there is no date."""
    day, moment = fields.dicom_date(row["StudyDate"]), fields.dicom_time(row["StudyTime"])
    if day is None:
        return ""
    return f"{day.isoformat()}T{moment.isoformat(timespec='milliseconds')}" if moment else day.isoformat()


def _view(row: dict[str, str]) -> str:
    return fields.view(row["ViewPosition"]) or fields.view(row.get("ViewCodeSequence_CodeMeaning"))


def plan(source: Source) -> Plan:
    """One record per study of the metadata file."""
    result = Plan()
    tables = _tables(source, result.problems)
    path = find(source.root, *_names("metadata"), why="views, dates and the list of images")
    studies: dict[tuple[str, str], Record] = {}
    for line, row in rows_of(path, source.dataset, _METADATA, result.problems):
        key = (row["subject_id"], row["study_id"])
        if not all(part.isdigit() for part in key) or not row["dicom_id"]:
            result.problems.append(Problem(source.dataset, f"{path.name}:{line}", "identifier missing", str(key)))
            continue
        record = studies.setdefault(key, {"patient": key[0], "study": key[1], "order": "", "images": []})
        record["images"].append([row["dicom_id"], _view(row)])
        record["order"] = min(filter(None, (record["order"], _order(row))), default="")
        record.setdefault("at", f"{path.name}:{line}")
        record.setdefault("procedure", fields.optional(row.get("PerformedProcedureStepDescription")))
    for record in studies.values():
        _known(record, tables)
    result.records = list(studies.values())
    return result


def _known(record: Record, tables: _Tables) -> None:
    """Add what the other tables say."""
    sex, anchor_age, anchor_year = tables.patients.get(record["patient"], (None, None, None))
    year = int(record["order"][:4]) if record["order"] else None
    if anchor_age is not None and anchor_year is not None and year is not None:
        record["age"] = anchor_age + year - anchor_year
    record["sex"], record["race"] = sex, tables.races.get(record["patient"])
    record["split"], record["labels"] = tables.split.get(record["study"], ""), tables.labels.get(record["study"])
    record["sectioned"] = tables.sectioned.get(record["study"])


def _folder(record: Record) -> Path:
    return Path("files") / f"p{record['patient'][:2]}" / f"p{record['patient']}"


def _report(record: Record, source: Source) -> Path:
    return source.folder("reports", source.root) / _folder(record) / f"s{record['study']}.txt"


def _films(record: Record, source: Source) -> list[Film]:
    images = source.root / _folder(record) / f"s{record['study']}"
    return [Film(str(images / f"{name}.jpg"), view) for name, view in record["images"]]


def files(record: Record, source: Source) -> list[Path]:
    """Report and films of one study."""
    return [_report(record, source), *(Path(film.path) for film in _films(record, source))]


def _read_sections(path: Path, source: Source) -> tuple[ReportSections, list[tuple[str, str]]]:
    try:
        raw = path.read_bytes()
    except OSError:
        return ReportSections(), [("report missing", str(path))]
    report, utf8 = decode(raw)
    remarks = [] if utf8 else [("not UTF-8", path.name)]
    said = mimic_sections(report, last_paragraph=source.flag("last_paragraph", default=True))
    if said.from_last_paragraph:
        remarks.append(("findings without a heading", "the last paragraph of the report"))
    return said, remarks


def read(record: Record, source: Source) -> Outcome:
    """Read the report and choose the film of one study."""
    said, remarks = _read_sections(_report(record, source), source)
    findings, impression = record["sectioned"] or (said.findings, said.impression)
    if not record["order"]:
        remarks.append(("no study date", "the study has and is no prior"))
    if not record["split"]:
        remarks.append(splits.NO_SPLIT)
    attributes: dict[str, Any] = {
        name: record.get(name) for name in ("sex", "age", "race", "procedure", "labels") if record.get(name) is not None
    }
    found = Found(
        study_id=record["study"],
        patient_id=record["patient"],
        order_key=record["order"],
        source_row=record["at"],
        films=_films(record, source),
        findings=findings,
        impression=impression,
        indication=said.indication,
        comparison=said.comparison,
        split=record["split"],
        attributes=attributes,
        remarks=remarks,
    )
    return finish(found, source)
