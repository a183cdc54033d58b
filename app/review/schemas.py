"""The wire shapes of studies, drafts and frames."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Literal

from app.domain.priors import PriorDecision, PriorOutcome
from app.domain.report import ReportStatus, Section, Source
from app.domain.study import Stage
from app.rest.words import Told
from app.review.critical_schemas import CriticalFindingOut, CriticalResultOut
from app.review.reading_schemas import ReadingOut


class PatientOut(Told):
    """As the objects name the patient: PN, LO, DA (YYYYMMDD), CS; None where they do not say."""

    name: str | None
    id: str | None
    issuer: str | None
    birth_date: str | None
    sex: str | None


class LockOwner(Told):
    """Who has the study open for writing."""

    owner: str


class LockOut(LockOwner):
    """A lease; mine: whether it is the asker's."""

    mine: bool
    expires_at: datetime


class ImageOut(Told):
    """One radiograph to show. display_url: path of its display frame."""

    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    view: str | None
    study_date: str | None
    role: Literal["current", "prior"]
    display_url: str


class PriorFetch(StrEnum):
    """Whether the images of an earlier study are here; the last two can never be fetched or shown."""

    NOT_FETCHED = "not_fetched"
    FETCHING = "fetching"
    FETCHED = "fetched"
    FAILED = "failed"
    IDENTITY_UNCERTAIN = "identity_uncertain"
    UNFIT = "unfit"


class LedgerEntryOut(Told):
    """One earlier study that was looked at, and what became of it.

    of_draft: the current draft was written from it. fetch_reason: what failed, also while it is tried again.
    images: its own once they are fetched; only those of the chosen one are among the study's images too.
    """

    study_instance_uid: str
    study_date: str | None
    description: str | None
    source: str | None
    decision: PriorDecision
    reason: str | None
    of_draft: bool
    fetch: PriorFetch
    fetch_reason: str | None
    images: list[ImageOut]


class PriorsOut(Told):
    """The prior search of the present image set; outcome None while it has not ended."""

    outcome: PriorOutcome | None
    reason: str | None
    entries: list[LedgerEntryOut]


class CurrentDraft(Told):
    """stale: written from an image set or order that has changed since."""

    id: str
    version: int
    stale: bool


class ReportState(Told):
    """The study's report, without its text."""

    id: str
    status: ReportStatus
    etag: str


class RevisionOut(Told):
    """One image set of the study: how many objects came in it, and when the last did."""

    revision: int
    instances: int
    received_at: datetime


class StudyOut(Told):
    """A study with everything that the reading page shows but the pixels and the texts.

    critical_findings, critical_results: of its report, also of a withdrawn one.
    """

    study_instance_uid: str
    accession_number: str | None
    state: Stage
    reason: str | None
    revision: int
    priority: str
    patient: PatientOut
    study_date: str | None
    description: str | None
    indication: str | None
    received_at: datetime
    priors: PriorsOut
    current_draft: CurrentDraft | None
    reading: ReadingOut
    report: ReportState | None
    lock: LockOut | None
    images: list[ImageOut]
    revisions: list[RevisionOut]
    addendum_suggested: bool
    quarantined: int
    critical_findings: list[CriticalFindingOut]
    critical_results: list[CriticalResultOut]


class FlagOut(Told):
    """A guardrail's objection to a sentence."""

    code: str
    reason: str


class RegionOut(Told):
    """A box on the display frame of one image, in shares of its width and height, 0 to 1 from the upper left."""

    sop_instance_uid: str
    left: float
    top: float
    right: float
    bottom: float


class DraftSentenceOut(Told):
    """logprob: mean over the sentence's tokens (natural log), None where the model gave none.

    author: the model, or the service for what it states itself (which prior was compared with).
    region: of a sentence with a positive finding, the part of the current film whose covering makes the model least
    likely to write it. It tells what the model looked at, not that it is right; see DraftOut.evidence.
    """

    index: int
    author: Literal["model", "service"] = "model"
    section: Section
    text: str
    source: Source
    logprob: float | None
    flags: list[FlagOut]
    region: RegionOut | None


class DraftOut(Told):
    """What the model wrote, unverified, and what it takes to write it again.

    evidence: how regions were looked for, with the weights named here ("occlusion-1": docs/evaluation.md); None: not,
    or not yet: they come after the draft, and the change feed says study.regions_added.
    """

    id: str
    study_instance_uid: str
    version: int
    revision: int
    stale: bool
    sentences: list[DraftSentenceOut]
    model: str
    weights_digest: str
    prompt_version: str
    image_digests: list[str]
    evidence: str | None
    prior_study_instance_uid: str | None
    prior_study_date: str | None
    created_at: datetime
    notice: str = "AI draft, unverified. Research system, not for diagnosis."


class StudyStateOut(Told):
    """Where the study stands after a call that moved it."""

    study_instance_uid: str
    state: Stage
    revision: int
