"""What a signature binds (21 CFR 11.70): change one character of the text, or who, when or why, and it fits no more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from app.domain.identifiers import PatientKey, digest


@dataclass(frozen=True, slots=True)
class Signature:
    """Who signed, when, meaning what (21 CFR 11.50)."""

    signer_id: str
    name: str
    signed_at: datetime
    meaning: str

    def facts(self) -> tuple[str, str, str, str]:
        """In a fixed form; the time in UTC with microseconds."""
        at = self.signed_at.astimezone(UTC).isoformat(timespec="microseconds")
        return self.signer_id, self.name, at, self.meaning


@dataclass(frozen=True, slots=True)
class SignedStudy:
    """Which study and patient the signed text is about."""

    study_instance_uid: str
    patient: PatientKey

    def facts(self) -> tuple[str, str, str]:
        """In a fixed form."""
        return self.study_instance_uid, self.patient.patient_id, self.patient.issuer


def report_digest(report_id: str, study: SignedStudy, findings: str, impression: str, signature: Signature) -> str:
    """`reports.signed_digest`: SHA-256, 64 hexadecimal digits."""
    return digest("report", report_id, *study.facts(), findings, impression, *signature.facts())


def addendum_digest(report_digest: str, number: int, text: str, signature: Signature) -> str:
    """`addenda.signed_digest`: binds the addendum to the report that it was added to."""
    return digest("addendum", report_digest, str(number), text, *signature.facts())
