"""All that a draft is written from, as it stands in the record: read once, before the long work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.db.tables import Instance, PriorEntry, PriorImageRow, Study
from app.domain.priors import PriorDecision, PriorOutcome
from app.domain.study import Step, after
from app.errors import NotFound


@dataclass(frozen=True, slots=True)
class StoredPrior:
    """A prior the ledger chose. date: YYYYMMDD, valid; object_keys: of its retrieved images."""

    study_instance_uid: str
    date: str
    report_text: str = field(repr=False)
    object_keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DraftCase:
    """One study to draft.

    object_keys: of its objects in order of arrival; prior: None unless it was truly retrieved (LAW 4).
    """

    study_id: str
    sex: str = field(repr=False)
    indication: str = field(repr=False)
    object_keys: tuple[str, ...]
    prior: StoredPrior | None


def read_case(session: Session, study_id: str) -> DraftCase:
    """Raises NotFound, and IllegalTransition where the study waits for no draft (somebody reads it by hand)."""
    study = session.get(Study, study_id)
    if study is None:
        message = "No study has this id; it may have been removed."
        raise NotFound(message)
    after(study.stage, Step.DRAFT_WRITTEN)
    return case_of(session, study)


def case_of(session: Session, study: Study) -> DraftCase:
    """The same at any stage."""
    objects = sa.select(Instance.object_key).where(Instance.study_id == study.id)
    keys = session.scalars(objects.order_by(Instance.received_at, Instance.sop_instance_uid))
    return DraftCase(study.id, study.sex, study.indication, tuple(keys), _prior(session, study))


def _prior(session: Session, study: Study) -> StoredPrior | None:
    if study.prior_outcome != PriorOutcome.FOUND:
        return None
    query = (
        sa.select(PriorEntry)
        .where(PriorEntry.study_id == study.id, PriorEntry.revision == study.revision)
        .where(PriorEntry.decision == PriorDecision.CHOSEN)
        .order_by(PriorEntry.rank)
    )
    chosen = session.scalars(query).first()
    if chosen is None or not _is_date(chosen.study_date):
        return None
    images = sa.select(PriorImageRow.object_key).where(PriorImageRow.entry_id == chosen.id)
    keys: Sequence[str] = session.scalars(images.order_by(PriorImageRow.sop_instance_uid)).all()
    return StoredPrior(chosen.study_instance_uid, chosen.study_date, chosen.report_text, tuple(keys))


def _is_date(value: str) -> bool:
    try:
        return bool(datetime.strptime(value, "%Y%m%d").date())  # noqa: DTZ007 - a calendar day has no zone
    except ValueError:
        return False
