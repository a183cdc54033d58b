"""First frame of an image object, out of every decodable transfer syntax, as order-preserving unsigned samples.

Codecs are imagecodecs' (libjpeg-turbo 3, OpenJPEG, OpenJPH, CharLS, libjxl): they are the fastest of those measured,
release the GIL, and read 12-bit progressive JPEG, which pydicom's plugins do not. No GDCM (CVE-2026-3650, unpatched).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from io import BytesIO
from types import MappingProxyType
from typing import Any

import cv2
import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import get_frame
from pydicom.pixels.processing import apply_color_lut

from model.codestreams import Jpeg2000Shape, StreamShape, jpeg2000_shape, jpeg_shape
from model.dicom_file import transfer_syntax
from model.errors import NotAnImage, UndecodablePixels
from model.pixel_format import PALETTE, PixelFormat

_BIG_ENDIAN = "1.2.840.10008.1.2.2"
_NATIVE = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1", _BIG_ENDIAN)
_ENCAPSULATED_NATIVE = "1.2.840.10008.1.2.1.98"
_RLE = "1.2.840.10008.1.2.5"

Pixels = NDArray[Any]


def first_frame(dataset: Dataset, form: PixelFormat, *, halvings: int = 0) -> Pixels:
    """Samples of the first frame, (rows, columns), uint8 or uint16.

    Monochrome: order-preserving unsigned samples below 2**bits_stored; `PixelFormat.offset` gives the stored value;
    bits beyond Bits Stored are dropped. Colour and palette: luminance, 0 to 255 (ITU-R BT.601).
    halvings: how many of the finest wavelet levels a JPEG 2000 decoder may leave out where it can do so exactly
    (5/3, untiled, one unsigned component): the samples are then interpolated by the transform's own synthesis filter.
    Raises UndecodablePixels; what the codecs raise passes as it is (see `errors.foreign_faults`).
    """
    syntax = transfer_syntax(dataset)
    if "PixelData" not in dataset or not dataset.PixelData:
        raise NotAnImage("The object holds no pixel data")
    if syntax in _NATIVE:
        pixels = _native(dataset, form, big_endian=syntax == _BIG_ENDIAN)
    else:
        pixels = _encapsulated(dataset, form, syntax, halvings)
    return _samples(pixels, form, syntax) if form.monochrome else _luminance(pixels, form, dataset)


def _native(dataset: Dataset, form: PixelFormat, *, big_endian: bool) -> Pixels:
    data = dataset.PixelData
    if big_endian and form.bits_allocated == 8 and dataset["PixelData"].VR == "OW":
        data = np.frombuffer(data, "u1")[: len(data) & ~1].reshape(-1, 2)[:, ::-1].tobytes()  # PS3.5 8.1.1, 7.3
    return _unpacked(data, form, big_endian=big_endian)


def _unpacked(data: bytes, form: PixelFormat, *, big_endian: bool = False) -> Pixels:
    subsampled = form.photometric.endswith(("_422", "_420"))
    if form.photometric.endswith("_420") or (subsampled and (form.bits_allocated != 8 or form.columns % 2)):
        raise UndecodablePixels("Uncompressed pixels with this chrominance subsampling are not read")
    count = form.frame_samples * 2 // 3 if subsampled else form.frame_samples
    kind = np.dtype("u1" if form.bits_allocated == 8 else "<u2")
    if len(data) < count * kind.itemsize:
        raise UndecodablePixels(f"Pixel data ends early: {len(data)} of {count * kind.itemsize} bytes")
    flat = np.frombuffer(data, kind.newbyteorder(">") if big_endian else kind, count).astype(kind, copy=False)
    if subsampled:  # PS3.3 C.7.6.3.1.2: two luminances, then the two chrominances that they share
        return flat.reshape(-1, 4)[:, :2].reshape(form.rows, form.columns)
    return _arranged(flat, form)


def _arranged(flat: Pixels, form: PixelFormat, *, planar: bool | None = None) -> Pixels:
    if form.samples == 1:
        return flat.reshape(form.rows, form.columns)
    if form.planar if planar is None else planar:
        return np.moveaxis(flat.reshape(form.samples, form.rows, form.columns), 0, -1)
    return flat.reshape(form.rows, form.columns, form.samples)


def _encapsulated(dataset: Dataset, form: PixelFormat, syntax: str, halvings: int) -> Pixels:
    frame = get_frame(dataset.PixelData, 0, number_of_frames=form.frames, extended_offsets=_offsets(dataset))
    if syntax == _RLE:
        return _run_lengths(frame, form)
    if syntax == _ENCAPSULATED_NATIVE:
        return _unpacked(frame, form)
    decode = _CODECS.get(syntax)
    if decode is None:
        raise UndecodablePixels(f"The transfer syntax {syntax} is not one this service can decode")
    pixels = np.asarray(decode(frame, form, halvings))
    if pixels.ndim == 3 and pixels.shape[0] == form.samples != pixels.shape[2]:
        pixels = np.moveaxis(pixels, 0, -1)
    if pixels.shape[:2] != (form.rows, form.columns) or pixels.dtype.itemsize > 2:
        raise UndecodablePixels(f"The decoder gave {pixels.shape} {pixels.dtype} for {form.rows} x {form.columns}")
    return pixels


def _offsets(dataset: Dataset) -> tuple[bytes, bytes] | None:
    if "ExtendedOffsetTable" not in dataset:
        return None
    return dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths


def _run_lengths(frame: bytes, form: PixelFormat) -> Pixels:
    """RLE (PS3.5 annex G); the output buffer bounds what a forged segment may expand to."""
    kind = np.dtype("u1" if form.bits_allocated == 8 else "<u2")
    out = bytearray(form.frame_samples * kind.itemsize)
    data = imagecodecs.dicomrle_decode(frame, kind.str, out=out)
    if len(data) != len(out):
        raise UndecodablePixels(f"The RLE segments give {len(data)} of {len(out)} bytes")
    return _arranged(np.frombuffer(data, kind), form, planar=True)


def _checked(shape: StreamShape, form: PixelFormat) -> None:
    if (shape.rows, shape.columns, shape.components) != (form.rows, form.columns, form.samples):
        raise UndecodablePixels(
            f"The codestream is {shape.rows} x {shape.columns} x {shape.components}, "
            f"the header says {form.rows} x {form.columns} x {form.samples}"
        )
    if shape.precision > form.bits_allocated:
        raise UndecodablePixels(f"The codestream has {shape.precision} bits, the header {form.bits_allocated}")


def _jpeg(frame: bytes, form: PixelFormat, _: int) -> Any:
    shape = jpeg_shape(frame)
    _checked(shape, form)
    if form.samples == 1:
        return imagecodecs.jpeg_decode(frame)
    if form.photometric != "RGB":  # the first component is the luminance asked for
        return imagecodecs.jpeg_decode(frame, colorspace="YCBCR", outcolorspace="YCBCR")
    if shape.adobe_or_jfif:
        return imagecodecs.jpeg_decode(frame, outcolorspace="RGB")
    return imagecodecs.jpeg_decode(frame, colorspace="RGB", outcolorspace="RGB")


def _jpeg_ls(frame: bytes, form: PixelFormat, _: int) -> Any:
    _checked(jpeg_shape(frame), form)
    return imagecodecs.jpegls_decode(frame)


def _jpeg_2000(frame: bytes, form: PixelFormat, halvings: int) -> Any:
    shape = jpeg2000_shape(frame)
    _checked(shape, form)
    halvings = min(halvings, _exact_halvings(shape))
    if halvings:
        with suppress(OSError):  # what Pillow cannot read is left to the full decoder's judgement
            return _without_finest(frame, shape, halvings)
    return imagecodecs.jpeg2k_decode(frame, numthreads=decoder_threads())


def _high_throughput(frame: bytes, form: PixelFormat, _: int) -> Any:
    _checked(jpeg2000_shape(frame), form)
    return imagecodecs.htj2k_decode(frame)


def _jpeg_xl(frame: bytes, form: PixelFormat, _: int) -> Any:
    colour = () if form.samples == 1 else (form.samples,)
    out = np.empty((form.rows, form.columns, *colour), np.uint8 if form.bits_allocated == 8 else np.uint16)
    return imagecodecs.jpegxl_decode(frame, out=out, numthreads=1)  # refuses a stream of another shape


Codec = Callable[[bytes, PixelFormat, int], Any]
_CODECS: Mapping[str, Codec] = MappingProxyType(
    {
        f"1.2.840.10008.1.2.4.{last}": codec
        for codec, syntaxes in (
            (_jpeg, (50, 51, 53, 55, 57, 70)),
            (_jpeg_ls, (80, 81)),
            (_jpeg_2000, (90, 91, 92, 93)),
            (_high_throughput, (201, 202, 203)),
            (_jpeg_xl, (110, 111, 112)),
        )
        for last in syntaxes
    }
)
_LOSSY = frozenset(f"1.2.840.10008.1.2.4.{last}" for last in (50, 51, 53, 55, 81, 91, 93, 112, 203))


def decoder_threads() -> int:
    """Threads for one JPEG 2000 frame: the cores this process may use, at most 4."""
    return min(4, len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1)


def _exact_halvings(shape: Jpeg2000Shape) -> int:
    plain = shape.components == 1 and not shape.signed and shape.precision in range(8, 17)
    return shape.halvings if plain else 0


def _without_finest(frame: bytes, shape: Jpeg2000Shape, halvings: int) -> Pixels:
    """Decode all but the finest bands, then synthesise with those at zero: the full size, without the finest detail."""
    with Image.open(BytesIO(frame), formats=["JPEG2000"]) as image:
        image.reduce = halvings  # type: ignore[method-assign,assignment]  # Pillow's documented way for JPEG 2000
        image.load()
        low = np.asarray(image)
    if low.dtype == np.uint16:
        low = low >> (16 - shape.precision)  # Pillow stretches to 16 bits
    for step in reversed(range(halvings)):
        low = _synthesised(low, _halved(shape.rows, step), _halved(shape.columns, step))
    return low


def _halved(side: int, times: int) -> int:
    return -(-side >> times)


def _synthesised(low: Pixels, rows: int, columns: int) -> Pixels:
    """One 5/3 synthesis step with zero detail (ISO/IEC 15444-1 F.3.8.1): even samples stay, odd ones are the mean."""
    return _interleaved(_interleaved(low, rows, axis=0), columns, axis=1)


def _interleaved(low: Pixels, length: int, *, axis: int) -> Pixels:
    full = np.empty((length, low.shape[1]) if axis == 0 else (low.shape[0], length), low.dtype)
    target, source = np.moveaxis(full, axis, 0), np.moveaxis(low, axis, 0)
    before = source[: length // 2]
    after = np.concatenate([source[1:], source[-1:]])[: length // 2]
    target[0::2] = source
    target[1::2] = (before & after) + ((before ^ after) >> 1)  # the mean, without overflow
    return full


def _samples(pixels: Pixels, form: PixelFormat, syntax: str) -> Pixels:
    """Mask, shift and bias to unsigned samples that keep the order of the stored values."""
    if form.bits_stored > 8 * pixels.dtype.itemsize:
        pixels = pixels.astype(np.int16 if pixels.dtype.kind == "i" else np.uint16)
    bits = 8 * pixels.dtype.itemsize
    found: Pixels = pixels.view(f"u{pixels.dtype.itemsize}")
    if syntax in (*_NATIVE, _RLE, _ENCAPSULATED_NATIVE) and form.high_bit + 1 > form.bits_stored:
        found = found >> (form.high_bit + 1 - form.bits_stored)
    largest = (1 << form.bits_stored) - 1
    if form.bits_stored < bits and int(found.max()) > largest:
        # A lossy decoder overshoots; elsewhere high bits are overlays or rubbish (PS3.5 8.1.1).
        lossy = syntax in _LOSSY and not form.signed
        found = np.minimum(found, largest) if lossy else found & largest
    return np.bitwise_xor(found, found.dtype.type(-form.offset)) if form.signed else found


def _luminance(pixels: Pixels, form: PixelFormat, dataset: Dataset) -> Pixels:
    """Grey of a colour picture, 0 to 255, rows x columns."""
    if form.photometric == PALETTE:
        return np.take(_palette_luminance(dataset), pixels.view(f"u{pixels.dtype.itemsize}"))
    eight = pixels if form.bits_stored == 8 else (pixels >> max(form.bits_stored - 8, 0)).astype(np.uint8)
    if form.photometric in ("RGB", "YBR_ICT", "YBR_RCT"):  # JPEG 2000 decoders undo ICT and RCT themselves
        return np.asarray(cv2.cvtColor(np.ascontiguousarray(eight), cv2.COLOR_RGB2GRAY))
    luma = eight if eight.ndim == 2 else eight[..., 0]
    if form.photometric.startswith("YBR_PARTIAL"):  # 16 to 235 (PS3.3 C.7.6.3.1.2)
        return np.clip((luma.astype(np.float32) - 16) * (255 / 219), 0, 255).astype(np.uint8)
    return np.ascontiguousarray(luma)


def _palette_luminance(dataset: Dataset) -> NDArray[np.uint8]:
    """Luminance of each index; indices beyond the palette take its last entry (PS3.3 C.7.6.3.1.5)."""
    indices = np.arange(1 << dataset.BitsAllocated, dtype=np.uint16)
    colours: Pixels = apply_color_lut(indices.reshape(1, -1), dataset)[..., :3]
    eight = colours if colours.dtype == np.uint8 else (colours >> 8).astype(np.uint8)
    grey: NDArray[np.uint8] = np.asarray(cv2.cvtColor(np.ascontiguousarray(eight), cv2.COLOR_RGB2GRAY), np.uint8)
    return grey.ravel()
