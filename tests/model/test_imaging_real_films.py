"""Real radiographs, real transfer syntaxes and really broken files."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut

from model.decoding import first_frame
from model.dicom_file import DEFLATED
from model.errors import ImagingError, NotAnImage
from model.imaging import to_display_frame, to_model_image, to_model_png
from model.pixel_format import pixel_format

CHEST = (
    "RG1_J2KI_philips_cr_pa_chest",
    "RG1_JLSN_philips_cr_pa_chest",
    "highdicom_dx_image_fuji_thorax",
    "nih_dx_00000001_000_google",
    "nih_dx_covid0000_nhsx",
    "rsna_cr_pa_jpegbaseline",
)
# Decoders of lossy JPEG may differ by rounding; all others must agree with pydicom's to the last bit.
ROUNDED = ("1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51")


@pytest.fixture
def chest(test_data: Path) -> Callable[[str], Path]:
    return lambda name: test_data / "dicom" / "chest" / f"{name}.dcm"


@pytest.fixture
def syntaxes(test_data: Path) -> Path:
    return test_data / "dicom" / "transfer_syntaxes"


def read(path: Path) -> Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pydicom.dcmread(path)


@pytest.mark.parametrize("name", CHEST)
def test_real_chest_radiographs_have_bright_bone_and_dark_air(chest, name):
    picture = np.asarray(to_model_image(chest(name), 128), float)
    assert picture.max() - picture.min() > 150
    frame = to_display_frame(chest(name))
    assert frame.pixels.shape == (read(chest(name)).Rows, read(chest(name)).Columns)
    if "thorax" not in name:  # the dog lies on its side
        spine, right, left = picture[30:100, 58:70], picture[40:80, 25:45], picture[40:80, 83:103]
        assert spine.mean() > max(np.percentile(right, 25), np.percentile(left, 25))


def test_the_two_codings_of_one_philips_film_give_nearly_one_picture(chest):
    first, second = (np.asarray(to_model_image(chest(name), 512), int) for name in CHEST[:2])
    assert np.abs(first - second).mean() < 0.5


def test_a_header_without_pixels_says_so(chest):
    with pytest.raises(NotAnImage, match="no pixel data"):
        to_model_image(chest("agfa_cr_chest_japanese_charset_32px"), 128)


def test_one_film_in_four_lossless_syntaxes_is_one_picture(syntaxes):
    paths = [syntaxes / f"RG3_{coding}.dcm" for coding in ("RLE", "J2KR", "JLSL", "JPLL")]
    pixels = [first_frame(read(path), pixel_format(read(path))) for path in paths]
    assert all((other == pixels[0]).all() for other in pixels[1:])
    assert len({to_model_png(path, 512).sha256 for path in paths}) == 1
    assert len({to_display_frame(path).pixels.tobytes() for path in paths}) == 1


def test_a_mirrored_film_is_turned_until_its_marker_can_be_read(syntaxes):
    mirrored = syntaxes / "RG3_RLE.dcm"
    assert list(read(mirrored).PatientOrientation) == ["R", "F"]
    frame = to_display_frame(mirrored)
    assert frame.orientation == ("L", "F")
    stored = first_frame(read(mirrored), pixel_format(read(mirrored)))
    assert (frame.pixels == frame.largest - stored[:, ::-1]).all()


def test_every_transfer_syntax_gives_a_picture_and_a_frame(syntaxes):
    shown = refused = 0
    for path in sorted(syntaxes.glob("*.dcm")):
        if str(pydicom.filereader.read_file_meta_info(path).TransferSyntaxUID) in DEFLATED:
            with pytest.raises(NotAnImage, match="Deflated"):
                to_model_image(path, 128)
            refused += 1
            continue
        assert to_model_image(path, 128).size == (128, 128), path.name
        assert to_display_frame(path).pixels.ndim == 2, path.name
        shown += 1
    assert shown >= 36
    assert refused == 2


def test_samples_equal_pydicoms_wherever_pydicom_can_decode(syntaxes, chest):
    compared = 0
    for path in [*sorted(syntaxes.glob("*.dcm")), *map(chest, CHEST)]:
        reference = pydicoms_frame(path)
        if reference is None:
            continue
        found = samples(path)
        tolerance = 1 if str(read(path).file_meta.TransferSyntaxUID) in ROUNDED else 0
        assert np.abs(found.astype(int) - reference).max() <= tolerance, path.name
        compared += 1
    assert compared >= 30


def samples(path: Path) -> np.ndarray:
    dataset = read(path)
    form = pixel_format(dataset)
    return first_frame(dataset, form).astype(int) + form.offset


def pydicoms_frame(path: Path) -> np.ndarray | None:
    """Stored values of a monochrome first frame; None where pydicom has no decoder, or the film is coloured."""
    dataset = read(path)
    if str(dataset.file_meta.TransferSyntaxUID) in DEFLATED or not dataset.PhotometricInterpretation.startswith("MONO"):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return dataset.pixel_array.astype(int)
    except (RuntimeError, NotImplementedError):
        return None


@pytest.mark.parametrize("name", ["vlut_04", "mlut_18", "CR-ModalitySequenceLUT"])
def test_real_lookup_tables_equal_pydicoms(syntaxes, name):
    dataset = read(syntaxes / f"{name}.dcm")
    expected = apply_voi_lut(apply_modality_lut(dataset.pixel_array, dataset), dataset).astype(float)
    frame = to_display_frame(syntaxes / f"{name}.dcm")
    found = frame.pixels.astype(float)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        found = frame.largest - found
    assert np.abs(found - expected).max() <= 1  # all three tables have 16-bit entries


def test_luminance_of_real_colour_images_equals_pillows(syntaxes):
    for name in ("SC_rgb_jpeg_gdcm", "HTJ2KLossless_08_RGB", "SC_rgb_small_odd_big_endian"):
        dataset = read(syntaxes / f"{name}.dcm")
        expected = np.asarray(Image.fromarray(dataset.pixel_array).convert("L"), int)
        assert np.abs(samples(syntaxes / f"{name}.dcm") - expected).max() <= 1, name


def test_each_malformed_object_gives_a_picture_or_a_reason(test_data):
    outcomes = {path: outcome(path) for path in sorted((test_data / "malformed").rglob("*.dcm"))}
    assert len(outcomes) >= 60
    assert sum(reason is None for reason in outcomes.values()) >= 25
    for path, reason in outcomes.items():
        assert reason is None or len(reason) > 20, path.name


def outcome(path: Path) -> str | None:
    try:
        assert to_model_image(path, 128).size == (128, 128)
        assert to_display_frame(path).pixels.size
    except ImagingError as reason:
        return str(reason)
    return None
