"""The draft as a row: its sentences, its place among the study's drafts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.db.session import UnitOfWork
from app.db.tables import Draft, Study
from app.domain.identifiers import new_id
from app.domain.report import Flag, ModelText, Section, Sentence, Source
from app.drafting.plan import Plan

MODEL, SERVICE = "model", "service"


def existing(session: Session, study_id: str, plan: Plan) -> Draft | None:
    """The draft that was written from the same inputs by the same model, if there is one."""
    identity = plan.identity
    same = (
        Draft.study_id == study_id,
        Draft.input_hash == plan.input_hash,
        Draft.weights_digest == identity.weights_digest,
        Draft.prompt_version == identity.prompt_version,
    )
    return session.scalars(sa.select(Draft).where(*same)).one_or_none()


def stored(uow: UnitOfWork, study: Study, plan: Plan, said: ModelText, sentences: Sequence[Sentence]) -> Draft:
    """A new draft row. `text` is the model's, word for word, withheld sentences included: no reader is shown it."""
    latest = uow.session.scalar(sa.select(sa.func.max(Draft.version)).where(Draft.study_id == study.id)) or 0
    draft = Draft(
        id=new_id(),
        study_id=study.id,
        revision=study.revision,
        version=latest + 1,
        input_hash=plan.input_hash,
        model=plan.identity.name,
        weights_digest=plan.identity.weights_digest,
        prompt_version=plan.identity.prompt_version,
        image_digests=list(plan.image_digests),
        text=said.text,
        finish_reason=said.finish_reason,
        sentences=list(rows(plan, sentences)),
        prior_study_instance_uid=plan.prior.study_instance_uid if plan.prior else "",
        prior_study_date=plan.prior.date if plan.prior else "",
        created_at=uow.now,
    )
    uow.session.add(draft)
    uow.session.flush()
    return draft


def make_current(uow: UnitOfWork, study: Study, draft: Draft) -> None:
    """The one draft that is not stale."""
    set_aside(uow, study)
    draft.stale, draft.revision = False, study.revision
    study.current_draft_id = draft.id


def set_aside(uow: UnitOfWork, study: Study) -> None:
    """The study has no current draft any more."""
    uow.session.execute(sa.update(Draft).where(Draft.study_id == study.id).values(stale=True))
    study.current_draft_id = None


def rows(plan: Plan, sentences: Sequence[Sentence]) -> Iterator[dict[str, Any]]:
    """The sentences as they are stored; the first states the comparison, where there is one.

    author: "model" or "service"; the notes stand on the first sentence of the model.
    """
    stated = [_comparison(plan.prior.date)] if plan.prior else []
    for index, sentence in enumerate(stated):
        yield _row(index, sentence, SERVICE)
    for index, sentence in enumerate(sentences):
        flags: tuple[Flag, ...] = sentence.flags if index else (*plan.notes, *sentence.flags)
        yield _row(index + len(stated), replace(sentence, flags=flags), MODEL)


def _comparison(date: str) -> Sentence:
    """Written from the ledger, not by the model."""
    day = f"{date[:4]}-{date[4:6]}-{date[6:]}"
    return Sentence(0, Section.FINDINGS, f"Comparison: chest radiograph of {day}.", Source.PRIOR, None)


def _row(index: int, sentence: Sentence, author: str) -> dict[str, Any]:
    return {
        "index": index,
        "section": str(sentence.section),
        "text": sentence.text,
        "source": str(sentence.source),
        "logprob": sentence.logprob,
        "flags": [{"code": flag.code, "reason": flag.reason} for flag in sentence.flags],
        "author": author,
    }
