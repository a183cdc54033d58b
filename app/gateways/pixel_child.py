"""PixelReader: headers and pixels are read in child processes, under limits of memory, CPU and time.

A child lives for many jobs; one that dies, stalls or runs out of memory is replaced, and the file is refused with a
reason. A crash says little of the file that was there when it happened, so that one is tried once more on a fresh
child. Nothing a child prints is kept: it may quote a patient.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import app
from app.domain.imaging import Code, DisplayFrame, HeaderFacts, ModelImage, StoredFrame
from app.errors import CannotUnderstand, PixelsUnreadable, StorageUnavailable
from app.gateways.pixel_wire import Broken, Head, TooLate, receive, send

_KEPT_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "SYSTEMROOT")
_TRIES = 2


@dataclass(frozen=True, slots=True)
class ChildLimits:
    """Seconds of CPU and of wall clock for each kind of job.

    memory_bytes: address space beyond what the idle child maps. jobs: after so many a child is replaced.
    """

    memory_bytes: int = 1 << 30
    header_cpu_seconds: int = 2
    header_seconds: float = 10.0
    pixels_cpu_seconds: int = 20
    pixels_seconds: float = 40.0
    start_seconds: float = 120.0
    jobs: int = 500


class _Died(Exception):
    """The child ended; `code` is its exit status, negative for a signal."""

    def __init__(self, code: int | None) -> None:
        super().__init__(code)
        self.code = code


class _Child:
    """One decoding process and the socket to it. Used by one thread at a time."""

    def __init__(self, limits: ChildLimits) -> None:
        ours, theirs = socket.socketpair()
        self._channel = ours
        self._process: subprocess.Popen[bytes] | None = None
        self.jobs = 0
        try:
            self._process = _spawned(theirs, limits.memory_bytes)
            receive(ours, time.monotonic() + limits.start_seconds)
        except (OSError, Broken, TooLate) as error:
            status = self._exit_status()
            self.kill()
            raise StorageUnavailable(
                f"The decoding process does not start ({type(error).__name__}, exit status {status}): "
                "look at free memory and processes, and run `make setup` again if the installation is not whole."
            ) from error
        finally:
            theirs.close()

    @property
    def pid(self) -> int:
        """Process id; 0 before there is one."""
        return self._process.pid if self._process else 0

    def ask(self, job: Head, seconds: float) -> tuple[Head, bytes]:
        """Raises _Died, TooLate; the child is of no more use after either."""
        self.jobs += 1
        try:
            send(self._channel, job)
            return receive(self._channel, time.monotonic() + seconds)
        except Broken as error:
            raise _Died(self._exit_status()) from error

    def _exit_status(self) -> int | None:
        """Of a child whose socket broke: it is ending by itself, and how it ends is the reason asked for."""
        if self._process is None:
            return None
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1.0)
        return self._process.returncode

    def kill(self) -> None:
        """End it, now."""
        self._channel.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def abandon(self) -> None:
        """Let go of a child that belongs to the process this one was forked from."""
        self._channel.close()
        if self._process is not None:
            self._process.returncode = 0  # not ours to wait for


def _spawned(theirs: socket.socket, memory_bytes: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-B", "-P", "-m", "app.gateways.pixel_worker", str(theirs.fileno()), str(memory_bytes)]
    return subprocess.Popen(
        command,
        pass_fds=(theirs.fileno(),),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=_environment(),
        start_new_session=True,  # Ctrl-C is for the service, which then lets its children go
    )


def _environment() -> dict[str, str]:
    """No secret of the service's, one thread per library, a heap that keeps freed frames for the next one."""
    kept = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
    return kept | {
        "PYTHONPATH": str(Path(app.__file__).parents[1]),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "2",
        "MALLOC_MMAP_THRESHOLD_": str(32 << 20),  # page faults of fresh frames took a third of the time
        "MALLOC_TRIM_THRESHOLD_": str(128 << 20),
    }


