"""From the model's square to the frame that a reader sees, on phantoms of every shape."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest
from pydicom.dataset import Dataset

from app.domain.imaging import ModelImage
from app.domain.report import Region
from app.drafting.places import on_display
from model.imaging import to_display_frame, to_model_image, to_model_png
from training.phantom.dicom import StudyIdentity, dx_dataset
from training.phantom.film import Scene
from training.phantom.places import without
from training.phantom.studies import study

SIZE, EDGE = 128, 640
WHO = StudyIdentity("P-1", "Phantom^Paula", date(1960, 1, 1), "F", datetime(2026, 1, 1, tzinfo=UTC), "A-1")


def with_effusion(aspect: float) -> Scene:
    """A chest with a right effusion and nothing else on that side; aspect: columns by rows."""
    made = (study(5, index, with_prior=False).current for index in range(200))
    scene = next(one for one in made if one.findings.right.effusion and not one.findings.right.consolidation)
    return replace(scene, aspect=aspect)


def turned(dataset: Dataset) -> Dataset:
    """The same film read out on its side."""
    stored(dataset, pixels(dataset).T)
    dataset.PatientOrientation = ["F", "L"]
    return dataset


def mirrored(dataset: Dataset) -> Dataset:
    stored(dataset, pixels(dataset)[:, ::-1])
    dataset.PatientOrientation = ["R", "F"]
    return dataset


def coarse_rows(dataset: Dataset) -> Dataset:
    """Every second row alone, which lie twice as far apart."""
    stored(dataset, pixels(dataset)[::2])
    apart = float(dataset.ImagerPixelSpacing[0])
    dataset.ImagerPixelSpacing = [f"{2 * apart:.5f}", f"{apart:.5f}"]
    return dataset


def pixels(dataset: Dataset) -> np.ndarray:
    return np.frombuffer(dataset.PixelData, "<u2").reshape(dataset.Rows, dataset.Columns)


def stored(dataset: Dataset, values: np.ndarray) -> None:
    dataset.Rows, dataset.Columns = values.shape
    dataset.PixelData = np.ascontiguousarray(values).tobytes()


def edges(mask: np.ndarray) -> np.ndarray:
    """Left, top, right, bottom of what is set, in shares."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    height, width = mask.shape
    return np.array([columns[0] / width, rows[0] / height, (columns[-1] + 1) / width, (rows[-1] + 1) / height])


@pytest.mark.parametrize("read_out", [lambda made: made, turned, mirrored, coarse_rows])
@pytest.mark.parametrize("aspect", [0.8, 1.0, 1.25])
def test_a_box_round_the_finding_in_the_models_picture_lies_round_it_on_the_display(aspect, read_out):
    scene = with_effusion(aspect)
    healthy = replace(scene, findings=without(scene.findings, "effusion", "right"))
    ill, well = (read_out(dx_dataset(one, WHO, edge=EDGE)) for one in (scene, healthy))
    seen, bare = (np.asarray(to_model_image(one, SIZE), np.int16) for one in (ill, well))
    box = Region(*edges(np.abs(seen - bare) > 12).tolist(), nats=1.0)
    picture, frame = to_model_png(ill, SIZE), to_display_frame(ill)
    image = ModelImage(picture.png, picture.sha256, picture.width, picture.height, picture.film)
    shown = np.abs(frame.pixels.astype(np.int32) - to_display_frame(well).pixels) / frame.largest
    found = on_display(box, image)
    assert found is not None
    assert (frame.pixels.shape[1] > frame.pixels.shape[0]) == (aspect > 1 or read_out is coarse_rows)
    truth = edges(shown > 12 * 13 / 4095)
    placed = np.array([found.left, found.top, found.right, found.bottom])
    assert np.abs(placed - truth).max() < 4 / SIZE
    if aspect != 1:  # the padding is truly taken off: without that the box would lie elsewhere
        assert np.abs(np.array([box.left, box.top, box.right, box.bottom]) - truth).max() > 4 / SIZE


def test_what_lies_in_the_padding_is_cut_off_and_nothing_is_left_of_a_box_there():
    image = ModelImage(b"", "", 128, 128, (16, 0, 112, 128))
    assert on_display(Region(0, 0, 0.125, 1, 2.0), image) is None
    assert on_display(Region(0, 0.5, 0.5, 1, 2.0), image) == Region(0, 0.5, 0.5, 1, 2.0)
    assert on_display(Region(0.5, 0, 1, 0.25, 2.0), image) == Region(0.5, 0, 1, 0.25, 2.0)
