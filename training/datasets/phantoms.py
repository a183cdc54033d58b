"""Procedural phantoms (training/phantom) of several sites as a collection: films as PNG files or by reference.

`patients` of each of `sites` (comma-separated, all by default) from `seed`; a share of `pairs` has a prior study, which
is a study of its own, and whose report compares with nothing. Sites are told apart as patients "north-…"; the row's
dataset is "<dataset>-<site>". The site that is never trained on (reports.HELD_OUT_SITE) is `test` as a whole, the
others are split by hash.

films = "png": rendered into PATH at `edge` px when prepared. films = "reference": image is
"phantom:<site>:<seed>:<index>:<single|pair>:<current|prior>:<edge>", drawn anew by `film_of`.
"""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
from blake3 import blake3

from training.datasets.manifest import Row, sections_of
from training.datasets.problems import BadSource
from training.datasets.source import Outcome, Plan, Record, Source
from training.datasets.study import report_digest
from training.phantom.film import Scene, model_film
from training.phantom.findings import SIDES, Findings
from training.phantom.reports import HELD_OUT_SITE, SITES, report_sections
from training.phantom.studies import Study, study

OPTIONS = ("sites", "seed", "patients", "pairs", "films", "edge")
_STRIDE = 1_000_003  # keeps the patients of two sites from being the same person


def _sites(source: Source) -> list[str]:
    names = [name.strip() for name in source.option("sites", ",".join(SITES)).split(",")]
    unknown = sorted(set(names) - set(SITES))
    if unknown:
        raise BadSource(f"{source.dataset}: no phantom site {', '.join(unknown)}; known are {', '.join(SITES)}")
    return names


def plan(source: Source) -> Plan:
    """One record per study, the prior's before the current one's."""
    source.choice("films", ("png", "reference"))
    seed, patients = int(source.number("seed", 1)), int(source.number("patients", 100))
    paired = round(patients * source.number("pairs", 0.5))
    records: list[Record] = []
    for site in _sites(source):
        for index in range(patients):
            kind = "pair" if index < paired else "single"
            for role in ("prior", "current") if kind == "pair" else ("current",):
                patient = f"{site}-{seed}-{index:06d}"
                place = {"site": site, "seed": seed, "index": index, "kind": kind, "role": role}
                records.append({"patient": patient, "study": f"{patient}-{role}", **place})
    return Plan(records)


def _drawn(site: str, seed: int, index: int, kind: str) -> Study:
    offset = _STRIDE * list(SITES).index(site)
    return study(seed, offset + index, with_prior=kind == "pair", site=site)


def _scene(made: Study, role: str) -> Scene:
    return made.prior if role == "prior" and made.prior is not None else made.current


def film_of(reference: str) -> np.ndarray:
    """uint8 [edge, edge]: the film of a "phantom:" reference. Raises ValueError for any other text."""
    parts = reference.split(":")
    if len(parts) != 7 or parts[0] != "phantom" or parts[1] not in SITES or not parts[6].isdigit():
        raise ValueError(f"{reference!r} is no phantom:site:seed:index:kind:role:edge")
    _, site, seed, index, kind, role, edge = parts
    return model_film(_scene(_drawn(site, int(seed), int(index), kind), role), int(edge))


def _labels(chest: Findings) -> dict[str, int]:
    halves = [chest.side(side) for side in SIDES]
    said = {
        "Cardiomegaly": chest.cardiomegaly,
        "Edema": chest.edema is not None,
        "Pleural Effusion": any(half.effusion for half in halves),
        "Pneumothorax": any(half.pneumothorax for half in halves),
        "Consolidation": any(half.consolidation for half in halves),
        "Atelectasis": any(half.atelectasis for half in halves),
        "Support Devices": chest.tube or any(half.line or half.pacemaker for half in halves),
    }
    ill = [name for name, flag in said.items() if flag and name != "Support Devices"]
    return {"No Finding": int(not ill)} | {name: int(flag) for name, flag in said.items()}


def _film(reference: str, record: Record, source: Source) -> tuple[str, str]:
    """(image, digest) of the film, rendered if it is to be a file and is not there."""
    if source.choice("films", ("png", "reference")) == "reference":
        return reference, blake3(reference.encode()).hexdigest()
    path = source.root / record["site"] / f"{record['study']}-{reference.rsplit(':', 1)[1]}.png"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{os.getpid()}-{path.name}")
        cv2.imwrite(str(part), film_of(reference))
        part.replace(path)
    return str(path), blake3(path.read_bytes()).hexdigest()


def files(record: Record, source: Source) -> list[Path]:  # noqa: ARG001 - an adapter's signature
    """None: the films are drawn by `read`, from the record alone."""
    return []


def read(record: Record, source: Source) -> Outcome:
    """Draw one study."""
    made = _drawn(record["site"], record["seed"], record["index"], record["kind"])
    scene = _scene(made, record["role"])
    earlier = made.prior if record["role"] == "current" else None
    day = made.study_date if record["role"] == "current" or made.prior_date is None else made.prior_date
    findings, impression = report_sections(record["site"], scene.findings, earlier.findings if earlier else None)
    place = (record[name] for name in ("site", "seed", "index", "kind", "role"))
    reference = ":".join(map(str, ("phantom", *place, int(source.number("edge", 512)))))
    image, digest = _film(reference, record, source)
    indication = (made.indication or "") if record["role"] == "current" else ""
    row = Row(
        study_id=record["study"],
        patient_id=record["patient"],
        dataset=f"{source.dataset}-{record['site']}",
        split="test" if record["site"] == HELD_OUT_SITE else "",
        image=image,
        image_paths=(image,),
        view=scene.view,
        order_key=day.isoformat(),
        findings=findings,
        impression=impression,
        indication=indication,
        comparison="",
        sections=sections_of(findings, impression),
        source_row=reference,
        sex=made.patient.sex,
        age=float(made.patient.age),
        labels=_labels(scene.findings),
        image_digest=digest,
        report_digest=report_digest(findings, impression),
    )
    return Outcome(row)
