"""What cannot be a picture is refused with a reason, and the reason names no patient."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import JPEG2000Lossless

from model.imaging import UndecodablePixels, to_model_image
from tests.model.films import LOSSLESS, encapsulated, film, lut, sequence, transcoded

RAMP = np.arange(4096, dtype="<u2").reshape(64, 64)  # every 12-bit value once


@pytest.mark.parametrize(
    "header",
    [
        {"NumberOfFrames": 2**31},
        {"NumberOfFrames": 0},
        {"Rows": 30000, "Columns": 30000},
        {"Rows": 0},
        {"SamplesPerPixel": 3},
        {"BitsAllocated": 32},
        {"BitsStored": 0},
        {"BitsStored": 16, "HighBit": 11},
        {"PhotometricInterpretation": "HSV"},
        {"PhotometricInterpretation": ""},
        {"RescaleSlope": 0, "RescaleIntercept": 0},
        {"RescaleSlope": 1e-300, "RescaleIntercept": 1e10, "WindowCenter": 1, "WindowWidth": 4},
        {"VOILUTSequence": sequence(lut(RAMP.ravel()[:3000], 0, 40))},
        {"PixelData": b"\0" * 100},
    ],
)
def test_headers_that_cannot_be_true_are_refused(header):
    with pytest.raises(UndecodablePixels):
        to_model_image(film(RAMP, **header), 64)


@pytest.mark.parametrize("syntax", LOSSLESS)
def test_a_stream_that_is_not_what_its_header_says_is_refused(syntax):
    made = transcoded(film(RAMP), syntax)
    made.Rows = 32
    with pytest.raises(UndecodablePixels):
        to_model_image(made, 64)


@pytest.mark.parametrize("syntax", LOSSLESS)
def test_streams_cut_off_or_scrambled_are_refused_or_shown_but_never_fatal(syntax):
    whole = transcoded(film(RAMP, WindowCenter=2048, WindowWidth=4096), syntax)
    stream = bytes(whole.PixelData)[8 + 8 + 4 :]
    for cut in (2, 3, 10, 40, len(stream) // 2):
        encapsulated(whole, stream[:cut] + b"\0" * (cut % 2))
        try:
            to_model_image(whole, 64)
        except UndecodablePixels:
            continue


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.100", "1.2.840.10008.1.2.4.94", "1.2.3"])
def test_syntaxes_without_a_decoder_are_named(syntax):
    made = transcoded(film(RAMP), JPEG2000Lossless)
    made.file_meta.TransferSyntaxUID = syntax
    with pytest.raises(UndecodablePixels, match=syntax):
        to_model_image(made, 64)


def test_messages_carry_nothing_of_the_patient():
    made = film(RAMP, PatientName="Secret^Person")
    made.add_new("WindowCenter", "LO", "Secret^Person")
    made.Rows = 63
    made.VOILUTSequence = sequence(Dataset())
    with pytest.raises(UndecodablePixels) as refusal:
        to_model_image(made, 64)
    assert "Secret" not in str(refusal.value)
