"""What a compressed frame says about itself, read before anything is decoded.

A decoder allocates what the codestream asks for, whatever the DICOM header says; so the two are compared first.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from model.errors import UndecodablePixels

# Start-of-frame markers: JPEG (ISO/IEC 10918-1 table B.1) without DHT C4, JPG C8, DAC CC; and JPEG-LS F7.
_START_OF_FRAME = frozenset([*(set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}), 0xF7])
_NO_LENGTH = frozenset([0x01, *range(0xD0, 0xD9)])
_J2K_START = b"\xff\x4f\xff\x51"
_J2K_CODING_STYLE = b"\xff\x52"
_REVERSIBLE_5_3 = 1


@dataclass(frozen=True, slots=True)
class StreamShape:
    """rows x columns x components samples of `precision` bits."""

    rows: int
    columns: int
    components: int
    precision: int


@dataclass(frozen=True, slots=True)
class JpegShape(StreamShape):
    """adobe_or_jfif: a marker tells the colour space, so that the decoder need not be told."""

    adobe_or_jfif: bool


@dataclass(frozen=True, slots=True)
class Jpeg2000Shape(StreamShape):
    """signed: of the first component. halvings: how often the picture may be halved exactly along the 5/3 wavelet.

    0 halvings where the stream is tiled, offset, irreversible or coded without decomposition.
    """

    signed: bool
    halvings: int


def jpeg_shape(stream: bytes) -> JpegShape:
    """Of a JPEG or JPEG-LS stream. Raises UndecodablePixels where there is no start of frame."""
    position, marked = 2, False
    while position + 9 < len(stream):
        if stream[position] != 0xFF:
            break
        marker = stream[position + 1]
        if marker == 0xFF or marker in _NO_LENGTH:
            position += 1 if marker == 0xFF else 2
            continue
        if marker in _START_OF_FRAME:
            precision, rows, columns, components = struct.unpack_from(">BHHB", stream, position + 4)
            return JpegShape(rows, columns, components, precision, marked)
        marked |= stream[position + 4 : position + 9] in {b"JFIF\0", b"Adobe"}
        position += 2 + int(struct.unpack_from(">H", stream, position + 2)[0])
    raise UndecodablePixels("The JPEG stream has no start of frame")


def jpeg2000_shape(stream: bytes) -> Jpeg2000Shape:
    """Of a JPEG 2000 codestream, bare or boxed. Raises UndecodablePixels where there is no SIZ segment."""
    start = stream.find(_J2K_START)
    if start < 0 or len(stream) < start + 51:
        raise UndecodablePixels("The JPEG 2000 stream has no image size segment")
    right, bottom, left, top, tile_width, tile_height, tile_left, tile_top, components = struct.unpack_from(
        ">8IH", stream, start + 8
    )
    depth = stream[start + 42]
    whole = not (left or top or tile_left or tile_top) and tile_width >= right and tile_height >= bottom
    return Jpeg2000Shape(
        rows=bottom - top,
        columns=right - left,
        components=components,
        precision=(depth & 0x7F) + 1,
        signed=bool(depth & 0x80),
        halvings=_halvings(stream, start) if whole else 0,
    )


def _halvings(stream: bytes, start: int) -> int:
    """Decomposition levels of a 5/3 stream; COD segment (ISO/IEC 15444-1 A.6.1) of the main header."""
    position = start + 4 + int(struct.unpack_from(">H", stream, start + 4)[0])
    while position + 14 <= len(stream) and stream[position] == 0xFF and stream[position + 1] != 0x90:
        if stream[position : position + 2] == _J2K_CODING_STYLE:
            levels, transformation = stream[position + 9], stream[position + 13]
            return levels if transformation == _REVERSIBLE_5_3 else 0
        position += 2 + int(struct.unpack_from(">H", stream, position + 2)[0])
    return 0
