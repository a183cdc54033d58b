"""The sections that were asked for, each once: no impression where only findings were wanted, both where both were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from model.report_text import SectionName, sections
from training.rewards.batch import Sample, Scores, scores


@dataclass(frozen=True)
class SectionFormat:
    """Share of the expected sections written exactly once, less what was not asked for; 0 … 1, never missing.

    Asked for findings: 1 for findings alone, 0.5 with any further section, 0 without findings. Asked for a report:
    the sections of the reference are expected (public studies lack one or the other; both where it is empty), and
    each missing, repeated or surplus section costs its share.
    """

    name: str = "section_format"

    def __call__(self, batch: Sequence[Sample]) -> Scores:
        """0 … 1 per sample; see the class."""
        return scores([_value(one) for one in batch])


def _value(one: Sample) -> float:
    written = [span.section for span in sections(one.prediction)]
    wanted = _wanted(one)
    right = sum(written.count(name) == 1 for name in wanted)
    return right / (len(wanted) + sum(name not in wanted for name in written))


def _wanted(one: Sample) -> set[SectionName]:
    if one.asked == "findings":
        return {"findings"}
    told: set[SectionName] = {span.section for span in sections(one.reference) if span.section != "other"}
    return told or {"findings", "impression"}
