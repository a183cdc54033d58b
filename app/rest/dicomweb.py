"""What the routes of DICOMweb share, whichever stage they belong to."""

from __future__ import annotations

from fastapi import Request

JSON = "application/dicom+json"


def root(request: Request) -> str:
    """The address of this DICOMweb service as the client wrote it: all that stands before the resources."""
    before, level, _ = request.url.path.partition("/studies")
    base = before if level else request.url.path.rpartition("/")[0]
    return str(request.url.replace(path=base, query="", fragment="")).rstrip("/")
