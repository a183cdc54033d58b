"""A circuit breaker: a peer that failed several times in a row is left alone, then tried by one caller first."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class CircuitOpen(Exception):
    """The peer failed too often; no call was made."""


class Circuit:
    """Opens after `limit` failures in a row for `rest_seconds`; then a single call decides. Safe among threads.

    Not a library: the ones there are read the wall clock and let every waiting caller through at once.
    """

    def __init__(
        self, limit: int = 5, rest_seconds: float = 15.0, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit, self._rest, self._monotonic = limit, rest_seconds, monotonic
        self._lock = threading.Lock()
        self._failures, self._opened_at, self._probing = 0, 0.0, False

    def admits(self) -> bool:
        """Whether a call would be made now."""
        with self._lock:
            return self._admits()

    def _admits(self) -> bool:
        rested = self._monotonic() - self._opened_at >= self._rest
        return self._failures < self._limit or (rested and not self._probing)

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Around one call; any exception counts as a failure of the peer. Raises CircuitOpen."""
        with self._lock:
            if not self._admits():
                raise CircuitOpen
            self._probing = self._failures >= self._limit
        try:
            yield
        except BaseException:
            self._settle(self._failures + 1)
            raise
        self._settle(0)

    def _settle(self, failures: int) -> None:
        with self._lock:
            self._failures, self._opened_at, self._probing = failures, self._monotonic(), False
