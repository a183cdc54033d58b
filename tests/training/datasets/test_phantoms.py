"""Phantoms as a collection: sites, follow-ups, films as files or by reference."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.training.datasets.layouts import Prepared
from training.datasets.phantoms import film_of
from training.datasets.problems import BadSource
from training.phantom.reports import HELD_OUT_SITE, SITES


def test_every_site_has_patients_and_the_held_out_one_is_test(tmp_path: Path):
    made = Prepared("phantoms", tmp_path, tmp_path / "out", patients=10, pairs=0.5, films="reference")
    assert set(made.card["sites"]) == {f"phantoms-{site}" for site in SITES}
    for site, counted in made.card["sites"].items():
        assert counted["studies"] == 15
        assert counted["priors"] == {"none": 10, "film and report": 5}
        assert (counted["splits"]["test"] == 15) == site.endswith(HELD_OUT_SITE)
    assert not made.problems


def test_a_follow_up_compares_and_its_prior_does_not(tmp_path: Path):
    made = Prepared("phantoms", tmp_path, tmp_path / "out", patients=4, pairs=1, films="reference", sites="city").rows
    current, prior = made["city-1-000002-current"], made["city-1-000002-prior"]
    assert current["prior_study_id"] == prior["study_id"]
    assert current["prior_image"] == prior["image"]
    assert current["prior_date"] == prior["order_key"] < current["order_key"]
    assert current["prior_report"] == f"Findings: {prior['findings']} Impression: {prior['impression']}"
    assert current["sex"] == prior["sex"]
    assert current["labels"]["Cardiomegaly"] in {0, 1}
    assert current["labels"]["Fracture"] is None


def test_a_reference_draws_the_film_that_a_file_holds(tmp_path: Path):
    options = {"patients": 1, "pairs": 1, "sites": "lake", "edge": 96}
    files = Prepared("phantoms", tmp_path / "films", tmp_path / "a", films="png", **options)
    drawn = Prepared("phantoms", tmp_path / "films", tmp_path / "b", films="reference", **options)
    for name, row in files.rows.items():
        assert row["image"].endswith("-96.png")
        film = film_of(drawn.rows[name]["image"])
        assert film.shape == (96, 96)
        assert np.array_equal(cv2.imread(row["image"], cv2.IMREAD_GRAYSCALE), film)


@pytest.mark.parametrize("reference", ["film.png", "phantom:lake:1:2:pair:prior", "phantom:moon:1:2:pair:prior:96"])
def test_what_is_no_reference_is_refused(reference: str):
    with pytest.raises(ValueError, match="is no phantom"):
        film_of(reference)


def test_unknown_sites_and_options_are_refused(tmp_path: Path):
    with pytest.raises(BadSource, match="no phantom site moon"):
        Prepared("phantoms", tmp_path, tmp_path / "out", sites="moon,city")
    with pytest.raises(BadSource, match="has no option colour"):
        Prepared("phantoms", tmp_path, tmp_path / "out", colour="blue")
    with pytest.raises(BadSource, match="films must be one of png, reference"):
        Prepared("phantoms", tmp_path, tmp_path / "out", films="dicom")
