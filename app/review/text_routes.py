"""Templates, macros and worklist lists: what readers keep."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Response

from app.access import Action, Reader
from app.rest.guard import Allow
from app.rest.problems import declared
from app.rest.words import RowId
from app.review.services import TheReview
from app.review.text_schemas import ListOut, ListsOut, TextOut, TextsOut, WriteList, WriteText

router = APIRouter()
texts = APIRouter(prefix="/report-texts", tags=["texts"])
lists = APIRouter(prefix="/worklist-lists", tags=["studies"])
MayKeep = Annotated[Reader, Depends(Allow(Action.KEEP_TEXTS))]
InPerson = Annotated[Reader, Depends(Allow(Action.READ_IN_PERSON))]
IfMatch = Annotated[str | None, Header(description="The text's etag; a write without it is refused (428).")]


def _tagged(text: TextOut, response: Response) -> TextOut:
    response.headers["ETag"] = f'"{text.etag}"'
    return text


@texts.get("", responses=declared(401, 403))
def get_texts(reader: MayKeep, review: TheReview) -> TextsOut:
    """The site's templates and macros, and the asker's own."""
    return review.texts.all(reader)


@texts.post("", status_code=201, responses=declared(401, 403, 409, 422))
def add_text(given: WriteText, reader: MayKeep, review: TheReview, response: Response) -> TextOut:
    """Keep a template or macro; one of the site's only as an administrator."""
    return _tagged(review.texts.add(reader, given), response)


@texts.put("/{text_id}", responses=declared(400, 401, 403, 404, 409, 412, 422, 428))
def change_text(
    text_id: RowId, given: WriteText, reader: MayKeep, review: TheReview, response: Response, if_match: IfMatch = None
) -> TextOut:
    """Replace all of it but its scope."""
    return _tagged(review.texts.change(reader, text_id, if_match, given), response)


@texts.delete("/{text_id}", status_code=204, responses=declared(401, 403, 404, 412, 422, 428))
def remove_text(text_id: RowId, reader: MayKeep, review: TheReview, if_match: IfMatch = None) -> None:
    """Remove it; reports that it was put into keep their text."""
    review.texts.remove(reader, text_id, if_match)


@lists.get("", responses=declared(401, 403))
def get_lists(reader: InPerson, review: TheReview) -> ListsOut:
    """The asker's worklist filters."""
    return review.lists.all(reader)


@lists.post("", status_code=201, responses=declared(401, 403, 409, 422))
def add_list(given: WriteList, reader: InPerson, review: TheReview) -> ListOut:
    """Keep a filter under a name; 409 where the asker has a list of this name."""
    return review.lists.add(reader, given)


@lists.get("/{list_id}", responses=declared(401, 403, 404, 422))
def get_list(list_id: RowId, reader: InPerson, review: TheReview) -> ListOut:
    """One of them."""
    return review.lists.get(reader, list_id)


@lists.put("/{list_id}", responses=declared(401, 403, 404, 409, 422))
def replace_list(list_id: RowId, given: WriteList, reader: InPerson, review: TheReview) -> ListOut:
    """Name and filter anew; 409 where another list of the asker has this name."""
    return review.lists.replace(reader, list_id, given)


@lists.delete("/{list_id}", status_code=204, responses=declared(401, 403, 404, 422))
def remove_list(list_id: RowId, reader: InPerson, review: TheReview) -> None:
    """Forget it."""
    review.lists.remove(reader, list_id)


router.include_router(texts)
router.include_router(lists)
