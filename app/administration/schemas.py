"""The wire shapes of administration. No secret of the configuration is in any of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from app.domain.study import Stage
from app.rest.words import Asked, SaidLine, Told


class EchoOut(Told):
    """How the peer answered when it was asked; seconds: until its answer, or until it was given up."""

    outcome: Literal["answered", "failed", "not_checkable"]
    seconds: float | None
    error: str | None
    at: datetime


class PeerOut(Told):
    """One configured peer. last_echo: the latest that was asked for here, None where none was."""

    name: str
    kind: str
    address: str
    ae_title: str | None
    roles: list[str]
    tls: bool
    checkable: bool
    last_echo: EchoOut | None


class PeersOut(Told):
    """All of them, in the order of the configuration."""

    items: list[PeerOut]


class QueueOut(Told):
    """Jobs of one task in one state; oldest_seconds: age of the oldest, of those that are done or given up None."""

    task: str
    state: str
    jobs: int
    oldest_seconds: float | None


class QueuesOut(Told):
    """waiting_messages: in the outbox, not yet handed to the broker; oldest_message_seconds: None of none."""

    items: list[QueueOut]
    waiting_messages: int
    oldest_message_seconds: float | None


class DeadLetterOut(Told):
    """A job that gave up, or what became of it. study_state, study_reason: of its study now."""

    id: str
    task: str
    state: str
    study_instance_uid: str
    study_state: Stage
    study_reason: str | None
    revision: int
    attempts: int
    last_error: str
    created_at: datetime


class DeadLettersOut(Told):
    """Oldest first. next: `after` of the following call; None on the last page."""

    items: list[DeadLetterOut]
    next: str | None


class Why(Asked):
    """The reason for an act, for the audit chain; no patient data."""

    reason: Annotated[SaidLine, Field(min_length=1, max_length=200)]


class ModelVersionOut(Told):
    """Drafts by one model under one prompt. current: drafts that are not stale."""

    model: str
    weights_digest: str
    prompt_version: str
    drafts: int
    current: int
    first_draft_at: datetime
    last_draft_at: datetime


class ModelVersionsOut(Told):
    """All that ever drafted here, the latest in use first."""

    items: list[ModelVersionOut]
