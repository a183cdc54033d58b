"""Start a server as a child process, wait until it answers, stop it by its own pid."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

STARTUP_SECONDS = 60.0
STOP_SECONDS = 15.0


class PeerFailedToStartError(RuntimeError):
    """The server ended or did not answer in time; the message carries the end of its log."""


def free_port() -> int:
    """A TCP port on the loopback that nobody listens on now."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listening(port: int) -> bool:
    """Whether something accepts connections on the loopback port."""
    with closing(socket.socket()) as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def tail(path: Path, size: int = 3000) -> str:
    """The last ``size`` characters of a log, for error messages."""
    return path.read_text(errors="replace")[-size:] if path.exists() else "(no log)"


def wait_until(ready: Callable[[], bool], what: str, seconds: float = STARTUP_SECONDS) -> None:
    """Poll ``ready`` until it is true; raises TimeoutError naming ``what``."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} not seen within {seconds:g} s")
        time.sleep(0.05)


class Server:
    """One child process with its log; ``kill`` is SIGKILL, ``stop`` asks first."""

    def __init__(
        self,
        argv: Sequence[str | Path],
        log: Path,
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        owner: tuple[int, int] | None = None,
    ) -> None:
        """argv: program and arguments; owner: (uid, gid) to run as, when this process may change to them."""
        self.argv, self.log = [str(part) for part in argv], log
        self._options: dict[str, Any] = {"cwd": cwd, "env": {**os.environ, **(env or {})}}
        if owner is not None:
            self._options |= {"user": owner[0], "group": owner[1], "extra_groups": []}
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Process id; raises RuntimeError when not started."""
        if self.process is None:
            raise RuntimeError(f"{self.argv[0]} is not running")
        return self.process.pid

    def start(self, ready: Callable[[], bool], seconds: float = STARTUP_SECONDS) -> None:
        """Start and wait until ``ready()``; raises PeerFailedToStartError with the log's end."""
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.argv, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, **self._options
            )
        process = self.process
        try:
            wait_until(lambda: process.poll() is not None or ready(), self.argv[0], seconds)
        except TimeoutError as slow:
            self.stop()  # asked, a server takes its own children with it
            raise PeerFailedToStartError(f"{slow}\n{tail(self.log)}") from slow
        if process.poll() is not None:
            raise PeerFailedToStartError(f"{self.argv[0]} ended with {process.returncode}\n{tail(self.log)}")

    def kill(self) -> None:
        """SIGKILL, as a crash would end it."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """SIGTERM, then SIGKILL when it does not end by itself."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(how)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
