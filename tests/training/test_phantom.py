"""Phantom films show what their labels and reports say."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest

from model import findings as read
from model.comparison import compares
from model.prompting import target_text
from model.report_text import sentences
from training.evaluate.scores import true_findings
from training.phantom.film import model_film, render
from training.phantom.findings import LABELS, Findings, Hemithorax, changes, label_vector, visible
from training.phantom.reports import HELD_OUT_SITE, SITES, TRAINED_SITES, report_sections
from training.phantom.studies import cached_films, labels, studies, study

CLEAR = Findings()
SHOWN = [
    Findings(cardiomegaly=True),
    Findings(edema="mild"),
    Findings(edema="severe"),
    Findings(tube=True),
    *(
        half
        for value in (
            {"effusion": "small"},
            {"effusion": "moderate"},
            {"effusion": "large"},
            {"pneumothorax": "small"},
            {"pneumothorax": "large"},
            {"consolidation": "upper"},
            {"consolidation": "mid"},
            {"consolidation": "lower"},
            {"atelectasis": True},
            {"line": True},
            {"pacemaker": True},
        )
        for half in (Findings(right=Hemithorax(**value)), Findings(left=Hemithorax(**value)))
    ),
]


def test_same_seed_same_study_to_the_last_pixel():
    first, again = study(3, 5, with_prior=True), study(3, 5, with_prior=True)
    assert first == again
    assert np.array_equal(model_film(first.current), model_film(again.current))
    assert not np.array_equal(model_film(first.current), model_film(study(3, 6, with_prior=True).current))


@pytest.mark.parametrize("shown", SHOWN, ids=lambda f: " ".join(read_labels(f)))
def test_every_finding_changes_the_film_visibly(shown: Findings):
    """At least 40 px change by more than twice the strongest noise's spread."""
    for index in range(3):
        scene = replace(study(11, index, with_prior=False).current, exposure="portable")
        clear, with_it = (model_film(replace(scene, findings=f)).astype(int) for f in (CLEAR, shown))
        assert (np.abs(with_it - clear) > 14).sum() >= 40, (shown, index)


def read_labels(chest: Findings) -> list[str]:
    return [name for name, flag in zip(LABELS, label_vector(chest), strict=True) if flag]


def test_hidden_combinations_do_not_occur():
    hidden = Findings(cardiomegaly=True, left=Hemithorax(effusion="large", consolidation="lower", atelectasis=True))
    kept = visible(hidden)
    assert kept.left.effusion == "large"
    assert kept.left.consolidation == "upper"
    assert not kept.left.atelectasis
    for made in studies(5, 200, with_prior=True):
        assert visible(made.current.findings) == made.current.findings


@pytest.mark.parametrize("aspect", [0.82, 1.0, 1.2])
def test_film_is_the_same_at_any_resolution(aspect: float):
    scene = replace(study(2, 1, with_prior=False).current, aspect=aspect, exposure="fixed")
    small, large = render(scene, 128), render(scene, 1024)
    shrunk = cv2.resize(large, small.shape[::-1], interpolation=cv2.INTER_AREA)
    assert np.abs(shrunk - small).mean() < 4


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("with_prior", [False, True])
def test_reports_say_exactly_what_the_films_show(site: str, with_prior: bool):
    for made in studies(7, 150, with_prior=with_prior):
        before, now = made.prior.findings if made.prior else None, made.current.findings
        text = target_text(*report_sections(site, now, before))
        compared = changes(before, now) if before else []
        assert read.present(text) == true_findings(now), text
        assert read.changes(text) == {(c.finding, c.side, c.zone, c.word) for c in compared}, text
        assert not read.side_contradictions(text)
        if not with_prior:
            assert not any(compares(span.text) for span in sentences(text)), text


def test_one_site_is_kept_out_of_training():
    assert set(TRAINED_SITES) == set(SITES) - {HELD_OUT_SITE}
    assert len(TRAINED_SITES) >= 3


def test_followups_hold_every_change_and_clear_films_exist():
    pairs = [
        changes(made.prior.findings, made.current.findings) for made in studies(9, 300, with_prior=True) if made.prior
    ]
    assert {change.word for found in pairs for change in found} == {"new", "worse", "improved", "resolved", "stable"}
    rates = labels(studies(9, 600, with_prior=False))
    assert 0.03 < (rates.sum(1) == 0).mean() < 0.3
    assert rates.mean(0).max() < 0.35


def test_cache_holds_the_rendered_films(tmp_path):
    films = cached_films(tmp_path, 4, 3, with_prior=True, processes=1)
    made = study(4, 2, with_prior=True)
    assert films.shape == (3, 2, 128, 128)
    assert made.prior is not None
    assert np.array_equal(films[2, 0], model_film(made.prior))
    assert np.array_equal(films[2, 1], model_film(made.current))


def test_phantoms_and_configuration_need_no_torch():
    code = "import sys, training.phantom.__main__, training.config; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
