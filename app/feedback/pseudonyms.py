"""Names for an export that lead back to nothing: keyed digests whose key is made for it and never kept."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

DIGITS = 16
"""64 bits: among a million patients two share a pseudonym with probability 3e-8."""


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """The same value has the same pseudonym within one export, and another in the next.

    salt: 32 random bytes. Without it a pseudonym cannot be computed from a known identifier, so it is not stored.
    """

    salt: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def of(self, kind: str, *value: str) -> str:
        """`kind`-, then 16 hexadecimal digits of HMAC-SHA-256."""
        said = "".join(f"{len(part)}:{part}" for part in (kind, *value))
        return f"{kind}-{hmac.new(self.salt, said.encode(), hashlib.sha256).hexdigest()[:DIGITS]}"
