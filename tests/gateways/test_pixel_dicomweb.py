"""What DICOMweb tells of a stored object: metadata and frames, read in the decoding process."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, RLELossless

from app.errors import PixelsUnreadable
from tests.model.films import film, saved, transcoded

RAMP = np.arange(4096, dtype="<u2").reshape(64, 64)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    return saved(film(RAMP), tmp_path / "film.dcm")


def test_metadata_is_the_header_as_json_without_the_pixels(reader, tmp_path):
    made = film(RAMP, SpecificCharacterSet="ISO_IR 100", PatientName="Müller^Eva", WindowCenter=2000, WindowWidth=3000)
    made.EncapsulatedDocument = bytes(2 << 20)
    told = Dataset.from_json(reader.metadata(saved(made, tmp_path / "film.dcm")).decode())
    assert (told.Rows, told.PatientName, told.SpecificCharacterSet) == (64, "Müller^Eva", "ISO_IR 192")
    assert "PixelData" not in told
    assert "EncapsulatedDocument" not in told
    assert all(element.tag.group != 2 for element in told)


def test_a_stored_frame_is_the_one_in_the_file(reader, tmp_path, written):
    assert reader.stored_frame(written, 1).content == RAMP.tobytes()
    packed = transcoded(film(RAMP), RLELossless)
    found = reader.stored_frame(saved(packed, tmp_path / "rle.dcm"), 1)
    assert (found.content, found.transfer_syntax_uid) == (get_frame(packed.PixelData, 0), RLELossless)
    two = film(np.concatenate([RAMP, RAMP + 1]), Rows=64, NumberOfFrames=2)
    assert reader.stored_frame(saved(two, tmp_path / "two.dcm"), 2).content == (RAMP + 1).tobytes()


def test_a_big_endian_frame_comes_little_endian(reader, tmp_path):
    made = film(RAMP)
    made.PixelData = RAMP.astype(">u2").tobytes()
    made.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    path = tmp_path / "big.dcm"
    pydicom.dcmwrite(path, made, implicit_vr=False, little_endian=False, enforce_file_format=True)
    found = reader.stored_frame(path, 1)
    assert (found.content, found.transfer_syntax_uid) == (RAMP.tobytes(), ExplicitVRLittleEndian)


@pytest.mark.parametrize("number", [0, 2, -1])
def test_a_frame_that_is_not_there_is_refused(reader, written, number):
    with pytest.raises(PixelsUnreadable, match="no frame"):
        reader.stored_frame(written, number)
