"""SHA-256 of a checkpoint's weights, read once for each change of the files."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

CHUNK = 1 << 20

Stamp = list[tuple[str, int, int]]
_known: dict[Path, tuple[Stamp, str]] = {}


def weight_files(folder: Path) -> list[Path]:
    """The *.safetensors files of the folder in order of name."""
    return sorted(folder.glob("*.safetensors"))


def digest_of(folder: Path, cache: Path | None = None) -> str:
    """SHA-256 over the weight files, one after the other: `cat *.safetensors | sha256sum` says the same.

    Remembered in this process and in `cache` (default: the user's cache folder) until a name, a size or a time of
    change differs; a cache that cannot be written costs time, nothing else.
    """
    folder, files = folder.resolve(), weight_files(folder)
    stamp = [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files]
    kept = _known.get(folder)
    if kept and kept[0] == stamp:
        return kept[1]
    note = _note(folder, cache)
    found = _recall(note, stamp) or _sha256(files)
    _known[folder] = (stamp, found)
    _remember(note, stamp, found)
    return found


def _sha256(files: Iterable[Path]) -> str:
    total = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                total.update(chunk)
    return total.hexdigest()


def _note(folder: Path, cache: Path | None) -> Path:
    base = cache or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "unirg"
    return base / f"weights-{hashlib.sha256(str(folder).encode()).hexdigest()[:16]}.json"


def _recall(note: Path, stamp: Stamp) -> str | None:
    try:
        kept = json.loads(note.read_text(encoding="utf-8"))
        same = [tuple(entry) for entry in kept["stamp"]] == stamp
        return str(kept["sha256"]) if same else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _remember(note: Path, stamp: Stamp, found: str) -> None:
    with suppress(OSError):
        note.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=note.parent, delete=False, encoding="utf-8") as file:
            json.dump({"stamp": stamp, "sha256": found}, file)
        Path(file.name).replace(note)
