"""LAW 3: the one function that decides what status leaves, on every channel.

An unsigned text can leave as nothing but preliminary: SR UNVERIFIED, HL7 v2 `R` (stored, not verified; `P` is turned
into a verified SR by some archives), FHIR preliminary, and under a watermark.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.report import ReportStatus
from app.errors import Conflict

WATERMARK = "AI-assisted draft, unverified. Research system, not for diagnosis."


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a report: its status, and whether its signature is there and fits its text."""

    status: ReportStatus
    signed: bool
    signature_fits: bool


@dataclass(frozen=True, slots=True)
class Outgoing:
    """The same status in each channel's words.

    SR: PS3.3 C.17.2 (0040,A491), (0040,A493), (0040,A496). obr_25: HL7 table 0123. fhir: DiagnosticReport.status.
    """

    completion_flag: str
    verification_flag: str
    preliminary_flag: str
    obr_25: str
    fhir: str
    watermark: str


PRELIMINARY = Outgoing("COMPLETE", "UNVERIFIED", "PRELIMINARY", "R", "preliminary", WATERMARK)
FINAL = Outgoing("COMPLETE", "VERIFIED", "FINAL", "F", "final", "")
APPENDED = Outgoing("COMPLETE", "VERIFIED", "FINAL", "C", "appended", "")


class SignatureBroken(Conflict):
    """The text is not the one that was signed; a person must find out why."""

    title = "Signature does not fit"


def outgoing(standing: Standing) -> Outgoing:
    """What may leave. Raises SignatureBroken, and Conflict for a report that was withdrawn."""
    if standing.status is ReportStatus.CANCELLED:
        message = "The report was withdrawn; nothing of it may leave."
        raise Conflict(message)
    if standing.status is ReportStatus.PRELIMINARY or not standing.signed:
        return PRELIMINARY
    if not standing.signature_fits:
        message = "The report's text or signer differ from what was signed; nothing was sent. Compare the audit chain."
        raise SignatureBroken(message)
    return APPENDED if standing.status is ReportStatus.APPENDED else FINAL
