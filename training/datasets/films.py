"""Which film of a study is read: the frontal one, PA before AP, that is there and whole; and its digest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from blake3 import blake3

from training.datasets.manifest import FRONTAL_VIEWS

_PREFERENCE = ("PA", "AP", "FRONTAL", "", "OTHER", "LATERAL")
_ENDS = {b"\xff\xd8\xff": b"\xff\xd9", b"\x89PNG\r\n\x1a\n": b"IEND"}
_TAIL = 4096  # some devices pad a JPEG behind its end mark


@dataclass(frozen=True, slots=True)
class Film:
    """One image file and its view (manifest.Row.view)."""

    path: str
    view: str


@dataclass(frozen=True, slots=True)
class Choice:
    """The film to read first in `paths`, its digest; `remarks`: (reason, detail) of films that cannot be read."""

    film: Film | None
    paths: tuple[str, ...]
    digest: str
    remarks: tuple[tuple[str, str], ...]


def _fault(path: Path, *, whole: bool) -> tuple[str, str]:
    """(why the film cannot be read or "", BLAKE3 of its bytes or "")."""
    if not whole:
        return ("" if path.is_file() and path.stat().st_size else "image missing or empty"), ""
    try:
        content = path.read_bytes()
    except OSError:
        return "image missing or empty", ""
    if not content:
        return "image missing or empty", ""
    end = next((mark for start, mark in _ENDS.items() if content.startswith(start)), None)
    if end is None:
        return "image is neither JPEG nor PNG", ""
    if end not in content[-_TAIL:]:
        return "image is cut off", ""
    return "", blake3(content).hexdigest()


def choose(films: Sequence[Film], *, whole: bool = True) -> Choice:
    """The film to read: in the order PA, AP, frontal, unknown, other, lateral, and of one view the first given.

    whole: read and digest the chosen film's bytes; otherwise only see that the files are there. The other films are
    only looked for.
    """
    remarks: list[tuple[str, str]] = []
    chosen, digest, kept = None, "", []
    for film in sorted(films, key=lambda film: _PREFERENCE.index(film.view)):
        fault, found = _fault(Path(film.path), whole=whole and chosen is None)
        if fault:
            remarks.append((fault, film.path))
            continue
        kept.append(film.path)
        if chosen is None:
            chosen, digest = film, found
    return Choice(chosen, tuple(kept), digest, tuple(remarks))


def is_frontal(view: str) -> bool:
    """Whether a film of this view may stand for a frontal one: told frontal, or not told."""
    return view in FRONTAL_VIEWS or view == ""
