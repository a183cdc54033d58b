"""Every real chest file, decoded and read by the shipped checkpoint: a draft, or a stated reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.study import Stage
from app.drafting.handlers import WriteDraft
from app.gateways.pixel_child import ChildPixelReader
from app.gateways.transformers_local import TransformersModel
from app.ports import DraftModel
from model.manifest import load_checkpoint
from tests.drafting.desk import Desk
from tests.fakes.object_store import KeysAlone

pytestmark = pytest.mark.peer("test-data")
NAMES = {
    "RG1_J2KI_philips_cr_pa_chest.dcm": Stage.READY,
    "RG1_JLSN_philips_cr_pa_chest.dcm": Stage.READY,
    "rsna_cr_pa_jpegbaseline.dcm": Stage.READY,
    "agfa_cr_chest_japanese_charset_32px.dcm": Stage.NOT_ELIGIBLE,
    "highdicom_dx_image_fuji_thorax.dcm": Stage.NOT_ELIGIBLE,
    "nih_dx_00000001_000_google.dcm": Stage.NOT_ELIGIBLE,
    "nih_dx_covid0000_nhsx.dcm": Stage.NOT_ELIGIBLE,
}


@pytest.fixture(scope="module")
def reader() -> Iterator[ChildPixelReader]:
    made = ChildPixelReader()
    yield made
    made.close()


@pytest.fixture(scope="module")
def model() -> DraftModel:
    return TransformersModel(load_checkpoint("unirg-cxr-nano"), deadline_seconds=120)


@pytest.mark.parametrize(("name", "stage"), NAMES.items())
def test_a_real_file_ends_as_a_draft_or_with_its_reason(
    desk: Desk, test_data: Path, reader: ChildPixelReader, model: DraftModel, name: str, stage: Stage
) -> None:
    desk.begin(key=name)
    store = KeysAlone(test_data / "dicom" / "chest")
    WriteDraft(desk.database, desk.clock, store, reader, model).write(desk.claim())
    assert desk.study.stage is stage, desk.study.reason
    if stage is Stage.NOT_ELIGIBLE:
        assert desk.study.reason.startswith("not eligible: ")
        return
    (draft,) = desk.drafts
    assert draft.sentences
    assert "polarity-doubtful" not in str(draft.sentences)
