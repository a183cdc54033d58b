"""Model image and display frame of synthetic films, against pydicom's own LUT code and against the standard's words."""

from __future__ import annotations

import hashlib
import io
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut
from pydicom.uid import ExplicitVRBigEndian, HTJ2KLossless, JPEG2000Lossless, JPEGBaseline8Bit, RLELossless

from model.decoding import first_frame
from model.imaging import to_display_frame, to_model_image, to_model_png
from model.pixel_format import pixel_format
from tests.model.films import LOSSLESS, encapsulated, film, lut, sequence, transcoded

RAMP = np.arange(4096, dtype="<u2").reshape(64, 64)  # every 12-bit value once
SIGNED_RAMP = (np.arange(4096) - 2048).astype("<i2").reshape(64, 64)
CURVE = np.rint(4095 * (np.arange(3000) / 2999) ** 0.4).astype(np.uint16)

TONES: dict[str, dict[str, Any]] = {
    "linear": {"WindowCenter": 2000, "WindowWidth": 1500},
    "linear, narrow": {"WindowCenter": 2000, "WindowWidth": 17},
    "linear, one step": {"WindowCenter": 2000, "WindowWidth": 1},
    "linear, beyond the range": {"WindowCenter": 2048, "WindowWidth": 9000},
    "linear, first of two": {"WindowCenter": ["2000", "100"], "WindowWidth": ["1500", "50"]},
    "exact": {"WindowCenter": 2000.5, "WindowWidth": 1500, "VOILUTFunction": "LINEAR_EXACT"},
    "sigmoid": {"WindowCenter": 2000, "WindowWidth": 1500, "VOILUTFunction": "SIGMOID"},
    "slope": {"WindowCenter": 3000, "WindowWidth": 4000, "RescaleSlope": 2.5, "RescaleIntercept": -1024},
    "slope, sigmoid": {
        "WindowCenter": 3000,
        "WindowWidth": 4000,
        "RescaleSlope": 2.5,
        "RescaleIntercept": -1024,
        "VOILUTFunction": "SIGMOID",
    },
    "VOI table": {"VOILUTSequence": sequence(lut(CURVE, 500, 12))},
    "VOI table, words": {"VOILUTSequence": sequence(lut(CURVE, 500, 12, vr="OW"))},
    "VOI table before window": {
        "VOILUTSequence": sequence(lut(CURVE, 500, 12), lut(CURVE[::-1], 0, 12)),
        "WindowCenter": 10,
        "WindowWidth": 20,
    },
    "modality table": {
        "ModalityLUTSequence": sequence(lut(CURVE, 500, 16)),
        "WindowCenter": 2000,
        "WindowWidth": 1500,
    },
    "both tables": {
        "ModalityLUTSequence": sequence(lut(CURVE, 500, 16)),
        "VOILUTSequence": sequence(lut(CURVE[::-1], 100, 12)),
    },
}
SIGNED_TONES = {
    "linear": {"WindowCenter": -100, "WindowWidth": 1500},
    "negative slope": {"WindowCenter": 100, "WindowWidth": 900, "RescaleSlope": -0.5, "RescaleIntercept": 3},
    "VOI table": {"VOILUTSequence": sequence(lut(CURVE, -900, 12))},
    "modality table": {
        "ModalityLUTSequence": sequence(lut(CURVE, -900, 16)),
        "WindowCenter": 2000,
        "WindowWidth": 1500,
    },
}


def textbook(made: Dataset) -> np.ndarray:
    """Brightness 0 to 1 by pydicom, scaled by the range its VOI LUT gives."""
    shown = apply_voi_lut(apply_modality_lut(made.pixel_array, made), made).astype(np.float64)
    if "VOILUTSequence" in made:
        shown /= (1 << made.VOILUTSequence[0].LUTDescriptor[2]) - 1
    else:
        low, high = output_range(made)
        shown = (shown - low) / (high - low)
    return 1 - shown if made.PhotometricInterpretation == "MONOCHROME1" else shown


def output_range(made: Dataset) -> tuple[float, float]:
    """Of pydicom's apply_windowing."""
    if "ModalityLUTSequence" in made:
        return 0, (1 << made.ModalityLUTSequence[0].LUTDescriptor[2]) - 1
    low, high = (-2048, 2047) if made.PixelRepresentation else (0, 4095)
    slope, intercept = float(made.get("RescaleSlope", 1)), float(made.get("RescaleIntercept", 0))
    return low * slope + intercept, high * slope + intercept


