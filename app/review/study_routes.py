"""Studies, drafts, frames, locks; the worklist hangs on them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Response

from app.access import Action, Reader
from app.domain.imaging import DisplayFrame
from app.rest.etags import is_current
from app.rest.guard import Allow
from app.rest.problems import declared
from app.rest.words import RowId, Uid
from app.review import views, worklist_routes
from app.review.schemas import DraftOut, LockOut, StudyOut, StudyStateOut
from app.review.services import TheReview

router = APIRouter(tags=["studies"])
router.include_router(worklist_routes.router)
MayRead = Annotated[Reader, Depends(Allow(Action.READ_STUDIES))]
MayWrite = Annotated[Reader, Depends(Allow(Action.WRITE_REPORTS))]
MayRedraft = Annotated[Reader, Depends(Allow(Action.REQUEST_DRAFTS))]
FRAME: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Rows x Columns unsigned 16-bit little-endian values, row by row; larger is brighter.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        "headers": {
            name: {"schema": {"type": "string"}}
            for name in ("ETag", "X-Rows", "X-Columns", "X-Window-Center", "X-Window-Width", "X-Pixel-Spacing")
        },
    },
    304: {"description": "The frame with the tag in If-None-Match is still the right one."},
}


@router.get("/studies/{study_instance_uid}", responses=declared(401, 403, 404, 422))
def get_study(study_instance_uid: Uid, reader: MayRead, review: TheReview) -> StudyOut:
    """State, image set, prior ledger, current draft, report, and the reasons for each."""
    now = review.clock.now()
    with review.database.reading() as session:
        row = views.study_by_uid(session, study_instance_uid)
        reading = review.gate.reading_out(session, reader, row)
        study = views.study_out(session, now, reader, row, reading)
    review.trail.note(reader, "read.study", row.id)
    return study


@router.get("/drafts/{draft_id}", responses=declared(401, 403, 404, 422))
def get_draft(draft_id: RowId, reader: MayRead, review: TheReview) -> DraftOut:
    """What the model wrote, sentence by sentence; also a stale draft."""
    with review.database.reading() as session:
        study, row = views.find_draft(session, draft_id)
        review.gate.require_draft(session, reader, study, row)
        draft = views.draft_out(session, study, row)
    review.trail.note(reader, "read.draft", study.id, draft_id=draft_id)
    return draft


@router.get(
    "/instances/{sop_instance_uid}/display",
    response_class=Response,
    responses={**FRAME, **declared(401, 403, 404, 422)},
)
def get_frame(
    sop_instance_uid: Uid, reader: MayRead, review: TheReview, if_none_match: Annotated[str | None, Header()] = None
) -> Response:
    """The image as a LINEAR window shows it right: VOI LUT, SIGMOID and polarity are in the values."""
    image = review.frames.find(reader, sop_instance_uid)
    tag = f'"{image.etag}"'
    if is_current(tag, if_none_match):
        return Response(status_code=304, headers={"ETag": tag})
    frame = review.frames.render(image)
    return Response(frame.pixels, media_type="application/octet-stream", headers={"ETag": tag, **_geometry(frame)})


def _geometry(frame: DisplayFrame) -> dict[str, str]:
    headers = {
        "X-Rows": str(frame.rows),
        "X-Columns": str(frame.columns),
        "X-Window-Center": f"{frame.window_center:.10g}",
        "X-Window-Width": f"{frame.window_width:.10g}",
        "X-Max-Value": str(frame.max_value),
    }
    if frame.row_spacing_mm is not None and frame.column_spacing_mm is not None:
        headers["X-Pixel-Spacing"] = f"{frame.row_spacing_mm:.10g},{frame.column_spacing_mm:.10g}"
        headers["X-Pixel-Spacing-Calibrated"] = "yes" if frame.spacing_calibrated else "no"
    if frame.orientation:
        headers["X-Patient-Orientation"] = ",".join(frame.orientation)
    return headers


@router.post("/studies/{study_instance_uid}/claim", responses=declared(401, 403, 404, 409, 422))
def claim(study_instance_uid: Uid, reader: MayWrite, review: TheReview) -> LockOut:
    """Take the study for writing, or renew; the lease lasts 60 s. 409 names the owner."""
    return review.locks.claim(reader, study_instance_uid)


@router.delete("/studies/{study_instance_uid}/claim", status_code=204, responses=declared(401, 403, 404, 422))
def release(study_instance_uid: Uid, reader: MayWrite, review: TheReview) -> None:
    """Give the lease back."""
    review.locks.release(reader, study_instance_uid)


@router.post("/studies/{study_instance_uid}/redraft", status_code=202, responses=declared(401, 403, 404, 409, 422))
def redraft(study_instance_uid: Uid, reader: MayRedraft, review: TheReview) -> StudyStateOut:
    """Search priors and draft again; the draft that there is stays until the new one is written."""
    return review.redraft.ask(reader, study_instance_uid)
