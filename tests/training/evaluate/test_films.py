"""PNG, JPEG and DICOM films take one way to the picture."""

from __future__ import annotations

from datetime import date, datetime

import cv2
import numpy as np
import pytest

from model.errors import NotAnImage
from training.evaluate.films import read_film
from training.phantom.dicom import StudyIdentity, dx_dataset
from training.phantom.film import model_film
from training.phantom.studies import study


def gradient(rows: int, columns: int, top: int, kind) -> np.ndarray:
    return np.tile(np.linspace(0, top, columns), (rows, 1)).astype(kind)


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_eight_bits_are_shown_as_they_are_padded_to_a_square(tmp_path, suffix):
    path = tmp_path / f"film.{suffix}"
    cv2.imwrite(str(path), gradient(64, 128, 200, np.uint8))
    film = np.asarray(read_film(path, 128)).astype(int)
    assert film.shape == (128, 128)
    assert not film[:31].any()
    assert not film[-31:].any()
    assert film[64, 0] <= 4
    assert abs(film[64, -1] - 200) <= 4


def test_a_colour_png_is_read_as_grey(tmp_path):
    cv2.imwrite(str(tmp_path / "film.png"), np.full((10, 10, 3), 90, np.uint8))
    assert np.unique(np.asarray(read_film(tmp_path / "film.png", 32))).tolist() == [90]


def test_sixteen_bits_are_shown_between_their_percentiles(tmp_path):
    path = tmp_path / "film.png"
    cv2.imwrite(str(path), gradient(100, 100, 3000, np.uint16))
    film = np.asarray(read_film(path, 100))
    assert film.min() == 0
    assert film.max() == 255


def test_odd_numbers_of_pixels_are_read(tmp_path):
    cv2.imwrite(str(tmp_path / "film.png"), np.full((3, 5), 50, np.uint8))
    assert np.asarray(read_film(tmp_path / "film.png", 32)).max() == 50


def test_a_dicom_film_looks_like_the_same_film_as_png(tmp_path):
    scene = study(5, 0, with_prior=False).current
    who = StudyIdentity("P", "P^P", date(1960, 1, 1), "F", datetime(2020, 1, 1), "A")  # noqa: DTZ001 - PS3.5 DT
    dx_dataset(scene, who).save_as(tmp_path / "film", enforce_file_format=True)
    dicom = np.asarray(read_film(tmp_path / "film", 128)).astype(int)
    assert np.abs(dicom - model_film(scene)).mean() < 12


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n cut"])
def test_what_is_no_image_is_refused(tmp_path, content):
    (tmp_path / "film.png").write_bytes(content)
    with pytest.raises(NotAnImage, match=r"film\.png"):
        read_film(tmp_path / "film.png", 64)


def test_a_missing_film_is_an_error_of_the_disk(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_film(tmp_path / "film.png", 64)