def cases() -> list[Any]:
    found = [pytest.param(RAMP, False, tone, id=name) for name, tone in TONES.items()]
    return found + [pytest.param(SIGNED_RAMP, True, tone, id=f"signed, {name}") for name, tone in SIGNED_TONES.items()]


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize(("pixels", "signed", "tone"), cases())
def test_model_image_equals_pydicom_within_one_grey_level(pixels, signed, tone, photometric):
    made = film(pixels, signed=signed, PhotometricInterpretation=photometric, **tone)
    found = np.asarray(to_model_image(made, 64), dtype=np.float64)
    assert np.abs(found - 255 * textbook(made)).max() <= 1


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize(("pixels", "signed", "tone"), cases())
def test_a_viewer_that_knows_only_linear_windows_shows_what_the_standard_asks(pixels, signed, tone, photometric):
    made = film(pixels, signed=signed, PhotometricInterpretation=photometric, **tone)
    frame = to_display_frame(made)
    low = frame.window.center - 0.5 - (frame.window.width - 1) / 2  # PS3.3 C.11.2.1.2.1
    span = frame.window.width - 1
    values = frame.pixels.astype(np.float64)
    shown = np.clip((values - low) / span, 0, 1) if span else (values > low).astype(float)
    assert np.abs(shown - textbook(made)).max() <= 1.5 / 255


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT"])
def test_linear_frames_keep_their_full_range(photometric, function):
    frame = to_display_frame(
        film(RAMP, PhotometricInterpretation=photometric, WindowCenter=700, WindowWidth=90, VOILUTFunction=function)
    )
    assert sorted(frame.pixels.ravel()) == list(range(4096))
    assert frame.largest == 4095
    assert frame.pixels.dtype == np.dtype("<u2")


def test_both_polarities_of_one_film_give_one_picture():
    window = {"WindowCenter": 2048, "WindowWidth": 4096}
    plain = film(RAMP, **window)
    complement = film((4095 - RAMP).astype("<u2"), PhotometricInterpretation="MONOCHROME1", **window)
    assert to_model_png(plain, 64) == to_model_png(complement, 64)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_presentation_lut_shape_inverse_inverts_once(photometric):
    inverse = film(RAMP, PhotometricInterpretation=photometric, PresentationLUTShape="INVERSE")
    assert (
        to_model_png(inverse, 64).sha256 == to_model_png(film(RAMP, PhotometricInterpretation="MONOCHROME1"), 64).sha256
    )


def test_high_bits_beyond_bits_stored_do_not_show():
    window = {"WindowCenter": 2048, "WindowWidth": 4096}
    stray = RAMP | (np.arange(4096, dtype="<u2").reshape(64, 64) % 16 << 12).astype("<u2")
    assert to_model_png(film(stray, **window), 64) == to_model_png(film(RAMP, **window), 64)


def test_samples_in_the_high_bits_are_moved_down():
    window = {"WindowCenter": 2048, "WindowWidth": 4096}
    moved = film((RAMP << 4).astype("<u2"), HighBit=15, **window)
    assert to_model_png(moved, 64) == to_model_png(film(RAMP, **window), 64)


def test_big_endian_pixels():
    window = {"WindowCenter": 2048, "WindowWidth": 4096}
    swapped = film(RAMP, **window)
    swapped.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
    swapped.PixelData = RAMP.astype(">u2").tobytes()
    assert to_model_png(swapped, 64) == to_model_png(film(RAMP, **window), 64)


@pytest.mark.parametrize(
    ("padding", "dark"),
    [
        ({"PixelPaddingValue": 4095}, [4095]),
        ({"PixelPaddingValue": 4000, "PixelPaddingRangeLimit": 4095}, range(4000, 4096)),
        ({"PixelPaddingValue": 4095, "PixelPaddingRangeLimit": 4000}, range(4000, 4096)),
    ],
)
def test_padding_is_black_whatever_the_polarity(padding, dark):
    made = film(RAMP, WindowCenter=2048, WindowWidth=4096, **padding)
    for picture in (np.asarray(to_model_image(made, 64)), to_display_frame(made).pixels):
        assert not picture.ravel()[list(dark)].any()
        assert picture.ravel()[min(dark) - 1] > 0.9 * picture.max()


