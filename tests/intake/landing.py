"""Receivers for the tests: one inside the test's process, one in a process of its own whose memory can be read."""

from __future__ import annotations

import json
import sqlite3
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from app.content import content_digest
from app.domain.intake import ReceivedInstance
from app.gateways.object_store import LocalObjectStore
from app.intake.scp import Deadlines, ScpSettings, StorageScp
from tests.peers.process import Server, wait_until

QUICK = Deadlines(handshake=3, request=3, pdu=3, idle=20, association=60, send=5, linger=0.5)


class DirectorySink:
    """Files each object as the law asks (fsync, rename, fsync, COMMIT) and remembers what came."""

    def __init__(self, root: Path) -> None:
        self.store = LocalObjectStore(root)
        self.received: list[tuple[ReceivedInstance, str]] = []
        self._record = sqlite3.connect(root / "record.sqlite3", check_same_thread=False, isolation_level=None)
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            self._record.execute(f"PRAGMA {pragma}")
        self._record.execute("CREATE TABLE IF NOT EXISTS instances (sop_instance_uid, object_key)")
        self._writing = threading.Lock()

    def accept(self, received: ReceivedInstance) -> int:
        key = self.store.publish(received.temp_path, received.digest)
        with self._writing:
            self._record.execute("INSERT INTO instances VALUES (?, ?)", (received.sop_instance_uid, key))
            self.received.append((received, key))
        return 0x0000

    def close(self) -> None:
        self._record.close()

    def path(self, number: int = -1) -> Path:
        return self.store.path(self.received[number][1])

    def data_set(self, number: int = -1) -> bytes:
        """Bytes of a stored data set, checked against what the receiver said of them."""
        received, _ = self.received[number]
        data = data_set_of(self.path(number).read_bytes())
        assert (len(data), content_digest(data)) == (received.size, received.digest)
        return data


def data_set_of(part10: bytes) -> bytes:
    """What follows the meta group of a Part 10 file whose group length is right."""
    assert part10[128:132] == b"DICM"
    assert part10[132:140] == b"\x02\x00\x00\x00UL\x04\x00"
    return part10[144 + int.from_bytes(part10[140:144], "little") :]


@dataclass
class Tally:
    """An observer that counts by name."""

    counts: Counter[str] = field(default_factory=Counter)
    statuses: list[int] = field(default_factory=list)

    def connection_refused(self, reason: str) -> None:
        self.counts[f"refused:{reason}"] += 1

    def association_rejected(self, reason: str) -> None:
        self.counts[f"rejected:{reason}"] += 1

    def association_opened(self) -> None:
        self.counts["opened"] += 1

    def association_closed(self, how: str) -> None:
        self.counts[f"closed:{how}"] += 1

    def echoed(self) -> None:
        self.counts["echoed"] += 1

    def instance(self, status: int, size: int) -> None:
        self.counts["bytes"] += size
        self.statuses.append(status)


@dataclass
class Landing:
    """A running receiver inside this process."""

    port: int
    sink: DirectorySink
    tally: Tally
    scp: StorageScp
    settings: ScpSettings

    @property
    def under_way(self) -> list[Path]:
        return list(self.settings.incoming_dir.iterdir())

    def wait_empty(self) -> None:
        """No temporary file is left once the connections have ended."""
        wait_until(lambda: not self.under_way, "an empty incoming folder", 20)


@contextmanager
def landing(root: Path, sink: object = None, **changes: object) -> Iterator[Landing]:
    """Run a receiver on a free port; everybody may call unless `peers` are given."""
    directory_sink = DirectorySink(root)
    parts: dict[str, object] = {
        "ae_title": "UNIRG",
        "incoming_dir": directory_sink.store.incoming_dir,
        "accept_unknown": "peers" not in changes,
        "deadlines": QUICK,
        **changes,
    }
    settings = ScpSettings(**parts)  # type: ignore[arg-type]
    tally = Tally()
    scp = StorageScp(settings, sink or directory_sink, tally)  # type: ignore[arg-type]
    try:
        yield Landing(scp.start(), directory_sink, tally, scp, settings)
    finally:
        scp.stop(5)
        directory_sink.close()


class ReceiverProcess:
    """The receiver in a process of its own (tests/intake/receiver_process.py)."""

    def __init__(self, folder: Path, **changes: object) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self._told = folder, folder / "port"
        argv = [sys.executable, "-m", "tests.intake.receiver_process", str(folder), json.dumps(changes)]
        self.server = Server(argv, folder / "receiver.log", cwd=Path(__file__).parents[2])

    def __enter__(self) -> Self:
        self.server.start(self._told.exists)
        self.port = int(self._told.read_text())
        return self

    def __exit__(self, *_ended: object) -> None:
        self.server.stop()

    @property
    def log(self) -> str:
        return (self.folder / "receiver.log").read_text()

    def memory(self, which: str = "VmRSS") -> int:
        """Resident bytes now (VmRSS) or at most (VmHWM)."""
        lines = Path(f"/proc/{self.server.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(which))

    def threads(self) -> int:
        return len(list(Path(f"/proc/{self.server.pid}/task").iterdir()))

    @property
    def under_way(self) -> list[Path]:
        return list((self.folder / "store" / "incoming").iterdir())
