"""`unirg send`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from pydicom.misc import is_dicom
from rich.console import Console

from app.errors import InvalidRequest
from app.gateways.storage_scu import Sent, send_files


def send_paths(
    paths: Sequence[Path], to: str, calling: str, called: str, console: Console, *, as_json: bool = False
) -> int:
    """Send the files and all files below the folders; returns how many were not stored."""
    host, _, port = to.rpartition(":")
    if not host or not port.isdigit():
        message = f"--to {to} is not HOST:PORT, as in 127.0.0.1:11112."
        raise InvalidRequest(message)
    answers: list[Sent] = []

    def answered(sent: Sent) -> None:
        answers.append(sent)
        if not as_json:
            console.print(f"{_words(sent.status):<24} {sent.path}", markup=False, highlight=False)

    send_files(_files(paths), host, int(port), calling, called, answered)
    if as_json:
        rows = [{"path": str(sent.path), "status": sent.status} for sent in answers]
        sys.stdout.write(json.dumps(rows, indent=2) + "\n")
    return sum(sent.status is None or not _stored(sent.status) for sent in answers)


def _files(paths: Sequence[Path]) -> list[Path]:
    """What is named is sent or refused; what merely lies in a folder is sent if it is DICOM."""
    return [file for path in paths for file in (_below(path) if path.is_dir() else [path])]


def _below(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and is_dicom(path)]


def _stored(status: int) -> bool:
    return status == 0 or status >> 12 == 0xB  # PS3.7 C: success and warnings


def _words(status: int | None) -> str:
    if status is None:
        return "not sent: aborted"
    return f"{'stored' if _stored(status) else 'refused'} (0x{status:04X})"