def test_signed_padding_read_as_unsigned_is_still_padding():
    made = film(SIGNED_RAMP, signed=True, WindowCenter=0, WindowWidth=4096, PhotometricInterpretation="MONOCHROME1")
    made.add_new("PixelPaddingValue", "US", 65536 - 2048)
    assert np.asarray(to_model_image(made, 64))[0, 0] == 0


def test_padding_does_not_set_the_window_where_the_header_has_none():
    pixels = np.where(np.arange(4096).reshape(64, 64) % 2, 1000 + RAMP // 8, 0).astype("<u2")
    frame = to_display_frame(film(pixels, PixelPaddingValue=0))
    assert 1000 <= frame.window.low < frame.window.high <= 1512


def test_without_window_deep_films_are_shown_between_percentiles_and_8_bits_as_they_are():
    deep = to_display_frame(film(np.clip(RAMP, 1000, 2000).astype("<u2")))
    assert (deep.window.low, deep.window.high) == (1000, 2000)
    shallow = np.asarray(to_model_image(film((RAMP // 32 + 60).astype(np.uint8), bits=8), 64))
    assert (shallow == RAMP // 32 + 60).all()


@pytest.mark.parametrize("width", [0, -5, 0.5, "nan"])
def test_an_impossible_window_counts_as_none(width):
    made = film(RAMP, WindowCenter=2000)
    made.add_new("WindowWidth", "DS", "1")
    made["WindowWidth"]._value = width
    assert to_model_png(made, 64) == to_model_png(film(RAMP), 64)


def test_a_constant_film_and_an_absurd_window_are_pictures_all_the_same():
    assert to_model_image(film(np.full((64, 64), 7, "<u2")), 64).getextrema() == (0, 0)
    assert to_model_image(film(RAMP, WindowCenter=0, WindowWidth=1.8e19), 64).getextrema() == (128, 128)


SIGNED_LOSSLESS = (JPEG2000Lossless, HTJ2KLossless, RLELossless)  # what the encoders at hand take


@pytest.mark.parametrize(
    ("syntax", "signed"), [*((syntax, False) for syntax in LOSSLESS), *((syntax, True) for syntax in SIGNED_LOSSLESS)]
)
def test_every_lossless_syntax_gives_the_same_picture(syntax, signed):
    random = np.random.default_rng(3)
    pixels = cv2.GaussianBlur(random.normal(0, 4000, (120, 90)).astype(np.float32), (0, 0), 2)
    limits = (-2048, 2047, "<i2") if signed else (0, 4095, "<u2")
    made = film(np.clip(pixels + (0 if signed else 2048), *limits[:2]).astype(limits[2]), signed=signed)
    assert to_model_png(transcoded(made, syntax), 100) == to_model_png(made, 100)


@pytest.mark.parametrize(("size", "mean", "worst"), [(128, 0.25, 4), (32, 0.25, 4)])
def test_leaving_out_the_finest_wavelet_bands_stays_far_below_one_grey_level(size, mean, worst):
    random = np.random.default_rng(5)
    smooth = cv2.GaussianBlur(random.normal(0, 30000, (600, 501)).astype(np.float32), (0, 0), 12)
    pixels = np.clip(2048 + smooth + random.normal(0, 20, smooth.shape), 0, 4095).astype("<u2")
    made = film(pixels, WindowCenter=2048, WindowWidth=4096)
    difference = np.abs(
        np.asarray(to_model_image(transcoded(made, JPEG2000Lossless), size), int) - to_model_image(made, size)
    )
    assert difference.mean() <= mean
    assert difference.max() <= worst


@pytest.mark.parametrize(("rows", "columns"), [(64, 64), (65, 63), (33, 70)])
@pytest.mark.parametrize("halvings", [1, 2])
def test_a_picture_without_fine_detail_is_synthesised_exactly(rows, columns, halvings):
    slope = (8 * np.arange(rows)[:, None] + 16 * np.arange(columns)).astype("<u2")
    made = transcoded(film(slope), JPEG2000Lossless)
    without = first_frame(made, pixel_format(made), halvings=halvings)
    assert without.shape == slope.shape
    inner = np.s_[: rows - 4 * halvings, : columns - 4 * halvings]  # beyond, the edge is mirrored
    assert (without[inner] == slope[inner]).all()
    assert (first_frame(made, pixel_format(made)) == slope).all()


def test_aspect_is_kept_and_the_rest_is_black():
    picture = np.asarray(to_model_image(film(np.full((200, 100), 255, np.uint8), bits=8), 64))
    assert picture.shape == (64, 64)
    assert (picture[:, 16:48] == 255).all()
    assert not picture[:, :16].any()
    assert not picture[:, 48:].any()


def test_pixels_that_are_not_square_are_shown_in_the_films_proportions():
    made = film(np.full((100, 100), 255, np.uint8), bits=8, ImagerPixelSpacing=[0.1, 0.2])
    assert (np.asarray(to_model_image(made, 64)) == 255).sum() == 64 * 32
    mistaken = film(np.full((100, 100), 255, np.uint8), bits=8, PixelSpacing=[0.1, 10])
    assert (np.asarray(to_model_image(mistaken, 64)) == 255).all()


@pytest.mark.parametrize(
    ("orientation", "as_stored"),
    [
        (["L", "F"], lambda film: film),
        (["R", "F"], np.fliplr),
        (["L", "H"], np.flipud),
        (["R", "H"], lambda film: film[::-1, ::-1]),
        (["F", "L"], np.transpose),
        (["FL", "LA"], np.transpose),
        (["H", "L"], lambda film: np.fliplr(np.transpose(film))),
        (["F", "R"], lambda film: np.flipud(np.transpose(film))),
    ],
)
def test_the_patients_left_is_on_the_right_and_the_head_is_up(orientation, as_stored):
    upright = np.zeros((60, 40), "<u2")
    upright[3:10, 30:38] = 4000
    turned = film(np.ascontiguousarray(as_stored(upright)), WindowCenter=2048, WindowWidth=4096)
    turned.PatientOrientation = orientation
    turned.ImagerPixelSpacing = [0.1, 0.1]
    expected = film(upright, WindowCenter=2048, WindowWidth=4096)
    assert to_model_png(turned, 60) == to_model_png(expected, 60)
    frame = to_display_frame(turned)
    assert (frame.pixels == upright).all()
    assert [direction[0] for direction in frame.orientation] == ["L", "F"]


@pytest.mark.parametrize("orientation", [["A", "F"], ["P", "F"], "", None, ["L", "R"], ["L"]])
def test_other_planes_stay_as_stored(orientation):
    made = film(RAMP, PatientOrientation=orientation)
    assert to_model_png(made, 64) == to_model_png(film(RAMP), 64)


def test_spacing_follows_the_turned_frame():
    made = film(np.zeros((50, 70), "<u2"), PatientOrientation=["F", "L"], PixelSpacing=[0.1, 0.3])
    frame = to_display_frame(made)
    assert frame.pixels.shape == (70, 50)
    assert (frame.row_spacing_mm, frame.column_spacing_mm, frame.calibrated) == (0.3, 0.1, True)
    detector = to_display_frame(film(RAMP, ImagerPixelSpacing=[0.148, 0.148]))
    assert (detector.row_spacing_mm, detector.calibrated) == (0.148, False)
    both = to_display_frame(film(RAMP, ImagerPixelSpacing=[0.148, 0.148], PixelSpacing=[0.148, 0.148]))
    assert (both.row_spacing_mm, both.calibrated) == (0.148, False)
    assert to_display_frame(film(RAMP, PixelAspectRatio=[1, 1])).row_spacing_mm is None


def test_nothing_aliases_at_the_size_of_a_small_checkpoint():
    checkers = (np.indices((1000, 800)).sum(0) % 2 * 4095).astype("<u2")
    picture = np.asarray(to_model_image(film(checkers, WindowCenter=2048, WindowWidth=4096), 128))[:, 13:-13]
    assert np.abs(picture.astype(int) - 128).max() <= 3


def test_small_films_are_enlarged_smoothly():
    picture = np.asarray(
        to_model_image(film(np.array([[0, 4095], [0, 4095]], "<u2"), WindowCenter=2048, WindowWidth=4096), 64)
    )
    assert (np.diff(picture[32].astype(int)) >= 0).all()
    assert len(np.unique(picture[32])) > 16


def colours() -> np.ndarray:
    random = np.random.default_rng(11)
    return cv2.resize(random.integers(0, 256, (6, 8, 3), dtype=np.uint8), (80, 60), interpolation=cv2.INTER_CUBIC)


def luminance(rgb: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(rgb).convert("L"), int)


def shown(made: Dataset) -> np.ndarray:
    return np.asarray(to_model_image(made, 80), int)[10:70]


@pytest.mark.parametrize("planar", [0, 1])
def test_rgb_is_shown_by_its_luminance(planar):
    rgb = colours()
    made = film(rgb, bits=8, PhotometricInterpretation="RGB", PlanarConfiguration=planar)
    if planar:
        made.PixelData = np.ascontiguousarray(np.moveaxis(rgb, -1, 0)).tobytes()
    assert np.abs(shown(made) - luminance(rgb)).max() <= 1
    assert np.abs(to_display_frame(made).pixels.astype(int) - luminance(rgb)).max() <= 1


def test_ybr_is_shown_by_its_first_component():
    rgb = colours()
    ybr = cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb)[..., [0, 2, 1]]
    full = film(ybr, bits=8, PhotometricInterpretation="YBR_FULL", PlanarConfiguration=0)
    assert np.abs(shown(full) - luminance(rgb)).max() <= 1
    half = film(ybr, bits=8, PhotometricInterpretation="YBR_FULL_422", PlanarConfiguration=0)
    pairs = ybr.reshape(60, 40, 2, 3)
    half.PixelData = np.concatenate([pairs[..., 0], pairs[:, :, 0, 1:]], axis=-1).tobytes()
    assert np.abs(shown(half) - luminance(rgb)).max() <= 1


@pytest.mark.parametrize("photometric", ["RGB", "YBR_FULL_422"])
@pytest.mark.parametrize("marked", [True, False])
def test_colour_jpeg_whatever_its_markers_say(photometric, marked):
    rgb = colours()
    encoded = io.BytesIO()
    Image.fromarray(rgb).save(encoded, "JPEG", quality=97, subsampling=0, keep_rgb=photometric == "RGB" and not marked)
    stream = encoded.getvalue()
    if not marked:
        assert stream[2:4] in (b"\xff\xe0", b"\xff\xee")
        stream = stream[:2] + stream[4 + int.from_bytes(stream[4:6], "big") - 2 + 2 :]
    made = film(rgb, bits=8, PhotometricInterpretation=photometric, PlanarConfiguration=0)
    made.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    encapsulated(made, stream)
    assert np.abs(shown(made) - luminance(rgb)).mean() <= 1.5


def test_palette_colour():
    indices = (np.arange(60 * 80).reshape(60, 80) % 256).astype(np.uint8)
    palette = np.random.default_rng(2).integers(0, 256, (256, 3), dtype=np.uint8)
    made = film(indices, bits=8, PhotometricInterpretation="PALETTE COLOR")
    for column, colour in enumerate(("Red", "Green", "Blue")):
        setattr(made, f"{colour}PaletteColorLookupTableDescriptor", [256, 0, 16])
        entries = palette[:, column].astype("<u2") * 257
        setattr(made, f"{colour}PaletteColorLookupTableData", entries.tobytes())
    assert np.abs(shown(made) - luminance(palette[indices])).max() <= 1


def test_of_several_frames_the_first_is_shown():
    made = film(RAMP, NumberOfFrames=3)
    made.PixelData = RAMP.tobytes() + bytes(2 * RAMP.nbytes)
    assert to_model_png(made, 64) == to_model_png(film(RAMP), 64)


def test_png_and_digest_are_of_the_picture():
    made = film(RAMP)
    picture, image = to_model_png(made, 48), to_model_image(made, 48)
    assert Image.open(io.BytesIO(picture.png)).tobytes() == image.tobytes()
    assert picture.sha256 == hashlib.sha256(np.asarray(image).tobytes()).hexdigest()
    assert (picture.width, picture.height, image.mode) == (48, 48, "L")
