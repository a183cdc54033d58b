"""An object store of which only the keys matter."""

from __future__ import annotations

from pathlib import Path

from app.errors import StorageUnavailable


class KeysAlone:
    """The part of app.ports.ObjectStore that drafting uses: the path of a key ends in the key."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def incoming_dir(self) -> Path:
        return self.root

    def path(self, key: str) -> Path:
        return self.root / key

    def publish(self, temp: Path, digest: str) -> str:
        raise StorageUnavailable(f"{temp.name} {digest}: this store takes nothing.")

    def put_bytes(self, data: bytes) -> str:
        raise StorageUnavailable(f"{len(data)} bytes: this store takes nothing.")

    def quarantine(self, temp: Path, reason: str) -> str:
        raise StorageUnavailable(f"{temp.name} {reason}: this store takes nothing.")

    def free_ratio(self) -> float:
        return 1.0
