"""WADO-RS (PS3.18 10.4): which objects a retrieve names, their bytes and their metadata."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from app.access import Reader
from app.db.session import Database
from app.db.tables import Instance, Study
from app.dicomweb.attributes import Object, element
from app.dicomweb.displayed import displayed
from app.domain.identifiers import digest
from app.errors import NotFound
from app.ports import ObjectStore, PixelReader
from app.rest.read_trail import ReadTrail

MOST = 500
"""Objects of one answer; a study here has two or three."""


@dataclass(frozen=True, slots=True)
class Named:
    """What an address names: a study, a series of it, an instance of that."""

    study_instance_uid: str
    series_instance_uid: str | None = None
    sop_instance_uid: str | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """One object that is held; etag: without quotes."""

    study_id: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    object_key: str
    etag: str


@dataclass(frozen=True, slots=True)
class Objects:
    """Looks objects up and notes the look before anything of them is told."""

    database: Database
    store: ObjectStore
    pixels: PixelReader
    trail: ReadTrail

    def find(self, reader: Reader, named: Named) -> list[Held]:
        """In the order of series and arrival. Raises NotFound."""
        wanted = (
            sa.select(Instance)
            .join(Study)
            .where(Study.study_instance_uid == named.study_instance_uid)
            .order_by(Instance.series_instance_uid, Instance.received_at, Instance.id)
            .limit(MOST)
        )
        if named.series_instance_uid is not None:
            wanted = wanted.where(Instance.series_instance_uid == named.series_instance_uid)
        if named.sop_instance_uid is not None:
            wanted = wanted.where(Instance.sop_instance_uid == named.sop_instance_uid)
        with self.database.reading() as session:
            held = [_held(instance) for instance in session.scalars(wanted)]
        if not held:
            message = "Nothing is held here under these UIDs; search with QIDO-RS."
            raise NotFound(message)
        for one in held:
            self.trail.note(reader, "read.frame", one.study_id, sop_instance_uid=one.sop_instance_uid)
        return held

    def path(self, held: Held) -> Path:
        """Where its bytes are. Raises NotFound."""
        return self.store.path(held.object_key)

    def metadata(self, held: Held, *, as_displayed: bool) -> Object:
        """Raises CannotUnderstand; as_displayed: of the frame that `as displayed` frames are (`displayed`)."""
        told: Object = json.loads(self.pixels.metadata(self.path(held)))
        if as_displayed and "00280010" in told:
            return displayed(told, self.pixels.display_frame(self.path(held)))
        return told | dict([element("AvailableTransferSyntaxUID", held.transfer_syntax_uid)])


def _held(instance: Instance) -> Held:
    etag = digest("dicomweb-1", instance.sop_instance_uid, instance.object_key)[:32]
    return Held(instance.study_id, instance.sop_instance_uid, instance.transfer_syntax_uid, instance.object_key, etag)
