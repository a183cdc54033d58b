"""The object store on a local (or mounted) file system: server-made names, durable before visible."""

from __future__ import annotations

import contextlib
import filecmp
import os
import re
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from app.content import content_digest
from app.errors import NotFound, StorageUnavailable

_KEY = re.compile(r"(objects|quarantine)/[0-9a-f]{2}/[0-9a-f]{32,64}(\.[0-9]{1,3})?")
_DIGEST = re.compile(r"[0-9a-f]{64}")
MAX_VARIANTS = 1000
PRIVATE_DIRECTORY, PRIVATE_FILE = 0o700, 0o600


class LocalObjectStore:
    """`root`/incoming (under way), /objects (published, never changed), /quarantine (refused, with the reason).

    One file system, so that a rename is atomic. Names are made here alone: nothing a sender writes becomes a path.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / "incoming"
        self._naming = threading.Lock()
        with _refusals():
            for folder in (root, self._incoming, root / "objects", root / "quarantine"):
                folder.mkdir(mode=PRIVATE_DIRECTORY, parents=True, exist_ok=True)
            _make_shards(root / "objects")
            _make_shards(root / "quarantine")

    @property
    def incoming_dir(self) -> Path:
        """Where temporary files of objects under way live."""
        return self._incoming

    def publish(self, temp: Path, digest: str) -> str:
        """Make `temp` durable under its content's digest: fsync(file), rename, fsync(directory). Returns the key.

        The same file again ends at the same key, another file of that digest (its meta group differs) at one beside it.
        Raises StorageUnavailable; `temp` is then still there.
        """
        if not _DIGEST.fullmatch(digest):
            raise StorageUnavailable("An object without its digest cannot be stored; this is a fault of the receiver.")
        with _refusals():
            _sync(temp)
            with self._naming:
                key = self._free_or_same(f"objects/{digest[:2]}/{digest}", temp)
                self._move(temp, key)
            _sync(self._place(key).parent)
        return key

    def _free_or_same(self, key: str, temp: Path) -> str:
        names = (key if number == 0 else f"{key}.{number}" for number in range(MAX_VARIANTS))
        for name in names:
            place = self._place(name)
            if not place.exists() or filecmp.cmp(place, temp, shallow=False):
                return name
        raise StorageUnavailable("One object came with too many different file headers; look at its sender.")

    def _move(self, temp: Path, key: str) -> None:
        temp.rename(self._place(key))

    def put_bytes(self, data: bytes) -> str:
        """Durable copy of `data`; returns its key. Raises StorageUnavailable."""
        temp = self._incoming / f"{uuid.uuid4().hex}.part"
        try:
            with _refusals():
                _write(temp, data)
            return self.publish(temp, content_digest(data))
        finally:
            self.delete_temp(temp)

    def quarantine(self, temp: Path, reason: str) -> str:
        """Keep a refused file aside, durable, with the reason beside it (`.txt`); returns its key."""
        name = uuid.uuid4().hex
        key = f"quarantine/{name[:2]}/{name}"
        note = self._incoming / f"{name}.txt"
        with _refusals():
            _write(note, f"{reason}\n".encode())
            _sync(temp)
            _sync(note)
            self._move(temp, key)
            note.rename(self._place(key).with_suffix(".txt"))
            _sync(self._place(key).parent)
        return key

    def path(self, key: str) -> Path:
        """A readable path of the object. Raises NotFound, also for whatever is no key of ours."""
        if not _KEY.fullmatch(key) or not (place := self._place(key)).is_file():
            raise NotFound("The object store holds no object under this key.")
        return place

    def open(self, key: str) -> BinaryIO:
        """The object's bytes. Raises NotFound."""
        return self.path(key).open("rb")

    def delete_temp(self, temp: Path) -> None:
        """Remove a temporary file, if it is still there; never anything outside of incoming."""
        if temp.parent == self._incoming:
            with contextlib.suppress(OSError):
                temp.unlink(missing_ok=True)

    def free_ratio(self) -> float:
        """Free share of the file system, 0 to 1. Raises StorageUnavailable where it cannot be told."""
        with _refusals():
            state = os.statvfs(self._root)
        return state.f_bavail / state.f_blocks if state.f_blocks else 0.0

    def _place(self, key: str) -> Path:
        return self._root / key


def _make_shards(folder: Path) -> None:
    """All 256 at once: a folder made with its first object would be one more wait for the disk."""
    if (folder / "ff").is_dir():
        return
    for number in range(256):
        (folder / f"{number:02x}").mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)
    _sync(folder)


def _write(path: Path, data: bytes) -> None:
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, PRIVATE_FILE)
    with os.fdopen(handle, "wb") as file:
        file.write(data)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = f"The object store cannot be written ({error.strerror}); free or repair the disk, then send again."
        raise StorageUnavailable(message) from error
