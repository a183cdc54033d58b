"""The use cases of this stage, as the routes find them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request

from app.db.session import Database
from app.ports import Clock
from app.rest.read_trail import ReadTrail
from app.review.critical import TellCriticalResults
from app.review.feed import ChangeFeed, LiveChanges
from app.review.frames import ShowFrames
from app.review.handlers import WriteReports
from app.review.lists import KeepLists
from app.review.locks import ClaimStudies
from app.review.other_priors import OtherPriors
from app.review.reading import DraftGate, Looks
from app.review.redraft import Redraft
from app.review.remarks import RemarkOnDrafts
from app.review.signing import SignReports
from app.review.texts import KeepTexts


@dataclass(frozen=True, slots=True)
class Review:
    """Kept as `app.state.review`."""

    database: Database
    clock: Clock
    trail: ReadTrail
    gate: DraftGate
    frames: ShowFrames
    locks: ClaimStudies
    redraft: Redraft
    reports: WriteReports
    critical: TellCriticalResults
    signing: SignReports
    feed: ChangeFeed
    live: LiveChanges
    looks: Looks
    other_priors: OtherPriors
    remarks: RemarkOnDrafts
    texts: KeepTexts
    lists: KeepLists


def _review(request: Request) -> Review:
    return cast("Review", request.app.state.review)


TheReview = Annotated[Review, Depends(_review)]
