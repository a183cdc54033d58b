"""UIDs, digests and keys."""

from __future__ import annotations

import hashlib
import re
import uuid
from dataclasses import dataclass

_UID = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))+")
_NAMESPACE = uuid.UUID("5c8f0a52-2d0e-5d0c-9d57-6f6b1d9a7c11")
UID_LENGTH = 64  # PS3.5 9.1
DOCUMENT_CLASSES = "1.2.840.10008.5.1.4.1.1.88."
"""Prefix of the SOP classes of SR and KOS (PS3.4 B.5): documents, without pixels."""


def is_uid(value: str) -> bool:
    """Whether `value` is a DICOM UID (PS3.5 9.1), at most 64 characters."""
    return len(value) <= UID_LENGTH and _UID.fullmatch(value) is not None


def derived_uid(*parts: str) -> str:
    """A UID under 2.25 (PS3.5 B.2) that is the same whenever the parts are: a repeat creates no second object."""
    return f"2.25.{uuid.uuid5(_NAMESPACE, chr(31).join(parts)).int}"


IMPLEMENTATION_CLASS_UID = derived_uid("implementation-class")
IMPLEMENTATION_VERSION_NAME = "UNIRG_1"
"""Who wrote a meta group, and who is at the end of an association (PS3.10 7.1, PS3.7 D.3.3.2)."""


def new_id() -> str:
    """A random row id (UUID 4, 32 hexadecimal digits)."""
    return uuid.uuid4().hex


def digest(*parts: str) -> str:
    """SHA-256 of the parts, unambiguous about where one ends; 64 hexadecimal digits."""
    return hashlib.sha256("".join(f"{len(part)}:{part}" for part in parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class PatientKey:
    """Who the patient is: PatientID means nothing without the domain that issued it (0010,0021)."""

    patient_id: str
    issuer: str = ""
