"""What a reader looked at, and what he holds against a draft."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends

from app.access import Action, Reader
from app.rest.guard import Allow
from app.rest.problems import declared
from app.rest.words import RowId, Uid
from app.review.reading_schemas import GiveRemark, ReadingOut, RecordView, RemarkOut
from app.review.schemas import LedgerEntryOut
from app.review.services import TheReview

router = APIRouter(tags=["studies"])
MayLook = Annotated[Reader, Depends(Allow(Action.READ_IN_PERSON))]
MayWrite = Annotated[Reader, Depends(Allow(Action.WRITE_REPORTS))]


@router.post("/studies/{study_instance_uid}/views", responses=declared(401, 403, 404, 409, 422))
def record_view(study_instance_uid: Uid, given: RecordView, reader: MayLook, review: TheReview) -> ReadingOut:
    """An image was shown to the reader at full size; or `looked`: he has looked at them all (409 where he cannot)."""
    if given.sop_instance_uid is not None:
        return review.looks.view(reader, study_instance_uid, given.sop_instance_uid)
    return review.looks.looked(reader, study_instance_uid)


@router.post(
    "/studies/{study_instance_uid}/priors/{prior_study_instance_uid}/fetch",
    status_code=202,
    responses=declared(401, 403, 404, 409, 422),
)
def fetch_prior(
    study_instance_uid: Uid, prior_study_instance_uid: Uid, reader: MayLook, review: TheReview
) -> LedgerEntryOut:
    """Have the images of another earlier study fetched; the study has them, or says why not, at the next event."""
    return review.other_priors.ask(reader, study_instance_uid, prior_study_instance_uid)


@router.post("/drafts/{draft_id}/feedback", status_code=201, responses=declared(401, 403, 404, 422))
def give_feedback(draft_id: RowId, given: GiveRemark, reader: MayWrite, review: TheReview) -> RemarkOut:
    """Say what is wrong with a draft, or with one of its sentences."""
    return review.remarks.give(reader, draft_id, given)
