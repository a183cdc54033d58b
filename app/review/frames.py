"""Display frames: of received images and of verified priors, of nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.access import Reader
from app.db.session import Database
from app.db.tables import Instance, PriorEntry, PriorImageRow
from app.domain.identifiers import digest
from app.domain.imaging import DisplayFrame
from app.errors import NotFound
from app.ports import ObjectStore, PixelReader
from app.rest.read_trail import ReadTrail
from app.review.prior_views import SHOWABLE

RENDERING = "display-1"
"""Part of every entity tag: raise it when the same object is drawn otherwise."""


@dataclass(frozen=True, slots=True)
class FoundImage:
    """Where an image's bytes are; etag: without quotes."""

    study_id: str
    object_key: str
    etag: str


@dataclass(frozen=True, slots=True)
class ShowFrames:
    """Looks an image up, notes the look, renders."""

    database: Database
    store: ObjectStore
    pixels: PixelReader
    trail: ReadTrail

    def find(self, reader: Reader, sop_instance_uid: str) -> FoundImage:
        """The image, after its look was noted. Raises NotFound."""
        with self.database.reading() as session:
            found = _received(session, sop_instance_uid) or _prior(session, sop_instance_uid)
        if found is None:
            message = "No image of a study here, or of a prior that may be shown, has this SOPInstanceUID."
            raise NotFound(message)
        study_id, object_key = found
        self.trail.note(reader, "read.frame", study_id, sop_instance_uid=sop_instance_uid)
        return FoundImage(study_id, object_key, digest(RENDERING, sop_instance_uid, object_key)[:32])

    def render(self, image: FoundImage) -> DisplayFrame:
        """Raises PixelsUnreadable, NotFound where the store has lost the object."""
        return self.pixels.display_frame(self.store.path(image.object_key))


def _received(session: Session, sop_instance_uid: str) -> tuple[str, str] | None:
    query = sa.select(Instance.study_id, Instance.object_key).where(Instance.sop_instance_uid == sop_instance_uid)
    return session.execute(query).one_or_none()


def _prior(session: Session, sop_instance_uid: str) -> tuple[str, str] | None:
    query = (
        sa.select(PriorEntry.study_id, PriorImageRow.object_key)
        .join(PriorEntry, PriorEntry.id == PriorImageRow.entry_id)
        .where(PriorImageRow.sop_instance_uid == sop_instance_uid, SHOWABLE)
        .order_by(PriorEntry.revision.desc(), PriorEntry.id)
        .limit(1)
    )
    return session.execute(query).one_or_none()
