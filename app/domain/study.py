"""The stages of a study and the only steps between them."""

from __future__ import annotations

from enum import StrEnum

from app.errors import IllegalTransition


class Stage(StrEnum):
    """What clients see as a study's `state`."""

    RECEIVING = "receiving"
    GATHERING_PRIORS = "gathering_priors"
    DRAFTING = "drafting"
    READY = "ready"
    DRAFT_UNAVAILABLE = "draft_unavailable"
    NOT_ELIGIBLE = "not_eligible"
    IN_REVIEW = "in_review"
    SIGNED = "signed"
    DELIVERED = "delivered"
    FAILED = "failed"


class Step(StrEnum):
    """What can happen to a study."""

    IMAGE_ARRIVED = "image_arrived"
    COMPLETED = "completed"
    PRIORS_GATHERED = "priors_gathered"
    DRAFT_WRITTEN = "draft_written"
    DRAFT_GIVEN_UP = "draft_given_up"
    FOUND_NOT_ELIGIBLE = "found_not_eligible"
    REDRAFT_ASKED = "redraft_asked"
    REPORT_STARTED = "report_started"
    REPORT_WITHDRAWN = "report_withdrawn"
    SIGNED = "signed"
    ADDENDUM_SIGNED = "addendum_signed"
    DELIVERED = "delivered"
    DEAD_LETTERED = "dead_lettered"


UNSIGNED = (
    Stage.RECEIVING,
    Stage.GATHERING_PRIORS,
    Stage.DRAFTING,
    Stage.READY,
    Stage.DRAFT_UNAVAILABLE,
    Stage.NOT_ELIGIBLE,
    Stage.IN_REVIEW,
    Stage.FAILED,
)
READABLE = (Stage.READY, Stage.DRAFT_UNAVAILABLE, Stage.NOT_ELIGIBLE, Stage.FAILED)
"""Stages in which a radiologist may start a report; in the last three by hand."""

TRANSITIONS: dict[tuple[Stage, Step], Stage] = {
    # LAW 5: an unsigned study takes a late image as a new revision, a signed one only notes it
    **{(stage, Step.IMAGE_ARRIVED): Stage.RECEIVING for stage in UNSIGNED},
    (Stage.SIGNED, Step.IMAGE_ARRIVED): Stage.SIGNED,
    (Stage.DELIVERED, Step.IMAGE_ARRIVED): Stage.DELIVERED,
    (Stage.RECEIVING, Step.COMPLETED): Stage.GATHERING_PRIORS,
    (Stage.GATHERING_PRIORS, Step.PRIORS_GATHERED): Stage.DRAFTING,
    (Stage.DRAFTING, Step.DRAFT_WRITTEN): Stage.READY,
    (Stage.DRAFTING, Step.DRAFT_GIVEN_UP): Stage.DRAFT_UNAVAILABLE,
    (Stage.DRAFTING, Step.FOUND_NOT_ELIGIBLE): Stage.NOT_ELIGIBLE,
    # the model came back while nobody had begun by hand
    (Stage.DRAFT_UNAVAILABLE, Step.DRAFT_WRITTEN): Stage.READY,
    (Stage.DRAFT_UNAVAILABLE, Step.DRAFT_GIVEN_UP): Stage.DRAFT_UNAVAILABLE,
    (Stage.DRAFT_UNAVAILABLE, Step.FOUND_NOT_ELIGIBLE): Stage.NOT_ELIGIBLE,
    (Stage.DRAFT_UNAVAILABLE, Step.DEAD_LETTERED): Stage.FAILED,
    **{(stage, Step.REDRAFT_ASKED): Stage.GATHERING_PRIORS for stage in READABLE},
    **{(stage, Step.REPORT_STARTED): Stage.IN_REVIEW for stage in READABLE},
    (Stage.IN_REVIEW, Step.REPORT_WITHDRAWN): Stage.READY,
    (Stage.IN_REVIEW, Step.SIGNED): Stage.SIGNED,
    (Stage.SIGNED, Step.ADDENDUM_SIGNED): Stage.SIGNED,
    (Stage.DELIVERED, Step.ADDENDUM_SIGNED): Stage.SIGNED,
    (Stage.SIGNED, Step.DELIVERED): Stage.DELIVERED,
    (Stage.GATHERING_PRIORS, Step.DEAD_LETTERED): Stage.FAILED,
    (Stage.DRAFTING, Step.DEAD_LETTERED): Stage.FAILED,
    (Stage.SIGNED, Step.DEAD_LETTERED): Stage.SIGNED,  # the report stands; its delivery is what died
}


def after(stage: Stage, step: Step) -> Stage:
    """The stage that follows.

    Raises IllegalTransition where the table has no such step: the missing pair is the refusal.
    """
    try:
        return TRANSITIONS[stage, step]
    except KeyError:
        message = f"A study that is {stage} cannot take the step {step}; read its state again."
        raise IllegalTransition(message) from None
