"""Sites differ in machines, patients and words; without a site, phantoms are what they always were."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from training.phantom.film import model_film
from training.phantom.findings import RATES, Findings, Hemithorax
from training.phantom.reports import HELD_OUT_SITE, SITES, TRAINED_SITES
from training.phantom.sites import HOSPITALS, site_at
from training.phantom.studies import cached_films, labels, studies, study

NAMED = sorted(set(HOSPITALS) - {""})
# Sums of grey levels of films drawn before there were sites: seed 3, singles 0-2, current films of pairs 0-2.
FORMER = [1333386, 1644633, 1496256, 1556268, 1499588, 1220782]


def test_without_a_site_nothing_has_changed():
    films = [model_film(study(3, i, with_prior=pair).current) for pair in (False, True) for i in range(3)]
    assert [int(film.sum()) for film in films] == pytest.approx(FORMER, abs=30)


def test_every_site_has_machines_patients_and_words():
    assert set(NAMED) == set(SITES)
    assert len(NAMED) >= 4
    assert HELD_OUT_SITE not in TRAINED_SITES


def test_the_same_patient_looks_different_at_each_site():
    scene = replace(study(3, 1, with_prior=False).current, findings=Findings())
    films = [model_film(replace(scene, site=name)).astype(int) for name in NAMED]
    for i, one in enumerate(films):
        assert all(np.abs(one - other).mean() > 4 for other in films[i + 1 :])


def test_the_unseen_site_images_outside_of_the_trained_ranges():
    unseen, seen = HOSPITALS[HELD_OUT_SITE].imaging, [HOSPITALS[name].imaging for name in TRAINED_SITES]
    for kind in (0, 1):
        assert unseen.gain[kind][1] < min(one.gain[kind][0] for one in seen)
        assert unseen.noise[kind][1] > max(one.noise[kind][1] for one in seen)
    assert unseen.gamma[1] > max(one.gamma[1] for one in seen)
    assert unseen.blur[0] >= max(one.blur[1] for one in seen)


SHOWN = [
    Findings(cardiomegaly=True), Findings(edema="mild"), Findings(tube=True),
    *(Findings(left=Hemithorax(**value)) for value in (
        {"effusion": "small"}, {"pneumothorax": "small"}, {"consolidation": "upper"}, {"consolidation": "mid"},
        {"consolidation": "lower"}, {"atelectasis": True}, {"line": True}, {"pacemaker": True},
    )),
]  # fmt: skip


@pytest.mark.parametrize("site", NAMED)
def test_every_finding_can_be_seen_at_every_site(site: str):
    """At least 25 px change by more than the site's strongest noise."""
    for shown in SHOWN:
        scene = replace(study(11, 1, with_prior=False).current, exposure="portable", site=site)
        clear, with_it = (model_film(replace(scene, findings=one)).astype(int) for one in (Findings(), shown))
        assert (np.abs(with_it - clear) > HOSPITALS[site].imaging.noise[1][1]).sum() >= 25, shown


def test_case_mix_is_the_sites_own():
    made = {name: studies(21, 400, with_prior=False, sites=(name,)) for name in NAMED}
    tubes = {name: np.mean([one.current.findings.tube for one in found]) for name, found in made.items()}
    portable = {name: np.mean([one.current.exposure == "portable" for one in found]) for name, found in made.items()}
    assert tubes["north"] > 2 * tubes["lake"]
    assert portable["north"] > portable["lake"] + 0.25
    assert min(one.patient.age for one in made["harbour"]) >= 55
    for name, hospital in HOSPITALS.items():
        assert all(RATES[finding] * times < 0.5 for finding, times in hospital.mix.times.items()), name


def test_sites_take_turns_and_are_cached_apart(tmp_path):
    sites = ("north", "lake", "city")
    assert [site_at(sites, i) for i in range(4)] == ["north", "lake", "city", "north"]
    assert site_at((), 5) == ""
    films = cached_films(tmp_path, 4, 3, with_prior=False, processes=1, sites=sites)
    plain = cached_films(tmp_path, 4, 3, with_prior=False, processes=1)
    made = studies(4, 3, with_prior=False, sites=sites)
    assert [one.site for one in made] == list(sites)
    assert np.array_equal(films[1, 0], model_film(made[1].current))
    assert not np.array_equal(films, plain)
    assert labels(made).shape[0] == 3
