"""In which order a reader meets images and draft, and what he has yet to do before the draft is shown. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class ReadingMode(StrEnum):
    """What comes first, in order of strictness. A wrong draft makes readers wrong; a site says how it guards them.

    look-first: the draft is withheld until every image was seen and the reader said that he has looked.
    second-reader: it is withheld until the reader has saved text of his own.
    """

    DRAFT_FIRST = "draft-first"
    LOOK_FIRST = "look-first"
    SECOND_READER = "second-reader"


_STRICTNESS = tuple(ReadingMode)


@dataclass(frozen=True, slots=True)
class ReadingModes:
    """sites: exceptions by the AE title that sent the images."""

    default: ReadingMode = ReadingMode.DRAFT_FIRST
    sites: Mapping[str, ReadingMode] = field(default_factory=dict)

    def of(self, senders: Iterable[str]) -> ReadingMode:
        """The strictest mode among those who sent a study's images; the default where nobody is known."""
        modes = [self.sites.get(sender, self.default) for sender in senders]
        return max(modes, key=_STRICTNESS.index, default=self.default)


@dataclass(frozen=True, slots=True)
class Progress:
    """What one reader has done with one image set. looked: said so after the last of its images was seen."""

    images: int
    unviewed: tuple[str, ...]
    looked: bool
    own_text: bool


def still_to_do(mode: ReadingMode, progress: Progress) -> str | None:
    """What the reader must do before the draft is shown, in words; None where it is shown."""
    if mode is ReadingMode.LOOK_FIRST:
        if progress.unviewed:
            return f"Look at every image first: {len(progress.unviewed)} of {progress.images} not seen yet."
        if not (progress.looked and progress.images):
            return "Say that you have looked at the images; then the draft is shown."
    if mode is ReadingMode.SECOND_READER and not progress.own_text:
        return "Save findings or an impression of your own first; then compare with the draft."
    return None
