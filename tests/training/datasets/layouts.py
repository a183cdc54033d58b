"""Small collections in the official layouts, written by the tests; every film is a tiny picture of its own."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from training.datasets.card import Counts
from training.datasets.manifest import CHEXPERT_LABELS, read_table
from training.datasets.prepare import How, Job, prepare
from training.datasets.problems import Problem, loads
from training.datasets.source import Source

MIMIC_METADATA = [
    "dicom_id",
    "subject_id",
    "study_id",
    "PerformedProcedureStepDescription",
    "ViewPosition",
    "Rows",
    "Columns",
    "StudyDate",
    "StudyTime",
    "ProcedureCodeSequence_CodeMeaning",
    "ViewCodeSequence_CodeMeaning",
    "PatientOrientationCodeSequence_CodeMeaning",
]
CHEXPERT_PLUS = [
    "path_to_image",
    "path_to_dcm",
    "frontal_lateral",
    "ap_pa",
    "deid_patient_id",
    "patient_report_date_order",
    "report",
    "section_narrative",
    "section_clinical_history",
    "section_history",
    "section_comparison",
    "section_technique",
    "section_procedure_comments",
    "section_findings",
    "section_impression",
    "section_end_of_impression",
    "section_summary",
    "section_accession_number",
    "age",
    "sex",
    "race",
    "ethnicity",
    "interpreter_needed",
    "insurance_type",
    "recent_bmi",
    "deceased",
    "split",
]
NIH_HEADER = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],"
)


def film(path: Path, number: int = 0) -> Path:
    """A picture that differs from every other number's."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.full((4, 4), number % 251, np.uint8)
    pixels[0, :] = [number // 251 % 251, number % 7 * 30, number % 5 * 50, number % 3 * 80]
    Image.fromarray(pixels).save(path, **({"quality": 100} if path.suffix == ".jpg" else {}))
    return path


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Mapping[str, object]]) -> Path:
    """CSV as the publishers write it, gzipped where the name says so."""
    text = io.StringIO()
    writer = csv.DictWriter(text, header, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    raw = text.getvalue().encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return path


def mimic_report(**sections: str) -> str:
    """A report as MIMIC-CXR writes it: a space before each line, headings in capitals."""
    lines = ["                                 FINAL REPORT"]
    for name, text in sections.items():
        lines += [f" {name.upper().replace('_', ' ')}:  {text}", " "]
    return "\n".join(lines) + "\n"


def mimic(root: Path, studies: Iterable[Mapping[str, Any]]) -> Path:
    """studies: patient, study, images [(dicom, view)], date, time, report, split; perhaps labels, procedure."""
    metadata, split, labels = [], [], []
    for study in studies:
        patient, name = str(study["patient"]), str(study["study"])
        folder = root / "files" / f"p{patient[:2]}" / f"p{patient}"
        for dicom, view in study["images"]:
            film(folder / f"s{name}" / f"{dicom}.jpg", study.get("pixels", abs(hash_of(dicom))))
            keys = {"dicom_id": dicom, "subject_id": patient, "study_id": name}
            metadata.append(
                {
                    **keys,
                    "ViewPosition": view,
                    "StudyDate": study["date"],
                    "StudyTime": study["time"],
                    "PerformedProcedureStepDescription": study.get("procedure", ""),
                }
            )
            split.append({**keys, "split": study.get("split", "train")})
        report = study.get("report", mimic_report(findings=f"Lungs of {name} are clear.", impression="Normal."))
        if report is not None:
            (folder / f"s{name}.txt").write_bytes(report if isinstance(report, bytes) else report.encode())
        labels.append({"subject_id": patient, "study_id": name, **study.get("labels", {})})
    write_csv(root / "mimic-cxr-2.0.0-metadata.csv.gz", MIMIC_METADATA, metadata)
    write_csv(root / "mimic-cxr-2.0.0-split.csv.gz", ("dicom_id", "study_id", "subject_id", "split"), split)
    write_csv(root / "mimic-cxr-2.0.0-chexpert.csv", ("subject_id", "study_id", *CHEXPERT_LABELS), labels)
    return root


def hash_of(text: str) -> int:
    """A number of a name, the same in every process."""
    return int.from_bytes(text.encode()[-4:])


def chexpert_row(patient: int, study: int, image: str = "view1_frontal", **values: object) -> dict[str, object]:
    """One line of df_chexpert_plus."""
    name = f"patient{patient:05d}"
    return {
        "path_to_image": f"train/{name}/study{study}/{image}.jpg",
        "frontal_lateral": "Lateral" if "lateral" in image else "Frontal",
        "ap_pa": "" if "lateral" in image else "AP",
        "deid_patient_id": name,
        "patient_report_date_order": study,
        "section_findings": f"Findings of {name} {study}.",
        "section_impression": f"Impression of {name} {study}.",
        "age": "61.0",
        "sex": "Female",
        "race": "White",
        "split": "train",
        **values,
    }


def openi_xml(number: int, images: Sequence[str], **sections: str) -> bytes:
    """One report of ecgen-radiology."""
    texts = "".join(f'<AbstractText Label="{name.upper()}">{text}</AbstractText>' for name, text in sections.items())
    parents = "".join(
        f'<parentImage id="{image}"><figureId>F1</figureId><caption>PA and lateral chest x-XXXX</caption>'
        f"<panel type='single'><url>/hadoop/storage/radiology/extract/{image}.jpg</url></panel></parentImage>"
        for image in images
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?><eCitation><meta type="rr"/>'
        f'<uId id="CXR{number}"/><pmcId id="{number}"/><MedlineCitation Owner="Indiana University" Status="supplied">'
        f"<Article><Abstract>{texts}</Abstract></Article></MedlineCitation><MeSH><major>normal</major></MeSH>"
        f"{parents}</eCitation>"
    ).encode()


def rexgradient_entry(patient: str, study: str, date: object, images: Mapping[str, str], **values: object) -> Any:
    """One entry of a *_metadata_view_position.json."""
    return {
        "PatientID": patient,
        "StudyInstanceUid": study,
        "AccessionNumber": f"A{study}",
        "PatientSex": "M",
        "PatientAge": "058Y",
        "StudyDate": date,
        "Indication": "Cough.",
        "Comparison": "None",
        "Findings": f"Findings of {study}.",
        "Impression": f"Impression of {study}.",
        "ImagePath": [f"../deid_png/{path}" for path in images],
        "ImageViewPosition": list(images.values()),
        **values,
    }


def write_json(path: Path, value: object) -> Path:
    """JSON in a folder that is made for it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
    return path


class Prepared:
    """A collection, prepared quietly: its rows by study_id, its card and its problems."""

    def __init__(self, dataset: str, root: Path, out: Path, how: How | None = None, **options: Any) -> None:
        self.out = out
        self.card: Counts = prepare(Job(Source(dataset, root, options), out, how or How(quiet=True)))
        self.all = read_table(out).to_pylist()
        self.rows: dict[str, dict[str, Any]] = {row["study_id"]: row for row in self.all}
        self.problems: list[Problem] = loads(out / "bad_rows.jsonl")

    def reasons(self, study: str) -> set[str]:
        """Why a study is not there, or what is remarkable about it."""
        return {problem.reason for problem in self.problems if problem.study == study}

    def dropped(self) -> dict[str, int]:
        """Reasons and their counts."""
        return dict(self.card["dropped"])
