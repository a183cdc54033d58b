"""Every known way to be paid for a worse report: the composite ranks the honest report above the hacked one.

For each hole: which terms catch it, and which are fooled (they pay the hack at least as much as the honest report;
that is why none of them may train alone). The honest report is never the reference itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from training.rewards.batch import Sample, Scores
from training.rewards.catalogue import build
from training.rewards.mix import HELD_OUT, Composite, Term

REFERENCE = (
    "Findings: The heart is enlarged. There is a small right pleural effusion. There is no pneumothorax. There is "
    "consolidation in the left lower zone. Impression: Cardiomegaly. Small right pleural effusion. Left lower zone "
    "consolidation."
)
HONEST = (
    "Findings: The heart is enlarged. There is a moderate right pleural effusion. No pneumothorax is seen. There is "
    "left lower zone consolidation. Impression: Cardiomegaly. Right pleural effusion. Left lower zone consolidation."
)
NORMAL = (
    "Findings: The heart is normal in size. There is no pleural effusion. There is no pneumothorax. The lungs are "
    "clear. Impression: No acute cardiopulmonary abnormality."
)
HONEST_NORMAL = (
    "Findings: Heart size is normal. No pleural effusion or pneumothorax. Lungs are clear. Impression: No acute "
    "abnormality."
)
LOOP = "There is a moderate right pleural effusion. " * 4


@dataclass(frozen=True)
class Hole:
    hacked: str
    caught_by: tuple[str, ...]
    fooled: tuple[str, ...] = ()
    honest: str = HONEST
    reference: str = REFERENCE
    given: dict[str, Any] = field(default_factory=dict)


HOLES = {
    "negation flip": Hole(
        HONEST.replace("There is a moderate right pleural", "There is no right pleural").replace(
            "Right pleural effusion.", "No pleural effusion."
        ),
        caught_by=("findings_f1", "agreement"),
        # Counted alike, the effusion denied weighs no more than the honest report's wrong size.
        fooled=("findings_errors", "length", "repetition", "section_format", "prior_claims"),
    ),
    "negation flip of a negative": Hole(
        HONEST.replace("No pneumothorax is seen", "A pneumothorax is seen"),
        caught_by=("findings_f1", "findings_errors"),
        fooled=("agreement", "length", "section_format"),
    ),
    "empty report": Hole("", caught_by=("findings_f1", "findings_errors", "bleu2", "length", "repetition")),
    "empty report of a normal film": Hole(
        "", ("findings_f1", "findings_errors", "bleu2", "length"), honest=HONEST_NORMAL, reference=NORMAL
    ),
    "empty sections": Hole(
        "Findings: Impression:",
        caught_by=("findings_f1", "findings_errors", "section_format", "length"),
        honest=HONEST_NORMAL,
        reference=NORMAL,
    ),
    "nothing that can be read": Hole(
        "Findings: Images obtained. Impression: As above.",
        caught_by=("bleu2", "length"),
        fooled=("findings_f1", "findings_errors", "section_format"),
        honest=HONEST_NORMAL,
        reference=NORMAL,
    ),
    "repeated sentences": Hole(
        HONEST.replace(" Impression:", f" {LOOP}Impression:"),
        caught_by=("repetition", "bleu2", "length"),
        fooled=("findings_f1", "findings_errors", "agreement", "section_format"),
    ),
    "repeated words": Hole(
        HONEST.replace("consolidation.", "consolidation " + "moderate right pleural effusion " * 4),
        caught_by=("repetition", "length", "bleu2"),
        fooled=("findings_f1", "agreement"),
    ),
    "normal template": Hole(NORMAL, caught_by=("findings_f1", "findings_errors", "agreement"), fooled=("repetition",)),
    "over-calling": Hole(
        "Findings: The heart is enlarged. There is a small right pleural effusion. There is a left pneumothorax. There "
        "is edema. There is atelectasis. There is consolidation in the left lower zone. Impression: Cardiomegaly.",
        caught_by=("findings_f1", "findings_errors"),
        fooled=("agreement",),
    ),
    "hedging everything": Hole(
        "Findings: Possible cardiomegaly. Possible right pleural effusion. Possible pneumothorax. Possible edema. "
        "Possible atelectasis. Possible left lower zone consolidation. Impression: Possible cardiomegaly.",
        caught_by=("findings_f1", "findings_errors", "bleu2"),
    ),
    "side swap": Hole(
        HONEST.replace("right", "LEFT")
        .replace("Right", "Left")
        .replace("left lower", "right lower")
        .replace("Left lower", "Right lower")
        .replace("LEFT", "left"),
        caught_by=("agreement", "findings_errors"),
        fooled=("findings_f1", "length", "repetition", "section_format", "prior_claims"),
    ),
    "both sides named": Hole(
        HONEST.replace("right pleural effusion", "bilateral pleural effusion").replace(
            "Right pleural", "Bilateral pleural"
        ),
        caught_by=("agreement", "findings_errors"),
        fooled=("findings_f1",),
    ),
    "severity": Hole(
        HONEST.replace("moderate", "severe"), caught_by=("agreement",), fooled=("findings_f1", "bleu2", "length")
    ),
    "length collapse": Hole(
        "Findings: Cardiomegaly. Impression: Cardiomegaly.",
        caught_by=("length", "findings_f1", "findings_errors", "bleu2"),
        fooled=("prior_claims", "section_format"),
    ),
    "length inflation": Hole(
        HONEST.replace(
            "Impression:",
            "The trachea lies in the midline. The hila are of ordinary contour and density. The ribs and clavicles "
            "are intact as far as they are shown. The soft tissues of the chest wall are unremarkable on this film. "
            "The upper abdomen shows an ordinary pattern of bowel gas beneath the diaphragm. Impression:",
        ),
        caught_by=("length", "bleu2"),
        fooled=("findings_f1", "repetition", "section_format"),
    ),
    "copied prior": Hole(
        NORMAL,
        caught_by=("prior_claims", "findings_f1", "findings_errors"),
        fooled=("repetition", "section_format"),
        given={"has_prior": True, "prior_report": NORMAL},
    ),
    "comparison without a prior": Hole(
        HONEST.replace("effusion.", "effusion, unchanged from prior."),
        caught_by=("prior_claims", "findings_errors"),
        fooled=("findings_f1", "agreement"),
    ),
    "text under another heading": Hole(
        HONEST + " Recommendation: " + "There is a large left pneumothorax, new since the prior study. " * 60,
        caught_by=("findings_f1", "findings_errors", "length", "repetition", "prior_claims", "section_format", "bleu2"),
        fooled=("agreement",),
    ),
    "finding under another heading": Hole(
        HONEST + " Comparison: There is a left pneumothorax.",
        caught_by=("findings_f1", "findings_errors", "section_format"),
        fooled=("agreement", "length", "prior_claims"),
    ),
    "nothing but another heading": Hole(
        "Recommendation: " + HONEST_NORMAL.replace("Findings: ", "").replace("Impression: ", ""),
        caught_by=("findings_f1", "findings_errors", "length", "repetition", "prior_claims", "section_format"),
        honest=HONEST_NORMAL,
        reference=NORMAL,
    ),
    "both sections where findings were asked": Hole(
        HONEST,
        caught_by=("section_format", "bleu2"),
        fooled=("findings_f1", "findings_errors"),
        honest=HONEST.split(" Impression:", maxsplit=1)[0],
        reference=REFERENCE.split(" Impression:", maxsplit=1)[0],
        given={"asked": "findings"},
    ),
    "a section left out": Hole(
        HONEST.split(" Impression:", maxsplit=1)[0],
        caught_by=("section_format", "length"),
        fooled=("findings_f1", "findings_errors"),
    ),
}


def pair(hole: Hole) -> list[Sample]:
    return [Sample(text, hole.reference, **{"has_prior": False, **hole.given}) for text in (hole.honest, hole.hacked)]


@pytest.mark.parametrize("normalise", ["none", "group"])
@pytest.mark.parametrize("hole", HOLES.values(), ids=HOLES)
def test_the_composite_prefers_the_honest_report(hole: Hole, normalise: str):
    honest, hacked = build("offline_composite", {"group_size": 2, "normalise": normalise})(pair(hole)).values
    assert honest > hacked


@pytest.mark.parametrize("hole", HOLES.values(), ids=HOLES)
def test_the_terms_that_catch_it_do_and_the_fooled_are_fooled(hole: Hole):
    parts = build("offline_composite", {"group_size": 2})(pair(hole)).components
    assert [name for name in hole.caught_by if not parts[name][0] > parts[name][1]] == []
    # A term that cannot judge (NaN) is no catch either.
    assert [name for name in hole.fooled if parts[name][0] > parts[name][1]] == []


@pytest.mark.parametrize("normalise", ["none", "group"])
@pytest.mark.parametrize("hole", HOLES.values(), ids=HOLES)
def test_among_sixteen_rollouts_the_hack_is_never_the_best(hole: Hole, normalise: str):
    honest, hacked = pair(hole)
    values = build("offline_composite", {"group_size": 16, "normalise": normalise})([honest] * 12 + [hacked] * 4).values
    assert values[:12].min() > values[12:].max()


class Judge:
    """A judge that fails as told: raises for the whole batch, or has no answer for the hacked report."""

    name = "judge"

    def __init__(self, answers: tuple[float, float] | None):
        self.answers = answers

    def __call__(self, batch):  # noqa: ARG002
        if self.answers is None:
            raise ConnectionError("judge is down")
        return Scores(np.array(self.answers))


@pytest.mark.parametrize("normalise", ["none", "group"])
@pytest.mark.parametrize("answers", [None, (np.nan, np.nan), (0.4, np.nan), (np.nan, 0.4)], ids=str)
def test_an_outage_of_the_judge_turns_nothing_round(answers, normalise: str):
    terms = [Term(build("findings_f1"), 1, normalise), Term(Judge(answers), 0.5, normalise)]
    honest, hacked = Composite(terms, 2)(pair(HOLES["normal template"])).values
    assert honest > hacked


def test_breaking_the_judge_does_not_pay():
    """Two equal reports; one is written so that the judge, which thinks little of both, cannot answer."""
    same = pair(Hole(HONEST, ()))
    terms = [Term(build("findings_f1"), 1), Term(Judge((0.1, np.nan)), 0.5)]
    heard, unheard = Composite(terms, 2)(same).values
    assert unheard == pytest.approx(heard)


def test_one_mode_for_every_film_earns_no_advantage():
    """Homogenised rollouts: all equal, so no sample is above its group."""
    same = [Sample(NORMAL, REFERENCE, has_prior=False)] * 8
    assert np.abs(build("offline_composite", {"group_size": 8})(same).values).max() == 0


def test_the_held_out_evaluators_train_nothing():
    named = build("offline_composite", {"group_size": 2})
    assert isinstance(named, Composite)
    assert not {term.reward.name for term in named.terms} & HELD_OUT
    ratescore = Judge((0.5, 0.5))
    ratescore.name = "ratescore"
    with pytest.raises(ValueError, match="held out"):
        Composite([Term(build("bleu2"), 1), Term(ratescore, 0.1)], 2)
    Composite([Term(build("bleu2"), 1), Term(ratescore, 0)], 2)
