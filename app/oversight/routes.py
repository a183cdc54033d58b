"""GET /oversight/drafts: what became of the drafts, for the lead; looking is in the audit chain."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Query, Request
from pydantic import Field

from app.access import Action, Reader
from app.db.session import Database
from app.errors import InvalidRequest
from app.oversight.schemas import By, Oversight
from app.oversight.signed_reports import KnownFigures
from app.oversight.views import Period, oversight
from app.ports import Clock
from app.rest.guard import Allow
from app.rest.problems import declared
from app.rest.read_trail import ReadTrail

router = APIRouter(prefix="/oversight", tags=["oversight"])
MayOversee = Annotated[Reader, Depends(Allow(Action.READ_OVERSIGHT))]
Day = Annotated[date, Field(ge=date(1990, 1, 1), le=date(2199, 12, 31))]
USUAL, LONGEST = timedelta(days=29), timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Overseen:
    """Kept as `app.state.oversight`."""

    database: Database
    clock: Clock
    trail: ReadTrail
    figures: KnownFigures = field(default_factory=KnownFigures)

    def period(self, first: date | None, last: date | None) -> Period:
        """The last 30 days unless said otherwise. Raises InvalidRequest for one that is empty or over a year long."""
        end = last or self.clock.now().date()
        start = first or end - USUAL
        if not start <= end <= start + LONGEST:
            message = "`from` must be `to` or a day before it, by at most a year; correct the days."
            raise InvalidRequest(message)
        return Period(start, end)


def _overseen(request: Request) -> Overseen:
    return cast("Overseen", request.app.state.oversight)


TheOverseen = Annotated[Overseen, Depends(_overseen)]


@router.get("/drafts", responses=declared(400, 401, 403, 422))
def get_draft_figures(
    reader: MayOversee,
    overseen: TheOverseen,
    first: Annotated[Day | None, Query(alias="from")] = None,
    last: Annotated[Day | None, Query(alias="to")] = None,
    by: By = By.MODEL,
) -> Oversight:
    """Decisions by finding, time to sign, flags, draft against signed text; of the reports signed in these days (UTC).

    Site: the issuer of the patient ID, else who sent the images. Device: not recorded, so one group without a name.
    View: of all the study's images when it was signed. Readers are not told apart. 503 with `read` and `reports`:
    each text is read once, and these were not all read yet; the same call again goes on from there.
    """
    period = overseen.period(first, last)
    with overseen.database.reading() as session:
        found = oversight(session, overseen.figures, period, by)
    days = {"first_day": period.first.isoformat(), "last_day": period.last.isoformat()}
    overseen.trail.note(reader, "read.oversight", by=str(by), **days)
    return found
