"""Reading a hostile DICOM file: nothing is inflated, counted without end or read beyond what the file holds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import BufferedReader
from pathlib import Path

from pydicom.dataset import Dataset, FileDataset
from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_file_meta_info, read_partial
from pydicom.tag import BaseTag, Tag

from model.errors import NotAnImage, UndecodablePixels, foreign_faults

MAX_ELEMENTS = 20_000  # at the top level; real radiographs have a few hundred
_PIXEL_GROUP = 0x7FE0
_UID = re.compile(r"[0-9.]{1,64}")
_UNDEFINED_LENGTH = 0xFFFFFFFF
# The one family of transfer syntaxes that grows a small file without bound while it is still being parsed.
DEFLATED = frozenset(
    {
        "1.2.840.10008.1.2.1.99",
        "1.2.840.10008.1.2.4.95",
        "1.2.840.10008.1.2.4.205",
        "1.2.840.10008.1.2.8.1",
    }
)


class _Guard:
    """Told of each top-level element before its value is read: counts them, checks lengths, says where to stop."""

    def __init__(self, file: BufferedReader, size: int, *, with_pixels: bool) -> None:
        self._file = file
        self._size = size
        self._with_pixels = with_pixels
        self._count = 0
        self.pixels_seen = False

    def __call__(self, tag: BaseTag, vr: str | None, length: int) -> bool:  # noqa: ARG002  pydicom's signature
        self._count += 1
        if self._count > MAX_ELEMENTS:
            raise NotAnImage(f"The header has more than {MAX_ELEMENTS} elements")
        in_pixels = tag.group == _PIXEL_GROUP
        self.pixels_seen |= in_pixels
        if in_pixels and not self._with_pixels:
            return True
        if length != _UNDEFINED_LENGTH and length > self._size - self._file.tell():
            kind = UndecodablePixels if in_pixels else NotAnImage
            raise kind("An element claims more bytes than the file has: the object was cut off or forged")
        return False


def read_elements(path: Path, keywords: Sequence[str], *, with_pixels: bool) -> tuple[FileDataset, bool]:
    """The named elements of a Part 10 file, and whether it holds pixel data.

    keywords: attributes to keep; others are skipped unread. with_pixels: read Pixel Data too (group 7FE0 comes last,
    PS3.5 7.4 and 8, so reading stops there otherwise).
    Raises NotAnImage: no Part 10 file, Deflated, too many elements, nesting too deep, lengths that lie.
    Raises UndecodablePixels: pixel data cut off. OSError: the file cannot be opened.
    """
    wanted = [*keywords, "PixelData"] if with_pixels else keywords
    with foreign_faults(NotAnImage, "The header cannot be parsed"):
        try:
            refuse_deflated(str(read_file_meta_info(path).get("TransferSyntaxUID", "")))
            return _read(path, [Tag(keyword) for keyword in wanted], with_pixels)
        except InvalidDicomError as error:
            raise NotAnImage("Not a DICOM Part 10 file: the DICM prefix is missing") from error


def _read(path: Path, tags: list[BaseTag], with_pixels: bool) -> tuple[FileDataset, bool]:
    with path.open("rb") as file:
        guard = _Guard(file, path.stat().st_size, with_pixels=with_pixels)
        dataset = read_partial(file, stop_when=guard, specific_tags=[*tags])
    return dataset, guard.pixels_seen


def refuse_deflated(transfer_syntax_uid: str) -> None:
    """Raises NotAnImage where reading would have to inflate: kilobytes can become gigabytes."""
    if transfer_syntax_uid in DEFLATED:
        raise NotAnImage(f"Deflated transfer syntaxes are not accepted ({transfer_syntax_uid}): send another one")


def transfer_syntax(dataset: Dataset) -> str:
    """The UID of the transfer syntax the bytes are in. Raises NotAnImage where none is stated, or no UID."""
    uid = str(getattr(getattr(dataset, "file_meta", None), "TransferSyntaxUID", ""))
    if not _UID.fullmatch(uid):
        raise NotAnImage("The file states no transfer syntax")
    return uid
