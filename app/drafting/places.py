"""Which sentences of a draft may be shown on the film, and where a part of the model image is on the display frame."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from app.domain.imaging import ModelImage
from app.domain.report import Region, Section
from model.findings import present
from model.report_text import sentences


def positive_spans(text: str, rows: Sequence[Mapping[str, Any]]) -> dict[int, tuple[int, int]]:
    """By index of a stored sentence that states a finding as present, its place (start, end) in the model's text.

    rows: as drafting stores them. The service's own sentences, and what may not be read, have no place here.
    """
    places: defaultdict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for span in sentences(text):
        section = Section.IMPRESSION if span.section == "impression" else Section.FINDINGS
        places[section, span.text].append((span.start, span.end))
    found: dict[int, tuple[int, int]] = {}
    for row in rows:
        waiting = places[row["section"], row["text"]] if row.get("author") == "model" else []
        if waiting:
            place = waiting.pop(0)
            if present(row["text"]):
                found[row["index"]] = place
    return found


def on_display(region: Region, image: ModelImage) -> Region | None:
    """A region of the square model image in shares of the display frame of the same film; None where it is all padding.

    The film lies in the square upright and whole, as it is displayed, whatever the distance of its rows and columns.
    """
    left, top, right, bottom = image.film

    def share(edge: float, size: int, first: int, last: int) -> float:
        return round(min(1.0, max(0.0, (edge * size - first) / (last - first))), 4)

    placed = replace(
        region,
        left=share(region.left, image.width, left, right),
        right=share(region.right, image.width, left, right),
        top=share(region.top, image.height, top, bottom),
        bottom=share(region.bottom, image.height, top, bottom),
    )
    return placed if placed.left < placed.right and placed.top < placed.bottom else None
