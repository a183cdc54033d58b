"""The wire shapes of reading modes: what a reader has seen, and whether the draft is shown to him."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from app.domain.reading import ReadingMode
from app.domain.report import Remark
from app.rest.words import Asked, Text, Told, Uid


class RecordView(Asked):
    """Either an image that the asker was shown, or that he has now looked at all of them."""

    sop_instance_uid: Uid | None = None
    looked: Literal[True] | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.sop_instance_uid is None) == (self.looked is None):
            raise ValueError("give sop_instance_uid, or looked = true, and not both")
        return self


class ReadingOut(Told):
    """The study's reading mode and the asker's place in it.

    draft: whether the current draft is shown to him; reason: what he must do first, None where it is shown.
    viewed: images of the study and its priors that he was shown; unviewed: of the draft's image set, not yet.
    """

    mode: ReadingMode
    draft: Literal["shown", "withheld"]
    reason: str | None
    viewed: list[str]
    unviewed: list[str]


class GiveRemark(Asked):
    """sentence_index: of the draft's sentence it is about, None: of the draft as a whole."""

    sentence_index: int | None = Field(default=None, ge=0, le=9999)
    kind: Remark
    note: Annotated[Text, Field(max_length=2000)] = ""


class RemarkOut(Told):
    """A remark as it was kept, with the weights that wrote the draft."""

    id: str
    draft_id: str
    sentence_index: int | None
    kind: Remark
    note: str
    weights_digest: str
    given_at: datetime
