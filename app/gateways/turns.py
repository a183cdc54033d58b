"""One at a time at something that cannot be shared, and who waits with precedence goes first."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Turns:
    """Those with precedence come in any order; the others only while none of them waits."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._taken = False
        self._waiting_first = 0

    @contextmanager
    def first(self, seconds: float | None = None) -> Iterator[None]:
        """A turn with precedence. Raises TimeoutError where it does not come within `seconds` (None: waits on)."""
        with self._changed:
            self._waiting_first += 1
            try:
                self._take(lambda: not self._taken, seconds)
            finally:
                self._waiting_first -= 1
        try:
            yield
        finally:
            self._give_back()

    @contextmanager
    def after_others(self, seconds: float | None = None) -> Iterator[None]:
        """A turn that nobody with precedence waits for. Raises TimeoutError as `first`."""
        with self._changed:
            self._take(lambda: not self._taken and not self._waiting_first, seconds)
        try:
            yield
        finally:
            self._give_back()

    def _take(self, free: Callable[[], bool], seconds: float | None) -> None:
        if not self._changed.wait_for(free, None if seconds is None else max(0.0, seconds)):
            raise TimeoutError
        self._taken = True

    def _give_back(self) -> None:
        with self._changed:
            self._taken = False
            self._changed.notify_all()
