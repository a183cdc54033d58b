"""The parts of a STOW-RS request as they come in: each a Part 10 object, split into its meta group and its data set.

What is stored is the data set as it was sent, under a meta group of ours: the same object over C-STORE and over
STOW-RS has the same digest, so that a repeat by the other way is a repeat.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from pydicom.dataset import FileMetaDataset
from pydicom.filereader import read_partial
from pydicom.tag import BaseTag
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from app.domain.identifiers import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME, is_uid
from app.errors import InvalidRequest
from app.intake.scp.contexts import STORAGE_CLASSES, TRANSFER_SYNTAXES
from app.intake.scp.part10 import IncomingFile, meta_header
from app.intake.scp.storage import CANNOT_UNDERSTAND, NO_SUCH_CLASS, OUT_OF_RESOURCES

NO_SUCH_SYNTAX = 0xC122  # PS3.18 table 10.5.3-2 and PS3.4 C.4.3.1.4: referenced transfer syntax not supported
PREFIX = 128 + 4 + 12
"""Preamble, DICM and the group length element (PS3.10 7.1), which says where the meta group ends."""
MOST_META = 1 << 16
_LENGTH = struct.Struct("<HH2sHL")


@dataclass(slots=True)
class Part:
    """One object that came in whole; failure: why it is not worth looking at, 0 where it is."""

    sop_class_uid: str = ""
    sop_instance_uid: str = ""
    transfer_syntax_uid: str = ""
    file: IncomingFile | None = None
    failure: int = 0


class PartReader:
    """`write` the bytes of one part, then `close` it.

    The disk's errors, an object that is too large or no DICOM object end in `failure`; the rest of it is dropped.
    """

    def __init__(self, directory: Path, most: int) -> None:
        self._directory, self._most, self._head = directory, most, bytearray()
        self.part = Part()

    def write(self, piece: memoryview) -> None:
        """The next bytes, in any size."""
        if self.part.failure:
            return
        try:
            if self.part.file is None:
                piece = self._begin(piece)
            if self.part.file is not None and piece:
                self._append(self.part.file, piece)
        except OSError:
            self.fail(OUT_OF_RESOURCES)

    def _append(self, file: IncomingFile, piece: memoryview) -> None:
        if file.size + len(piece) > self._most:
            self.fail(OUT_OF_RESOURCES)
            return
        file.write(piece)

    def _begin(self, piece: memoryview) -> memoryview:
        """Collect the meta group; returns what lies behind it, once it is complete."""
        self._head += piece
        if len(self._head) < PREFIX:
            return piece[:0]
        end = self._meta_end()
        if not end:
            self.fail(CANNOT_UNDERSTAND)
        elif len(self._head) >= end:
            self._open(bytes(self._head[:end]))
            return memoryview(bytes(self._head[end:]))
        return piece[:0]

    def _meta_end(self) -> int:
        """0 where this is no Part 10 object."""
        group, element, vr, size, length = _LENGTH.unpack_from(self._head, 132)
        known = self._head[128:132] == b"DICM" and (group, element, vr, size) == (2, 0, b"UL", 4)
        return PREFIX + int(length) if known and length <= MOST_META else 0

    def _open(self, head: bytes) -> None:
        meta, part = _meta(head), self.part
        part.sop_class_uid = str(meta.get("MediaStorageSOPClassUID", ""))
        part.sop_instance_uid = str(meta.get("MediaStorageSOPInstanceUID", ""))
        part.transfer_syntax_uid = str(meta.get("TransferSyntaxUID", ""))
        if not is_uid(part.sop_instance_uid):
            self.fail(CANNOT_UNDERSTAND)
        elif part.sop_class_uid not in STORAGE_CLASSES:
            self.fail(NO_SUCH_CLASS)
        elif part.transfer_syntax_uid not in TRANSFER_SYNTAXES:
            self.fail(NO_SUCH_SYNTAX)
        else:
            part.file = IncomingFile(self._directory, self._own_meta())

    def _own_meta(self) -> bytes:
        return meta_header(
            sop_class=self.part.sop_class_uid,
            sop_instance=self.part.sop_instance_uid,
            transfer_syntax=self.part.transfer_syntax_uid,
            calling_ae="",
            class_uid=IMPLEMENTATION_CLASS_UID,
            version=IMPLEMENTATION_VERSION_NAME,
        )

    def close(self) -> Part:
        """No more of it will come."""
        if not self.part.failure and (self.part.file is None or not self.part.file.size):
            self.fail(CANNOT_UNDERSTAND)
        if self.part.file is not None:
            self.part.file.close()
        return self.part

    def fail(self, failure: int) -> None:
        """Drop what there is of it."""
        self.part.failure = failure
        if self.part.file is not None:
            self.part.file.discard()
            self.part.file = None


def _at_once(_tag: BaseTag, _vr: str | None, _length: int) -> bool:
    return True


def _meta(head: bytes) -> FileMetaDataset:
    """Empty where it cannot be read. The bytes end with the group: a deflated data set is not there to be inflated."""
    try:
        return read_partial(io.BytesIO(head), stop_when=_at_once).file_meta
    except Exception:  # noqa: BLE001 - the parser meets whatever a sender makes up; each ending is the same refusal
        return FileMetaDataset()


class Parts:
    """The body of one request; `done` hears of each part when it is complete, before the next one is read."""

    def __init__(self, boundary: str, directory: Path, most: int, done: Callable[[Part], None]) -> None:
        """Raises InvalidRequest for a boundary that cannot be one."""
        self._reader: PartReader | None = None
        self._directory, self._most = directory, most
        self._done, self._whole = done, False
        callbacks = {
            "on_part_begin": self._part_begins,
            "on_part_data": lambda data, start, end: self._write(memoryview(data)[start:end]),
            "on_part_end": self._part_ends,
            "on_end": self._ends,
        }
        try:
            self._parser = MultipartParser(boundary, cast("Any", callbacks))
        except FormParserError as error:
            message = "The boundary of the multipart body is far longer than the 70 characters of RFC 2046."
            raise InvalidRequest(message) from error

    def write(self, data: bytes) -> None:
        """The next bytes of the body. Raises InvalidRequest where they are no multipart body."""
        try:
            self._parser.write(data)
        except FormParserError as error:
            message = "The body is not the multipart/related body that its Content-Type announces (RFC 2046)."
            raise InvalidRequest(message) from error

    def finish(self) -> None:
        """Raises InvalidRequest where the body ended early; parts that were complete are stored all the same."""
        if not self._whole:
            message = "The multipart body ended before its closing boundary; what came whole is stored, send the rest."
            raise InvalidRequest(message)

    def abandon(self) -> None:
        """Remove what there is of a part that will not be complete."""
        if self._reader is not None:
            self._reader.fail(CANNOT_UNDERSTAND)

    def _part_begins(self) -> None:
        self._reader = PartReader(self._directory, self._most)

    def _write(self, piece: memoryview) -> None:
        assert self._reader is not None  # noqa: S101 - the parser begins a part before it hands out its bytes
        self._reader.write(piece)

    def _part_ends(self) -> None:
        assert self._reader is not None  # noqa: S101 - see above
        reader, self._reader = self._reader, None
        self._done(reader.close())

    def _ends(self) -> None:
        self._whole = True
