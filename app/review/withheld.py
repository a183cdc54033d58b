"""The gate before a draft as a condition of a query: for the worklist, which asks of a thousand studies at once."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from app.access import Reader
from app.db.report_tables import OwnText, ViewReceipt
from app.db.tables import Draft, Instance, Report, Study
from app.domain.identifiers import DOCUMENT_CLASSES
from app.domain.reading import ReadingMode, ReadingModes
from app.domain.report import SIGNED, ReportStatus

RANKS = tuple(ReadingMode)
"""By strictness."""
_OF_THE_STUDY = (Instance.study_id == Study.id, sa.not_(Instance.sop_class_uid.startswith(DOCUMENT_CLASSES)))


def is_shown(modes: ReadingModes, reader: Reader) -> sa.ColumnElement[bool]:
    """Whether `DraftGate` shows the reader the Draft of the enclosing query, whose Study is in it too."""
    answers = {
        ReadingMode.DRAFT_FIRST: sa.true(),
        ReadingMode.LOOK_FIRST: _has_looked(reader),
        ReadingMode.SECOND_READER: _has_written(reader),
    }
    return sa.case({mode.value: answer for mode, answer in answers.items()}, value=_mode(modes), else_=sa.false())


def _mode(modes: ReadingModes) -> sa.ColumnElement[str]:
    """A report that is open keeps its own; what is signed is shown as if the draft came first."""
    kept = sa.case((Report.status.in_(SIGNED), ReadingMode.DRAFT_FIRST.value), else_=Report.reading_mode)
    begun = sa.select(kept).where(Report.study_id == Study.id, Report.status != ReportStatus.CANCELLED)
    return sa.func.coalesce(begun.correlate(Study).scalar_subquery(), _configured(modes), modes.default.value)


def _configured(modes: ReadingModes) -> sa.ColumnElement[Any]:
    """The strictest among those of the senders; None where nobody sent an image."""
    if set(modes.sites.values()) <= {modes.default}:
        return sa.literal(modes.default.value)
    by_sender = {sender: RANKS.index(mode) for sender, mode in modes.sites.items()}
    rank = sa.case(by_sender, value=Instance.calling_ae, else_=RANKS.index(modes.default))
    strictest = sa.select(sa.func.max(rank)).where(*_OF_THE_STUDY).correlate(Study).scalar_subquery()
    return sa.case({number: mode.value for number, mode in enumerate(RANKS)}, value=strictest, else_=None)


def _has_looked(reader: Reader) -> sa.ColumnElement[bool]:
    """Every image of the draft's set was shown to the reader, who said afterwards that he has looked."""
    image = sa.select(Instance.id).where(*_OF_THE_STUDY, Instance.revision <= Draft.revision)
    receipt = (ViewReceipt.study_id == Study.id, ViewReceipt.user_id == reader.user_id)
    same = ViewReceipt.sop_instance_uid == Instance.sop_instance_uid
    looked = sa.select(ViewReceipt.id).where(*receipt, same, ViewReceipt.looked_at.is_not(None))
    missing = image.where(sa.not_(looked.correlate(Study, Instance).exists()))
    return sa.and_(image.correlate(Study, Draft).exists(), sa.not_(missing.correlate(Study, Draft).exists()))


def _has_written(reader: Reader) -> sa.ColumnElement[bool]:
    """The reader saved text of his own, for the draft's image set or a later one."""
    mine = (OwnText.user_id == reader.user_id, OwnText.revision >= Draft.revision)
    texts = sa.select(OwnText.report_id).join(Report, Report.id == OwnText.report_id)
    return texts.where(Report.study_id == Study.id, *mine).correlate(Study, Draft).exists()
