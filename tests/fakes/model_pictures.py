"""Pictures of the kind the service makes for a model: square, 8-bit grey PNG."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image


def picture(seed: int, size: int, mode: str = "L", kind: str = "PNG", *, inverted: bool = False) -> bytes:
    """A smooth random picture, brightest in the middle as a chest is; the same seed gives the same bytes."""
    coarse = np.random.default_rng(seed).integers(0, 128, (8, 8), dtype=np.uint8)
    coarse[:, 3:5] += 127
    image = (
        Image.fromarray(255 - coarse if inverted else coarse)
        .resize((size, size), Image.Resampling.BICUBIC)
        .convert(mode)
    )
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()
