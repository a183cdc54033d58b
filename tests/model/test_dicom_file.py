"""Hostile headers: refused before they cost memory or time."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian

from model.dicom_file import MAX_ELEMENTS, read_elements
from model.errors import NotAnImage, UndecodablePixels
from tests.model.films import film, saved

RAMP = np.arange(4096, dtype="<u2").reshape(64, 64)
META = film(RAMP)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    return saved(film(RAMP, PatientName="Doe^Jane"), tmp_path / "film.dcm")


def headed(path: Path, body: bytes) -> Path:
    """A file with a good Part 10 head (Explicit VR Little Endian) before `body`."""
    whole = saved(META, path).read_bytes()
    path.write_bytes(whole[: whole.index(b"\x08\x00\x16\x00UI")] + body)
    return path


def element(group: int, number: int, vr: bytes, value: bytes) -> bytes:
    return struct.pack("<HH2sH", group, number, vr, len(value)) + value


def test_only_what_is_asked_for_is_kept(written):
    found, has_pixels = read_elements(written, ["Rows", "Columns"], with_pixels=False)
    assert (found.Rows, found.Columns, has_pixels) == (64, 64, True)
    assert "PatientName" not in found
    assert "PixelData" not in found
    assert read_elements(written, [], with_pixels=True)[0].PixelData == RAMP.tobytes()


def test_deflated_is_refused_before_a_byte_is_inflated(written):
    whole = written.read_bytes()
    uid = DeflatedExplicitVRLittleEndian.encode()
    deflated = film(RAMP)
    deflated.file_meta.TransferSyntaxUID = uid.decode()
    deflated.save_as(written, enforce_file_format=True)
    written.write_bytes(written.read_bytes()[: whole.index(b"\x08\x00\x16\x00UI")] + b"no deflate stream at all")
    with pytest.raises(NotAnImage, match="Deflated"):
        read_elements(written, ["Rows"], with_pixels=False)


def test_a_million_elements_are_not_read(tmp_path):
    body = b"".join(
        element(0x0009 + 2 * (n >> 12), 0x1000 + (n & 0xFFF), b"LO", b"x ") for n in range(MAX_ELEMENTS + 1)
    )
    with pytest.raises(NotAnImage, match=f"more than {MAX_ELEMENTS}"):
        read_elements(headed(tmp_path / "many.dcm", body), ["Rows"], with_pixels=False)


@pytest.mark.parametrize("depth", [300, 50_000])
def test_deep_nesting_is_refused(tmp_path, depth):
    opening = struct.pack("<HH2sHI", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF) + struct.pack(
        "<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF
    )
    with pytest.raises(NotAnImage, match="nested too deeply"):
        read_elements(headed(tmp_path / "deep.dcm", opening * depth), ["Rows"], with_pixels=False)


def test_a_length_beyond_the_file_is_refused_without_allocating_it(tmp_path):
    claim = struct.pack("<HH2sHI", 0x0009, 0x1001, b"OB", 0, 0xFFFFFFF0) + b"little"
    with pytest.raises(NotAnImage, match="more bytes than the file has"):
        read_elements(headed(tmp_path / "claim.dcm", claim), ["Rows"], with_pixels=False)


def test_pixels_that_are_cut_off(written):
    written.write_bytes(written.read_bytes()[:-100])
    assert read_elements(written, ["Rows"], with_pixels=False)[1]
    with pytest.raises(UndecodablePixels, match="cut off"):
        read_elements(written, ["Rows"], with_pixels=True)


@pytest.mark.parametrize("content", [b"", b"short", b"\0" * 200, b"\x89PNG\r\n" * 60])
def test_what_is_no_dicom_file(tmp_path, content):
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(NotAnImage):
        read_elements(path, ["Rows"], with_pixels=False)


def test_a_missing_file_is_not_the_files_fault(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_elements(tmp_path / "none.dcm", ["Rows"], with_pixels=False)
