"""The temporary Part 10 file of one object under way: meta group first (PS3.10 7.1), then the bytes as they come."""

from __future__ import annotations

import contextlib
import os
import struct
import uuid
from pathlib import Path

from app.content import new_content

SUFFIX = ".part"
WRITEBACK_BYTES = 1 << 20
"""How much is written before the kernel is asked to start putting it on disk: the final fsync then waits for little."""


def meta_header(
    *, sop_class: str, sop_instance: str, transfer_syntax: str, calling_ae: str, class_uid: str, version: str
) -> bytes:
    """Preamble of zeros (whatever a sender's file had in it, PS3.10 7.1, stays with the sender), DICM, group 0002.

    calling_ae: "" where the object came without one.
    """
    body = b"".join(
        (
            struct.pack("<HH2sHL", 2, 0x0001, b"OB", 0, 2) + b"\0\1",
            _element(0x0002, b"UI", sop_class),
            _element(0x0003, b"UI", sop_instance),
            _element(0x0010, b"UI", transfer_syntax),
            _element(0x0012, b"UI", class_uid),
            _element(0x0013, b"SH", version),
            _element(0x0016, b"AE", calling_ae) if calling_ae else b"",
        )
    )
    return bytes(128) + b"DICM" + struct.pack("<HH2sHL", 2, 0, b"UL", 4, len(body)) + body


def _element(element: int, vr: bytes, text: str) -> bytes:
    value = text.encode("ascii")
    value += (b"\0" if vr == b"UI" else b" ") * (len(value) % 2)
    return struct.pack("<HH2sH", 2, element, vr, len(value)) + value


class IncomingFile:
    """Writes and digests one data set; raises OSError as the file system does.

    size, digest: of the data set alone, without the meta header.
    """

    def __init__(self, directory: Path, header: bytes) -> None:
        self.path = directory / f"{os.getpid()}-{uuid.uuid4().hex}{SUFFIX}"
        self.size = 0
        self._content = new_content()
        self._started = 0
        self._file = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            self._put(memoryview(header))
        except OSError:
            self.discard()
            raise

    def write(self, piece: memoryview) -> None:
        """Append a piece of the data set."""
        size = len(piece)
        if (written := os.write(self._file, piece)) != size:
            self._put(piece[written:])
        self._content.update(piece)
        self.size += size
        if self.size - self._started >= WRITEBACK_BYTES:
            self._start_writeback()

    def _put(self, piece: memoryview) -> None:
        while piece:
            piece = piece[os.write(self._file, piece) :]

    def _start_writeback(self) -> None:
        """Dirty pages of the range go to the disk from now on; they stay cached, being dirty when this is asked."""
        os.posix_fadvise(self._file, self._started, self.size - self._started, os.POSIX_FADV_DONTNEED)
        self._started = self.size

    def digest(self) -> str:
        """`app.content` digest of the data set, 64 hexadecimal digits."""
        return self._content.hexdigest()

    def close(self) -> None:
        """No more will come."""
        if self._file >= 0:
            self._start_writeback()
            os.close(self._file)
            self._file = -1

    def discard(self) -> None:
        """Close and remove, if it is still there."""
        self.close()
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)


def sweep(directory: Path, older_than: float) -> int:
    """Remove temporary files that a crash left behind; returns how many.

    older_than: seconds since the last write, by the file system's clock; no association may last so long.
    Raises OSError.
    """
    probe = directory / f"{uuid.uuid4().hex}{SUFFIX}"
    probe.touch(mode=0o600)
    oldest = probe.stat().st_mtime - older_than
    probe.unlink()
    left = [path for path in directory.glob(f"*{SUFFIX}") if _modified(path) < oldest]
    for path in left:
        path.unlink(missing_ok=True)
    return len(left)


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # another process was done with it
        return float("inf")
