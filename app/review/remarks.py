"""What readers hold against drafts, kept beside the digest of the weights that wrote them."""

from __future__ import annotations

from dataclasses import dataclass

from app.access import Reader
from app.db.report_tables import DraftRemark
from app.db.session import Database, unit_of_work
from app.domain.identifiers import new_id
from app.domain.plain_text import lines
from app.domain.report import Remark
from app.ports import Clock
from app.rest.guard import actor
from app.review.reading import DraftGate
from app.review.reading_schemas import GiveRemark, RemarkOut
from app.review.rules import Contradiction
from app.review.views import find_draft


@dataclass(frozen=True, slots=True)
class RemarkOnDrafts:
    """POST …/feedback."""

    database: Database
    clock: Clock
    gate: DraftGate

    def give(self, reader: Reader, draft_id: str, given: GiveRemark) -> RemarkOut:
        """Raises NotFound, DraftWithheld, Contradiction for a sentence that the draft has not."""
        with unit_of_work(self.database, self.clock, actor(reader)) as uow:
            study, draft = find_draft(uow.session, draft_id)
            self.gate.require_draft(uow.session, reader, study, draft)
            index = given.sentence_index
            if index is not None and index not in {sentence["index"] for sentence in draft.sentences}:
                raise Contradiction(f"Sentence {index} is not in the draft; name one that is, or none.")
            row = DraftRemark(
                id=new_id(),
                draft_id=draft.id,
                study_id=study.id,
                user_id=reader.user_id,
                sentence_index=index,
                kind=given.kind,
                note=lines(given.note).strip(),
                weights_digest=draft.weights_digest,
                given_at=uow.now,
            )
            uow.session.add(row)
            facts = {"kind": str(given.kind), "sentence_index": index, "weights_digest": draft.weights_digest}
            uow.audit("draft.remarked", study.id, draft_id=draft.id, remark_id=row.id, **facts)
            return RemarkOut(
                id=row.id,
                draft_id=draft.id,
                sentence_index=index,
                kind=Remark(row.kind),
                note=row.note,
                weights_digest=row.weights_digest,
                given_at=row.given_at,
            )
