"""The use cases of this stage, as the routes find them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request

from app.db.session import Database
from app.dicomweb.objects import Objects
from app.ports import PixelReader
from app.rest.read_trail import ReadTrail


@dataclass(frozen=True, slots=True)
class DicomWeb:
    """Kept as `app.state.dicomweb`."""

    database: Database
    pixels: PixelReader
    trail: ReadTrail
    objects: Objects


def _dicomweb(request: Request) -> DicomWeb:
    return cast("DicomWeb", request.app.state.dicomweb)


TheArchive = Annotated[DicomWeb, Depends(_dicomweb)]