class ChildPixelReader:
    """The PixelReader of this service. children: how many may decode at once; they start when first needed.

    Safe to call from many threads; callers beyond `children` wait their turn. After a fork the new process starts
    children of its own.
    """

    def __init__(self, children: int = 1, limits: ChildLimits | None = None) -> None:
        self._limits = limits or ChildLimits()
        self._turns = threading.BoundedSemaphore(children)
        self._idle: deque[_Child] = deque()
        self._owner = os.getpid()
        self._children = children

    def inspect(self, path: Path) -> HeaderFacts:
        """Header facts. Raises CannotUnderstand, StorageUnavailable."""
        limits = self._limits
        job = {"job": "inspect", "path": str(path), "cpu_seconds": limits.header_cpu_seconds}
        try:
            answer, _ = self._answer(job, limits.header_seconds)
            return _facts(answer["facts"])
        except PixelsUnreadable as error:
            raise CannotUnderstand(error.message) from error

    def model_image(self, path: Path, size: int) -> ModelImage:
        """Square 8-bit image of `size` px. Raises PixelsUnreadable, StorageUnavailable."""
        answer, png = self._pixels({"job": "model_image", "path": str(path), "size": size})
        left, top, right, bottom = map(int, answer["film"])
        if not (0 <= left < right <= size and 0 <= top < bottom <= size):
            raise PixelsUnreadable("The decoding process put the film outside its picture.")
        return ModelImage(png, answer["sha256"], answer["width"], answer["height"], (left, top, right, bottom))

    def display_frame(self, path: Path) -> DisplayFrame:
        """16-bit display-normalised frame. Raises PixelsUnreadable, StorageUnavailable."""
        answer, pixels = self._pixels({"job": "display_frame", "path": str(path)})
        if len(pixels) != 2 * answer["rows"] * answer["columns"]:
            raise PixelsUnreadable("The decoding process gave a frame of the wrong size.")
        orientation = answer.pop("orientation")
        return DisplayFrame(pixels=pixels, orientation=tuple(orientation), **answer)

    def metadata(self, path: Path) -> bytes:
        """Header in the DICOM JSON model. Raises CannotUnderstand, StorageUnavailable."""
        limits = self._limits
        job = {"job": "metadata", "path": str(path), "cpu_seconds": limits.header_cpu_seconds}
        try:
            return self._answer(job, limits.header_seconds)[1]
        except PixelsUnreadable as error:
            raise CannotUnderstand(error.message) from error

    def stored_frame(self, path: Path, number: int) -> StoredFrame:
        """One frame as it is stored. Raises PixelsUnreadable, StorageUnavailable."""
        answer, frame = self._pixels({"job": "stored_frame", "path": str(path), "number": number})
        return StoredFrame(frame, str(answer["transfer_syntax_uid"]))

    def warm(self) -> None:
        """Start one child now, so that the first image need not wait for it. Raises StorageUnavailable."""
        with self._child():
            pass

    def child_pids(self) -> tuple[int, ...]:
        """Process ids of the idle children."""
        return tuple(child.pid for child in self._idle)

    def close(self) -> None:
        """Let every idle child go."""
        while self._idle:
            child = self._idle.pop()
            if os.getpid() == self._owner:
                child.kill()
            else:
                child.abandon()

    def _pixels(self, job: Head) -> tuple[Head, bytes]:
        return self._answer(job | {"cpu_seconds": self._limits.pixels_cpu_seconds}, self._limits.pixels_seconds)

    def _answer(self, job: Head, seconds: float) -> tuple[Head, bytes]:
        """Raises PixelsUnreadable with the reason, StorageUnavailable."""
        died = None
        for _ in range(_TRIES):
            try:
                with self._child() as child:
                    head, payload = child.ask(job, seconds)
            except TooLate as error:
                raise PixelsUnreadable(f"Reading the object took more than {seconds:g} s; it was given up.") from error
            except _Died as error:
                died = error
                if error.code == -signal.SIGXCPU:
                    break
            else:
                _raise_refusal(head)
                return head, payload
        raise PixelsUnreadable(_cause_of_death(died, job)) from died

    @contextmanager
    def _child(self) -> Iterator[_Child]:
        """A child for one job; it goes back to the idle ones only if nothing went wrong."""
        self._after_fork()
        with self._turns:
            child = self._idle.pop() if self._idle else _Child(self._limits)
            try:
                yield child
            except BaseException:
                child.kill()
                raise
            if child.jobs >= self._limits.jobs:
                child.kill()
            else:
                self._idle.append(child)

    def _after_fork(self) -> None:
        if os.getpid() == self._owner:
            return
        self._turns = threading.BoundedSemaphore(self._children)
        while self._idle:
            self._idle.pop().abandon()
        self._owner = os.getpid()


def _raise_refusal(head: Head) -> None:
    if "error" not in head:
        return
    message = str(head.get("message", ""))[:300]
    if head["error"] == "file":
        raise StorageUnavailable(f"The stored object cannot be opened ({message}); look at the object store.")
    if head["error"] == "memory":
        message = "Reading the object needs more memory than the decoding process may have"
    raise PixelsUnreadable(f"{message}.")


def _cause_of_death(died: _Died | None, job: Mapping[str, Any]) -> str:
    code = died.code if died else None
    if code == -signal.SIGXCPU:
        return f"Reading the object took more than {job['cpu_seconds']} s of CPU; it was given up."
    name = signal.Signals(-code).name if code is not None and -code in set(signal.Signals) else f"status {code}"
    return f"The decoding process ended over this object, twice ({name})."


def _facts(answer: Mapping[str, Any]) -> HeaderFacts:
    view = answer["view_code"]
    return HeaderFacts(
        **dict(answer)
        | {
            "view_code": Code(**view) if view else None,
            "anatomic_regions": tuple(Code(**code) for code in answer["anatomic_regions"]),
            "patient_orientation": tuple(answer["patient_orientation"]),
        }
    )
