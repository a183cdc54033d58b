"""The state machine as a table: laws that hold for all of it."""

from __future__ import annotations

import pytest

from app import pipeline
from app.domain import events
from app.domain.study import TRANSITIONS, UNSIGNED, Stage, Step, after
from app.errors import IllegalTransition


@pytest.mark.parametrize("stage", Stage)
def test_every_stage_takes_a_late_image(stage):
    expected = Stage.RECEIVING if stage in UNSIGNED else stage
    assert after(stage, Step.IMAGE_ARRIVED) is expected


def test_a_signed_study_never_becomes_unsigned():
    left = {to for (stage, _), to in TRANSITIONS.items() if stage in (Stage.SIGNED, Stage.DELIVERED)}
    assert left == {Stage.SIGNED, Stage.DELIVERED}


def test_only_a_report_in_review_can_be_signed():
    assert [stage for (stage, step) in TRANSITIONS if step is Step.SIGNED] == [Stage.IN_REVIEW]


def test_every_stage_can_be_reached_and_none_is_a_trap_before_delivery():
    assert set(TRANSITIONS.values()) == set(Stage)
    assert all(
        any(stage == s and step is not Step.IMAGE_ARRIVED for s, step in TRANSITIONS) or stage is Stage.RECEIVING
        for stage in Stage
    )


def test_a_missing_pair_is_refused_in_words():
    with pytest.raises(IllegalTransition, match="delivered cannot take the step draft_written"):
        after(Stage.DELIVERED, Step.DRAFT_WRITTEN)


def test_the_pipeline_knows_every_event():
    classes = {c for c in vars(events).values() if isinstance(c, type) and issubclass(c, events.Event)}
    assert set(pipeline.FLOW) == classes - {events.Event}
