"""Why an object gives no picture. Messages carry sizes, the standard's UIDs and class names, no patient's values."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


class ImagingError(Exception):
    """Root: no picture can be made of this object."""


class NotAnImage(ImagingError):
    """The object cannot be read as DICOM, or holds no picture."""


class UndecodablePixels(ImagingError):
    """There is a picture, but it cannot be decoded, contradicts its header or goes beyond a limit."""


@contextmanager
def foreign_faults(kind: type[ImagingError], what: str) -> Iterator[None]:
    """Within, what pydicom, NumPy or a codec raises over a broken file becomes `kind`, and their warnings are silent.

    Only the class name is passed on: foreign messages quote the patient's values. MemoryError passes, and so does an
    OSError with a number: they are about this machine and not about the file. Not for threads at once (the warning
    filter is global).
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except (ImagingError, MemoryError):
            raise
        except RecursionError as error:
            raise kind("Sequences are nested too deeply") from error
        except Exception as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise kind(f"{what} ({type(error).__name__})") from error
