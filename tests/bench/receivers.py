"""The receivers that are compared: ours as the service runs it, Orthanc and DCMTK storescp as shipped and tuned.

Tuned means 128 KiB PDUs and TCP_NODELAY=1 in the server's environment: as shipped both wait 40 ms for each delayed
acknowledgement of TCP, which says nothing about their speed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.peers.presence import program
from tests.peers.process import Server, free_port, listening

TICK_MS = 1000 / os.sysconf("SC_CLK_TCK")
NODELAY = {"TCP_NODELAY": "1"}
ROOT = Path(__file__).parents[2]
UNIRG = (sys.executable, "-m", "app.cli")


@dataclass(frozen=True)
class Receiver:
    """One way to run one receiver; `command` writes what it needs into an empty folder and returns its argv."""

    name: str
    command: Callable[[Path, int], list[str]]
    environment: dict[str, str]


class Running:
    """A started receiver with an empty store; use as a context manager."""

    def __init__(self, receiver: Receiver, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.port = free_port()
        argv = receiver.command(folder, self.port)
        environment = {"OMP_NUM_THREADS": "1", **receiver.environment}
        self.server = Server(argv, folder / "server.log", cwd=ROOT, env=environment)

    def __enter__(self) -> Self:
        self.server.start(lambda: listening(self.port))
        return self

    def __exit__(self, *_ended: object) -> None:
        self.server.stop()

    def _processes(self) -> list[Path]:
        found, todo = [], [self.server.pid]
        while todo:
            place = Path(f"/proc/{todo.pop()}")
            found.append(place)
            with suppress(FileNotFoundError):
                todo += [int(pid) for path in place.glob("task/*/children") for pid in path.read_text().split()]
        return found

    def cpu_ms(self) -> float:
        """CPU time of the receiver and its children, those that ended included."""
        total = 0
        for number, place in enumerate(self._processes()):
            with suppress(FileNotFoundError):
                fields = (place / "stat").read_text().rpartition(")")[2].split()
                total += sum(int(value) for value in fields[11 : 15 if number == 0 else 13])
        return total * TICK_MS

    def memory_mb(self) -> float:
        """Peak resident memory of the main process, MB."""
        lines = Path(f"/proc/{self.server.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM"))


def _ours(folder: Path, port: int, processes: int) -> list[str]:
    configuration = folder / "unirg.toml"
    configuration.write_text(
        f"[dicom]\nport = {port}\naccept_unknown = true\nprocesses = {processes}\n"
        f'[database]\nurl = "sqlite:///{folder}/record.db"\n[storage]\npath = "{folder}/objects"\n'
        '[log]\nlevel = "warning"\n'
    )
    upgrade = [*UNIRG, "db", "upgrade", "--config", str(configuration)]
    subprocess.run(upgrade, check=True, cwd=ROOT, capture_output=True)
    return [*UNIRG, "receiver", "--config", str(configuration)]


def _orthanc(folder: Path, port: int, settings: dict[str, object]) -> list[str]:
    configuration = folder / "orthanc.json"
    shipped = {
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "DicomAet": "UNIRG",
        "DicomPort": port,
        "HttpPort": free_port(),
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
    }
    configuration.write_text(json.dumps(shipped | settings))
    return [program("Orthanc"), str(configuration)]


def _storescp(folder: Path, port: int, options: list[str]) -> list[str]:
    return [program("storescp"), "-q", "--fork", *options, "-od", str(folder), str(port)]


def receivers() -> dict[str, Receiver]:
    """All of them by name; storescp forks, for it takes one association at a time otherwise."""
    every = (
        Receiver("ours", lambda folder, port: _ours(folder, port, 1), {}),
        Receiver("ours, 2 processes", lambda folder, port: _ours(folder, port, 2), {}),
        Receiver("orthanc as shipped", lambda folder, port: _orthanc(folder, port, {}), {}),
        Receiver("orthanc tuned", lambda folder, port: _orthanc(folder, port, {"MaximumPduLength": 131072}), NODELAY),
        Receiver("storescp as shipped", lambda folder, port: _storescp(folder, port, []), {}),
        Receiver("storescp tuned", lambda folder, port: _storescp(folder, port, ["+B", "-pdu", "131072"]), NODELAY),
    )
    return {receiver.name: receiver for receiver in every}
