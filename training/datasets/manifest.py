"""One row per study, the same for every collection; Parquet shards that `datasets` and pyarrow read alike.

A manifest is a folder: shard-*.parquet, CARD.md, card.json and bad_rows.jsonl.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from datasets import Dataset

Split = Literal["train", "validate", "test"]
Sections = Literal["both", "findings", "impression", "none"]
SPLITS: tuple[Split, ...] = ("train", "validate", "test")
VERSION = "1"
FRONTAL_VIEWS = ("PA", "AP", "FRONTAL")

# The 14 of CheXpert under their own names, then those that only ChestX-ray14 has.
CHEXPERT_LABELS = (
    *("No Finding", "Enlarged Cardiomediastinum", "Cardiomegaly", "Lung Lesion", "Lung Opacity", "Edema"),
    *("Consolidation", "Pneumonia", "Atelectasis", "Pneumothorax", "Pleural Effusion", "Pleural Other"),
    *("Fracture", "Support Devices"),
)
CHESTXRAY14_LABELS = ("Infiltration", "Mass", "Nodule", "Emphysema", "Fibrosis", "Pleural Thickening", "Hernia")
LABELS = (*CHEXPERT_LABELS, *CHESTXRAY14_LABELS)


class BadManifest(ValueError):
    """A folder is no manifest, or one of another version; the message says which and what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One study.

    dataset: collection or site. image: absolute path of the film to read (the frontal one where there is one), or a
    `phantom:` reference. view: PA, AP, FRONTAL (projection not told), LATERAL, OTHER or "" (unknown).
    order_key: compares as a string within one patient; ISO date and time, or a zero-padded ordinal.
    prior_date: ISO date, None where the collection has an order but no dates (see priors.prompt_prior). age: years.
    race: in the collection's words. labels: 1 present, 0 absent, -1 uncertain, None not mentioned, by LABELS; None
    where there are none.
    sections: which of findings and impression are there ("none": labels only). source_row: file and line or key.
    """

    study_id: str
    patient_id: str
    dataset: str
    split: str
    image: str
    image_paths: tuple[str, ...]
    view: str
    order_key: str
    findings: str
    impression: str
    indication: str
    comparison: str
    sections: str
    source_row: str
    prior_study_id: str | None = None
    prior_image: str | None = None
    prior_report: str | None = None
    prior_date: str | None = None
    sex: str | None = None
    age: float | None = None
    race: str | None = None
    ethnicity: str | None = None
    procedure: str | None = None
    labels: dict[str, int] | None = None
    image_digest: str = ""
    report_digest: str = ""


_TYPES: dict[str, pa.DataType] = {
    "str": pa.string(),
    "str | None": pa.string(),
    "float | None": pa.float64(),
    "tuple[str, ...]": pa.list_(pa.string()),
    "dict[str, int] | None": pa.struct([(name, pa.int8()) for name in LABELS]),
}
SCHEMA = pa.schema(
    [pa.field(field.name, _TYPES[str(field.type)]) for field in fields(Row)], metadata={"unirg_manifest": VERSION}
)


def sections_of(findings: str, impression: str) -> Sections:
    """Which template a study can be trained with."""
    if findings:
        return "both" if impression else "findings"
    return "impression" if impression else "none"


def table(rows: Iterable[Row]) -> pa.Table:
    """Rows as an Arrow table of SCHEMA."""
    return pa.Table.from_pylist([{name: getattr(row, name) for name in SCHEMA.names} for row in rows], schema=SCHEMA)


def write_table(path: Path, rows: pa.Table) -> None:
    """Write Parquet under a temporary name, then rename: a file that is there is whole. Same rows, same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    pq.write_table(rows, part, compression="zstd")
    part.replace(path)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text under a temporary name, then rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def shard_paths(folder: Path) -> list[Path]:
    """The shards of a finished manifest in order. Raises BadManifest."""
    found = sorted(folder.glob("shard-*.parquet"))
    if not found or not (folder / "card.json").is_file():
        raise BadManifest(
            f"{folder} holds no finished manifest (shard-*.parquet and card.json); "
            "run python -m training.datasets.prepare for it, again if it was interrupted"
        )
    version = (pq.read_schema(found[0]).metadata or {}).get(b"unirg_manifest", b"?").decode()
    if version != VERSION:
        raise BadManifest(f"{folder} is a manifest of version {version}, this code reads {VERSION}; prepare it again")
    return found


def read_table(folder: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """A manifest, or some of its columns, as one Arrow table. Raises BadManifest."""
    names = list(columns) if columns is not None else None
    return pa.concat_tables([pq.read_table(path, columns=names) for path in shard_paths(folder)])


def load_manifest(folder: Path, split: str | None = None) -> Dataset:
    """A manifest as a `datasets.Dataset`, one row per study; of one split where named. Raises BadManifest.

    A field of `labels` is None where the source does not mention it.
    """
    from datasets import Dataset

    rows = read_table(folder)
    if split is not None:
        rows = rows.filter(pc.equal(rows["split"], split))
    return Dataset(rows.combine_chunks())
