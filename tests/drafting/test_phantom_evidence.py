"""The shipped checkpoint points at phantoms' findings, from the DICOM file to a box on the displayed frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pytest

from app.drafting.evidence import PointAtEvidence
from app.drafting.handlers import WriteDraft
from app.gateways.pixel_child import ChildPixelReader
from app.gateways.transformers_local import TransformersModel
from app.ports import DraftModel
from model.evidence import CELLS
from model.findings import present
from model.imaging import to_display_frame
from model.manifest import load_checkpoint
from tests.drafting.desk import Desk
from tests.fakes.object_store import KeysAlone
from training.phantom.dicom import StudyIdentity, dx_dataset
from training.phantom.film import Scene
from training.phantom.places import without
from training.phantom.reports import report_sections
from training.phantom.studies import study

WHO = StudyIdentity("P-1", "Phantom^Paula", date(1960, 1, 1), "F", datetime(2026, 1, 1, tzinfo=UTC), "A-1")
EDGE = 512
Box = tuple[float, float, float, float]


@pytest.fixture(scope="module")
def reader() -> Iterator[ChildPixelReader]:
    made = ChildPixelReader()
    yield made
    made.close()


@pytest.fixture(scope="module")
def model() -> DraftModel:
    return TransformersModel(load_checkpoint("unirg-cxr-nano"), deadline_seconds=300)


def scenes(aspect: float) -> Iterator[Scene]:
    """Films of this shape with something on them, which the checkpoint was not trained on."""
    made = (study(98, index, with_prior=False, site="north").current for index in range(100))
    ill = (one for one in made if present(truth(one)))
    for _ in range(4):
        yield replace(next(ill), aspect=aspect)


def truth(scene: Scene) -> str:
    return " ".join(report_sections("north", scene.findings, None))


def on_display(scene: Scene, condition: str, side: str | None) -> np.ndarray:
    """Where the displayed frame differs by 12 of 255 levels without the finding."""
    other = replace(scene, findings=without(scene.findings, condition, side))
    shown, bare = (to_display_frame(dx_dataset(one, WHO, edge=EDGE)).pixels.astype(np.int32) for one in (scene, other))
    return np.abs(shown - bare) > 12 * 13


def within_a_cell(box: Box, mask: np.ndarray, image_edge: int) -> bool:
    """Whether the box, grown by a cell of the model's picture, holds a pixel of the finding."""
    height, width = mask.shape
    cell = image_edge / CELLS
    left, right = max(0, int(box[0] * width - cell)), int(box[2] * width + cell)
    top, bottom = max(0, int(box[1] * height - cell)), int(box[3] * height + cell)
    return bool(mask[top:bottom, left:right].any())


@pytest.mark.parametrize("aspect", [0.8, 1.25], ids=["portrait", "landscape"])
def test_the_box_of_a_true_sentence_lands_on_its_finding(
    desk: Desk, tmp_path: Path, reader: ChildPixelReader, model: DraftModel, aspect: float
) -> None:
    store, landed = KeysAlone(tmp_path), []
    for number, scene in enumerate(scenes(aspect)):
        name = f"film-{aspect}-{number}.dcm"
        made = dx_dataset(scene, WHO, edge=EDGE)
        made.save_as(tmp_path / name, enforce_file_format=True)
        desk.begin(key=name)
        WriteDraft(desk.database, desk.clock, store, reader, model, evidence=True).write(desk.claim())
        PointAtEvidence(desk.database, desk.clock, store, reader, model).point(desk.claim_evidence())
        draft = next(one for one in desk.drafts if one.study_id == desk.study_id)
        assert draft.evidence
        for index, row in desk.regions.items():
            assert row.sop_instance_uid == made.SOPInstanceUID
            stated = list(present(draft.sentences[index]["text"]))
            assert stated
            if len(stated) == 1 and stated[0] in present(truth(scene)):
                mask = on_display(scene, *stated[0])
                box = (row.left_edge, row.top_edge, row.right_edge, row.bottom_edge)
                landed.append(within_a_cell(box, mask, max(mask.shape)))
    assert len(landed) >= 6
    assert np.mean(landed) >= 0.8
