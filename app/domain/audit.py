"""The audit chain: each entry carries the hash of the one before, so an edit, a deletion or a new order shows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class AuditFacts:
    """What is hashed. at: RFC 3339 UTC; detail: JSON object without free patient text."""

    seq: int
    at: str
    actor: str
    action: str
    study_id: str
    detail: Mapping[str, object]


def chain_hash(previous: str, facts: AuditFacts) -> str:
    """SHA-256 over the previous hash and the entry in canonical JSON; 64 hexadecimal digits."""
    body = [previous, facts.seq, facts.at, facts.actor, facts.action, facts.study_id, dict(facts.detail)]
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()
