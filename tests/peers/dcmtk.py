"""DCMTK as the independent modality, receiver and validator; always Debian's programs, by absolute path."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.peers.presence import program, require
from tests.peers.process import Server, free_port, listening

Finished = subprocess.CompletedProcess[str]


def dcmtk(tool: str, *arguments: str | Path, check: bool = True, seconds: float = 120) -> Finished:
    """Run one DCMTK program to its end; raises CalledProcessError (with output kept) when ``check`` and it fails."""
    require("dcmtk")
    command = [program(tool), *map(str, arguments)]
    return subprocess.run(command, check=check, capture_output=True, text=True, errors="replace", timeout=seconds)


def send(port: int, *files: Path, called: str = "UNIRG", calling: str = "STORESCU", extra: tuple[str, ...] = ()) -> str:
    """C-STORE files as a modality does, each in its own transfer syntax where DCMTK can; returns storescu's log.

    Raises CalledProcessError when the association is refused or a store fails.
    """
    done = dcmtk("storescu", "-v", *extra, "-aet", calling, "-aec", called, "127.0.0.1", str(port), *files)
    return done.stdout + done.stderr


def echo(port: int, *, called: str = "UNIRG", calling: str = "ECHOSCU", seconds: int = 10) -> bool:
    """Whether a C-ECHO on a new association is answered."""
    answer = dcmtk("echoscu", "-to", str(seconds), "-aet", calling, "-aec", called, "127.0.0.1", str(port), check=False)
    return answer.returncode == 0


@contextmanager
def storescp(folder: Path, *options: str) -> Iterator[int]:
    """A DCMTK receiver that writes into ``folder``; yields its port. ``--abort-during`` and the like make it faulty."""
    require("dcmtk")
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    server = Server([program("storescp"), "+xa", "-od", folder, *options, str(port)], folder.with_suffix(".log"))
    server.start(lambda: listening(port))
    try:
        yield port
    finally:
        server.stop()


def dciodvfy(path: Path) -> list[str]:
    """Error lines of dicom3tools' validator for one file; empty when it conforms."""
    require("dicom3tools")
    command = [program("dciodvfy"), "-new", str(path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
    return [line for line in (done.stdout + done.stderr).splitlines() if line.startswith("Error")]
