"""Inverted greys: rarely suspected in vain, usually noticed."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.polarity import looks_inverted


def png(grey: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(grey).save(file, "PNG")
    return file.getvalue()


def square(path: Path) -> np.ndarray:
    """As model.imaging frames a film: aspect kept, black beside it."""
    image = Image.open(path).convert("L")
    image.thumbnail((128, 128))
    framed = Image.new("L", (128, 128))
    framed.paste(image, ((128 - image.width) // 2, (128 - image.height) // 2))
    return np.asarray(framed)


def test_a_schematic_chest_is_told_from_its_negative() -> None:
    grey = np.full((512, 512), 60, np.uint8)
    grey[:, 220:300] = 200
    assert not looks_inverted(png(grey))
    assert looks_inverted(png(255 - grey))
    assert not looks_inverted(png(np.zeros((512, 512), np.uint8)))


@pytest.mark.peer("test-data")
def test_real_radiographs_and_their_negatives(test_data: Path) -> None:
    folders = (test_data / "nih_cxr14", test_data / "hannover")
    paths = sorted(path for folder in folders for path in folder.rglob("*") if path.suffix in {".jpg", ".png"})[::4]
    films = [square(path) for path in paths]
    assert len(films) > 200
    assert sum(looks_inverted(png(film)) for film in films) <= 0.02 * len(films)
    assert sum(looks_inverted(png(255 - film)) for film in films) >= 0.7 * len(films)
