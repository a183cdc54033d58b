"""How often a password may be tried. Counted in this process: with n API processes the limits are n times as wide."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from app.errors import TooManyRequests

WINDOW_SECONDS = 60.0
PER_USER_AND_ADDRESS = 10
PER_ADDRESS = 60
"""For one address over all users: each try costs 64 MiB and tens of milliseconds of a core."""
REMEMBERED = 10_000
"""Keys kept at most; the longest unused is forgotten first."""


class Attempts:
    """Sliding windows over the last minute."""

    def __init__(self, tick: Callable[[], float] = time.monotonic) -> None:
        self._tick, self._lock = tick, threading.Lock()
        self._tries: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def count(self, username: str, address: str) -> None:
        """Note one try. Raises TooManyRequests beyond the limits; such a try is not noted."""
        with self._lock:
            by_user = self._window((username.casefold(), address))
            by_address = self._window(("", address))
            if len(by_user) >= PER_USER_AND_ADDRESS or len(by_address) >= PER_ADDRESS:
                message = "Too many passwords were tried from here; wait a minute, then try again."
                raise TooManyRequests(message)
            now = self._tick()
            by_user.append(now)
            by_address.append(now)

    def forget(self, username: str, address: str) -> None:
        """The password was right: who signs a report every few seconds does not guess. The address has spent a try."""
        with self._lock:
            self._window((username.casefold(), address)).clear()

    def _window(self, key: tuple[str, str]) -> deque[float]:
        tries = self._tries.setdefault(key, deque())
        self._tries.move_to_end(key)
        while len(self._tries) > REMEMBERED:
            self._tries.popitem(last=False)
        while tries and tries[0] <= self._tick() - WINDOW_SECONDS:
            tries.popleft()
        return tries
