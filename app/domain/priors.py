"""Priors are evidence (LAW 4): what was considered, what became of each, and how the search ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.domain.patient import Patient


class PriorOutcome(StrEnum):
    """How the search ended; three of the four are not "no prior"."""

    FOUND = "found"
    NONE_EXIST = "none_exist"
    UNAVAILABLE = "unavailable"
    IDENTITY_UNCERTAIN = "identity_uncertain"


class PriorDecision(StrEnum):
    """What became of one candidate."""

    CHOSEN = "chosen"
    REJECTED = "rejected"
    FAILED = "failed"


class Standing(StrEnum):
    """Whether a reader may have a candidate fetched and shown, whatever the search decided."""

    USABLE = "usable"
    IDENTITY = "identity"  # of another patient, or whose it is is not certain
    UNFIT = "unfit"  # nothing that a chest radiograph can be compared with


@dataclass(frozen=True, slots=True)
class PriorCandidate:
    """One earlier study as a source describes it.

    study_date: YYYYMMDD; study_time: HHMMSS or ""; modalities: e.g. ("DX", "SR");
    source: peer name, or "own" for our store.
    """

    study_instance_uid: str
    study_date: str
    study_time: str
    patient: Patient
    modalities: tuple[str, ...] = ()
    description: str = ""
    body_parts: tuple[str, ...] = ()
    instances: int | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class PriorImage:
    """One prior radiograph as it was retrieved; object_key: in the object store."""

    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    object_key: str
    view: str = ""


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One line of the ledger: a candidate, the decision, the reason in words."""

    candidate: PriorCandidate
    decision: PriorDecision
    reason: str
    images: tuple[PriorImage, ...] = ()
    report_text: str = ""
    report_source: str = ""
    standing: Standing = Standing.USABLE


@dataclass(frozen=True, slots=True)
class PriorLedger:
    """The whole search: outcome, why, and every candidate."""

    outcome: PriorOutcome
    reason: str
    entries: tuple[LedgerEntry, ...] = ()

    @property
    def chosen(self) -> LedgerEntry | None:
        """The prior the draft may compare with; None unless it was truly retrieved."""
        found = (entry for entry in self.entries if entry.decision is PriorDecision.CHOSEN)
        return next(found, None) if self.outcome is PriorOutcome.FOUND else None
