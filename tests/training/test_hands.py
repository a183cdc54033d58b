"""Earlier reports in any words: they say what the film shows, and none of it as the unseen site would."""

from __future__ import annotations

import re

import numpy as np
import pytest

from training.examples import PriorReports
from training.phantom.findings import SIDES
from training.phantom.hands import report_in_any_words
from training.phantom.reports import HELD_OUT_SITE, SITES, report_sections
from training.phantom.studies import study

NOUNS = {
    "effusion": "effusion",
    "pneumothorax": "pneumothorax",
    "consolidation": "consolidation",
    "atelectasis": "atelectasis",
    "line": "central line",
    "pacemaker": "pacemaker",
}
MADE = [study(31, index, with_prior=True).prior.findings for index in range(300)]
DENIED = re.compile(r"\b(no|without|free of|not seen|negative|none|absent|normal|not enlarged)\b")


def sentences(chest, number):
    findings, _ = report_in_any_words(chest, np.random.default_rng(number))
    return re.findall(r"[^.]+\.", findings.lower())


def test_every_finding_is_stated_with_its_side_and_size_and_every_other_denied():
    for number, chest in enumerate(MADE):
        told = sentences(chest, number)
        for name, noun in NOUNS.items():
            about = [one for one in told if noun in one]
            positive = [one for one in about if not DENIED.search(one)]
            shown = [(side, getattr(chest.side(side), name)) for side in SIDES if getattr(chest.side(side), name)]
            assert len(positive) == len(shown), (noun, told)
            for side, value in shown:
                assert any(side in one and (value is True or value in one) for one in positive), (noun, side, told)
        edema = [one for one in told if "edema" in one]
        assert len(edema) == 1
        assert (chest.edema or "no") in edema[0] or DENIED.search(edema[0])
        assert bool(DENIED.search(edema[0])) == (not chest.edema)
        assert sum("endotracheal" in one for one in told) == bool(chest.tube)


def test_no_words_of_the_unseen_site_are_among_them():
    unseen = SITES[HELD_OUT_SITE]
    sentences_of = (*unseen.heart, *unseen.edema, *unseen.effusion, *unseen.pneumothorax, *unseen.consolidation)
    devices = (unseen.atelectasis, unseen.tube, unseen.line, unseen.pacemaker)
    theirs = {one.split("{")[0].strip(" .").lower() for one in (*sentences_of, *devices)} - {"", "a"}
    said = " ".join(one for number, chest in enumerate(MADE) for one in sentences(chest, number))
    assert [phrase for phrase in theirs if phrase in said] == []


def test_reports_differ_from_hand_to_hand_and_are_the_same_for_one_draw():
    chest = MADE[0]
    made = [report_in_any_words(chest, np.random.default_rng(number)) for number in range(40)]
    assert len(set(made)) > 35
    assert made[3] == report_in_any_words(chest, np.random.default_rng(3))


@pytest.mark.parametrize("words", ["own", "any"])
def test_training_gives_a_priors_report_in_the_configured_words(words):
    made = [study(12, index, with_prior=True, site="north") for index in range(20)]
    rng = np.random.default_rng(1)
    given = [PriorReports(1.0, words).prior(one, "north", rng).report for one in made]
    own = [" ".join(report_sections("north", one.prior.findings, None)[0].split()[:4]) for one in made]
    same = [mine in report for mine, report in zip(own, given, strict=True)]
    assert all(same) if words == "own" else sum(same) < 12
    assert PriorReports(0.0, words).prior(made[0], "north", rng).report is None


def test_one_study_has_one_prior_report_in_every_look():
    made = study(12, 3, with_prior=True, site="lake")
    looks = {PriorReports(1.0, "any").prior(made, "lake", np.random.default_rng(number)).report for number in range(5)}
    assert len(looks) == 1
