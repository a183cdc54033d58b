"""Drafts and reports. Statuses are FHIR DiagnosticReport.status codes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ReportStatus(StrEnum):
    """http://hl7.org/fhir/R4/valueset-diagnostic-report-status.html"""

    PRELIMINARY = "preliminary"
    FINAL = "final"
    APPENDED = "appended"
    CANCELLED = "cancelled"


SIGNED = (ReportStatus.FINAL, ReportStatus.APPENDED)


class Section(StrEnum):
    """Where a sentence stands."""

    FINDINGS = "findings"
    IMPRESSION = "impression"


class Source(StrEnum):
    """What a sentence rests on."""

    IMAGE = "image"
    PRIOR = "prior"
    ORDER = "order"


class Decision(StrEnum):
    """What the reader did with a sentence."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    EDITED = "edited"
    REJECTED = "rejected"
    ADDED = "added"


class Remark(StrEnum):
    """What a reader holds against a draft, or against one of its sentences."""

    WRONG_SIDE = "wrong_side"
    MISSED = "missed"
    HALLUCINATED = "hallucinated"
    STYLE = "style"


@dataclass(frozen=True, slots=True)
class Flag:
    """A guardrail's objection; code: kebab-case class, reason: words for the reader."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Token:
    """One generated token and its natural-log probability (<= 0)."""

    text: str
    logprob: float


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a draft; logprob: mean over its tokens (natural log), or None where the model gave none."""

    index: int
    section: Section
    text: str
    source: Source
    logprob: float | None
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True, slots=True)
class ModelText:
    """What the model said, word for word; finish_reason: "stop" or "length"."""

    text: str
    tokens: tuple[Token, ...]
    finish_reason: str


@dataclass(frozen=True, slots=True)
class Region:
    """A box in shares of a picture, 0 to 1, left < right and top < bottom: where covering it unsays a sentence.

    nats: by how much the sentence's log-probability falls with the hottest part covered, > 0.
    """

    left: float
    top: float
    right: float
    bottom: float
    nats: float


@dataclass(frozen=True, slots=True)
class ModelIdentity:
    """Which model wrote: with the inputs it replays to the same text."""

    name: str
    weights_digest: str
    prompt_version: str
    image_size: int


@dataclass(frozen=True, slots=True)
class DraftInputs:
    """All that the model sees. Images: PNG of 8-bit greyscale, square; texts are data, never instructions."""

    image: bytes
    indication: str = ""
    prior_image: bytes | None = None
    prior_date: str = ""
    prior_report: str = ""
