"""Write one phantom patient, prior and current film, as DICOM files: what a demonstration sends.

usage: python -m training.phantom --out DIR [--seed N] [--edge 1280] [--monochrome1] [--patient-id ID]

Writes DIR/prior.dcm, DIR/current.dcm and DIR/truth.json (what the films show, in a report's words, and what changed).
Needs numpy, OpenCV and pydicom only.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import date, datetime, time
from pathlib import Path

from training.phantom.dicom import Photometric, StudyIdentity, dx_dataset
from training.phantom.reports import change_text, findings_text, impression_text
from training.phantom.studies import Study, study

DEMO_SEED = 685  # one finding worsens, one improves, one stays


def identities(made: Study, patient_id: str) -> tuple[StudyIdentity, StudyIdentity]:
    """Prior and current identity of one patient of the phantom hospital."""
    if made.prior_date is None:
        raise ValueError("a phantom patient needs a prior film; make the study with with_prior=True")
    born = date(made.prior_date.year - made.patient.age, 1, 1)
    name = "Phantom^Paula" if made.patient.sex == "F" else "Phantom^Paul"

    def identity(day: date, accession: str) -> StudyIdentity:
        return StudyIdentity(patient_id, name, born, made.patient.sex, datetime.combine(day, time(9, 30)), accession)

    return identity(made.prior_date, f"{patient_id}-1"), identity(made.study_date, f"{patient_id}-2")


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m training.phantom", description="Write a phantom patient as DICOM.")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=DEMO_SEED)
    parser.add_argument("--edge", type=int, default=1280, help="longer edge in px")
    parser.add_argument("--monochrome1", action="store_true")
    parser.add_argument("--patient-id", default="PHANTOM-1")
    return parser.parse_args(argv)


def main(argv: list[str]) -> None:
    """Command line; see the module's docstring."""
    options = _arguments(argv)
    made = study(options.seed, 0, with_prior=True)
    before = made.prior or made.current
    options.out.mkdir(parents=True, exist_ok=True)
    photometric: Photometric = "MONOCHROME1" if options.monochrome1 else "MONOCHROME2"
    for name, scene, who in zip(
        ("prior", "current"), (before, made.current), identities(made, options.patient_id), strict=True
    ):
        dataset = dx_dataset(scene, who, edge=options.edge, photometric=photometric)
        dataset.save_as(options.out / f"{name}.dcm", enforce_file_format=True)
    truth = {
        "findings": findings_text("north", made.current.findings),
        "impression": impression_text("north", made.current.findings),
        "changes": change_text("north", before.findings, made.current.findings),
        "prior_findings": findings_text("north", before.findings),
        "prior_date": made.prior_date.isoformat() if made.prior_date else None,
    }
    (options.out / "truth.json").write_text(json.dumps(truth, indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
