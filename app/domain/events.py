"""What happened, past tense; `pipeline.FLOW` says what follows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """study_id: row id of the study it happened to."""

    study_id: str


class InstanceStored(Event):
    """An image or document is durable."""


class StudyCompleted(Event):
    """The quiet period passed without a further image."""


class RedraftRequested(Event):
    """A reader asked for another draft."""


class PriorsGathered(Event):
    """The prior search ended, with one of its four outcomes."""


@dataclass(frozen=True, slots=True)
class PriorWanted(Event):
    """A reader asked to be shown another earlier study; target: id of its ledger entry."""

    target: str


class DraftWritten(Event):
    """A draft waits for a radiologist."""


@dataclass(frozen=True, slots=True)
class EvidenceWanted(Event):
    """A draft states findings that may be shown on the film; target: draft id."""

    target: str


class DraftGivenUp(Event):
    """No draft: model unavailable or study not eligible. It can be read by hand."""


@dataclass(frozen=True, slots=True)
class ReportSigned(Event):
    """A radiologist signed; target: report id."""

    target: str


@dataclass(frozen=True, slots=True)
class AddendumSigned(Event):
    """A radiologist signed an addendum; target: addendum id."""

    target: str


class ReportDelivered(Event):
    """The receivers have it: end of the road."""
