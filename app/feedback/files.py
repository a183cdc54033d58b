"""The folder of an export: records as JSON lines and Parquet, refusals, pictures, a data card. It appears whole."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from app.errors import Conflict, InvalidRequest

RECORDS, TABLE, REFUSALS, CARD, PICTURES = "feedback.jsonl", "feedback.parquet", "refusals.jsonl", "CARD.md", "images"
FORMAT = "unirg-feedback-1"


class ExportFolder:
    """Everything is written beside `folder`, which appears with `publish` alone; used as a context manager.

    Raises Conflict where the folder exists, InvalidRequest where Parquet cannot be written in this installation.
    """

    def __init__(self, folder: Path) -> None:
        if folder.exists():
            raise Conflict(f"{folder} exists; an export never mixes with another: name a new folder.")
        self._arrow, self._parquet = _arrow()
        self._folder, self._part = folder, folder.with_name(f".{folder.name}.part")

    def __enter__(self) -> Self:
        shutil.rmtree(self._part, ignore_errors=True)  # left by an export that was killed
        self._part.mkdir(mode=0o700, parents=True)
        self._lines = (self._part / RECORDS).open("w", encoding="utf-8")
        self._refused = (self._part / REFUSALS).open("w", encoding="utf-8")
        self._schema = _schema(self._arrow)
        self._table = self._parquet.ParquetWriter(self._part / TABLE, self._schema, compression="zstd")
        return self

    def __exit__(self, *_: object) -> None:
        self._close()
        shutil.rmtree(self._part, ignore_errors=True)

    def _close(self) -> None:
        for file in (self._lines, self._refused, self._table):
            file.close()

    def write(self, records: Iterable[Mapping[str, Any]]) -> None:
        """Append records to both files."""
        rows = [dict(record) for record in records]
        self._lines.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        if rows:
            self._table.write_table(self._arrow.Table.from_pylist(rows, schema=self._schema))

    def refuse(self, record: str, reason: str) -> None:
        """List a record that stays here; record: its pseudonym."""
        self._refused.write(json.dumps({"record": record, "reason": reason}) + "\n")

    def picture(self, digest: str, png: bytes) -> None:
        """Keep a model image under its digest."""
        (self._part / PICTURES).mkdir(exist_ok=True)
        (self._part / PICTURES / f"{digest}.png").write_bytes(png)

    def finish(self, card: str) -> dict[str, str]:
        """Close the files; returns their SHA-256 by name (pictures are named by their digest)."""
        self._close()
        (self._part / CARD).write_text(card, encoding="utf-8")
        return {name: _sha256(self._part / name) for name in (RECORDS, TABLE, REFUSALS, CARD)}

    def publish(self) -> None:
        """Let the folder appear, whole."""
        for path in self._part.rglob("*"):
            path.chmod(0o700 if path.is_dir() else 0o600)
        try:
            os.rename(self._part, self._folder)  # noqa: PTH104 - Path.rename would replace an empty folder as well
        except OSError as error:
            raise Conflict(f"{self._folder} cannot be made ({error.strerror}); name a new folder.") from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ModuleNotFoundError as error:
        raise InvalidRequest("Parquet needs the package pyarrow, which is not installed: install pyarrow.") from error
    return pa, pq


def _schema(arrow: Any) -> Any:
    """Of one record; what each field means is on the data card."""
    text, number, real, yes = arrow.string(), arrow.int32(), arrow.float64(), arrow.bool_()
    model = dict.fromkeys(("name", "weights_digest", "prompt_version", "finish_reason"), text)
    drafted = {"section": text, "text": text, "author": text, "flags": arrow.list_(text), "logprob": real}
    aligned = {
        **dict.fromkeys(("change", "section", "draft_section"), text),
        "draft_index": number,
        "signed_index": number,
        "draft": text,
        "signed": text,
        "similarity": real,
        "moved": yes,
        "decision": text,
    }
    columns = {
        **dict.fromkeys(("record", "patient", "study", "site"), text),
        "study_number": number,
        "sex": text,
        "age_years": number,
        "status": text,
        "indication": text,
        "model": _struct(arrow, model),
        "prior_given": yes,
        "prior_study": text,
        "prior_days": number,
        **dict.fromkeys(("prior_report", "prior_image", "image", "draft_text"), text),
        "draft": arrow.list_(_struct(arrow, drafted)),
        **dict.fromkeys(("signed_findings", "signed_impression"), text),
        "sentences": arrow.list_(_struct(arrow, aligned)),
        "addenda": arrow.list_(text),
        "withdrawn_wordings": number,
    }
    return arrow.schema(list(columns.items()), metadata={"format": FORMAT})


def _struct(arrow: Any, fields: Mapping[str, Any]) -> Any:
    return arrow.struct(list(fields.items()))
