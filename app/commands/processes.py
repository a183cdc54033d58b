"""`unirg serve`: the processes of the service as one group, each restarted when it ends by itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app import telemetry

RESTART_SECONDS = (0.5, 1.0, 2.0, 5.0, 10.0)
STEADY_SECONDS = 30.0
GRACE_SECONDS = 15.0


@dataclass(slots=True)
class Child:
    """One process: its verb, and how often it had to be started again of late."""

    verb: str
    command: Sequence[str]
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    due: float = 0.0

    def start(self) -> None:
        """Start, or start again."""
        self.process = subprocess.Popen(self.command, env=dict(self.environment))
        self.started = time.monotonic()

    def watch(self) -> None:
        """Start again what has ended, more slowly each time."""
        now = time.monotonic()
        if self.process is not None and (code := self.process.poll()) is not None:
            self.failures = 0 if now - self.started > STEADY_SECONDS else self.failures + 1
            self.due = now + RESTART_SECONDS[min(self.failures, len(RESTART_SECONDS)) - 1]
            telemetry.log().warning("process_ended", task=self.verb, exit_code=code, attempts=self.failures)
            self.process = None
        if self.process is None and now >= self.due:
            self.start()


@dataclass(slots=True)
class Group:
    """The children and the wish to stop."""

    config: Path | None
    verbs: Sequence[str]
    children: list[Child] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Until SIGINT or SIGTERM."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: self.stopping.set())
        self.children = [Child(verb, self._command(verb), os.environ) for verb in self.verbs]
        for child in self.children:
            child.start()
        while not self.stopping.wait(0.2):
            for child in self.children:
                child.watch()
        self._end()

    def _command(self, verb: str) -> list[str]:
        options = ["--config", str(self.config)] if self.config else []
        return [sys.executable, "-m", "app.cli", verb, *options]

    def _end(self) -> None:
        running = [child.process for child in self.children if child.process is not None]
        for process in running:
            process.terminate()
        limit = time.monotonic() + GRACE_SECONDS
        for process in running:
            try:
                process.wait(max(0.1, limit - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
