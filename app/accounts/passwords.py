"""Passwords are kept as Argon2id hashes (RFC 9106) and checked at the same cost for users who do not exist."""

from __future__ import annotations

import threading
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.errors import InvalidRequest

SHORTEST = 8  # NIST SP 800-63B 5.1.1.2


class Passwords:
    """Hashes and checks; at most `at_once` at a time, because each takes 64 MiB and a core."""

    def __init__(self, hasher: PasswordHasher | None = None, at_once: int = 2) -> None:
        self._hasher = hasher or PasswordHasher()
        self._turn = threading.Semaphore(at_once)

    def hash(self, password: str) -> str:
        """Raises InvalidRequest for one that is too short."""
        if len(password) < SHORTEST:
            message = f"A password needs at least {SHORTEST} characters; choose a longer one."
            raise InvalidRequest(message)
        with self._turn:
            return self._hasher.hash(password)

    def matches(self, password_hash: str, password: str) -> bool:
        """Whether the password is right; "" as hash (no such user, no password) costs as much and is never right."""
        with self._turn:
            try:
                return self._hasher.verify(password_hash or self._nobody, password) and bool(password_hash)
            except (VerificationError, InvalidHashError):
                return False

    @cached_property
    def _nobody(self) -> str:
        return self._hasher.hash("nobody has this password")
