"""Signed reports as they stand in the record, read page by page with an entry in the audit chain for each page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.db.report_tables import CriticalResult, WithdrawnReport
from app.db.session import Database, unit_of_work
from app.db.tables import Addendum, Draft, Instance, PriorEntry, PriorImageRow, Report, Study, User
from app.domain.priors import PriorDecision
from app.domain.report import ReportStatus
from app.ports import Clock

Value = TypeVar("Value")
SIGNED = (ReportStatus.FINAL, ReportStatus.APPENDED)


@dataclass(frozen=True, slots=True)
class PriorShown:
    """The prior that the model was shown beside the film; entry: None where the ledger no longer has it.

    senders: AE titles that sent it to us; empty for one that a peer was asked for.
    """

    entry: PriorEntry | None
    images: tuple[PriorImageRow, ...] = ()
    senders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SignedCase:
    """One signed report with all that the record holds on how it came to be.

    draft: None for a report from nothing; number: of the study among the patient's exported ones, from 1, by date;
    withdrawn: how many wordings were given up before; told: whom critical findings were told to.
    """

    report: Report = field(repr=False)
    study: Study = field(repr=False)
    draft: Draft | None = field(repr=False)
    number: int
    prior: PriorShown | None = field(repr=False)
    instances: tuple[Instance, ...] = field(repr=False)
    addenda: tuple[Addendum, ...] = field(repr=False)
    withdrawn: int
    told: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignedReports:
    """export: its name in the audit chain; since: signed at this time or later; page: reports in a transaction."""

    database: Database
    clock: Clock
    actor: str
    export: str
    since: datetime | None = None
    page: int = 200

    def pages(self) -> Iterator[list[SignedCase]]:
        """In order of signing. What is read is audited in the transaction that reads it."""
        after: tuple[datetime, str] | None = None
        while True:
            with unit_of_work(self.database, self.clock, self.actor) as uow:
                rows = self._rows(uow.session, after)
                if not rows:
                    return
                cases = _cases(uow.session, rows)
                uow.audit("feedback.read", export=self.export, reports=len(cases))
            yield cases
            last = rows[-1][0]
            after = (last.signed_at or uow.now, last.id)

    def _rows(self, session: Session, after: tuple[datetime, str] | None) -> list[tuple[Report, Study, int]]:
        number = sa.func.row_number().over(
            partition_by=(Study.patient_id, Study.issuer),
            order_by=(Study.study_date, Study.study_time, Study.received_at, Study.id),
        )
        wanted = [Report.status.in_(SIGNED), *([Report.signed_at >= self.since] if self.since else [])]
        numbered = sa.select(Report.id, number.label("number")).join(Study, Study.id == Report.study_id).where(*wanted)
        counted = numbered.subquery()
        query = (
            sa.select(Report, Study, counted.c.number)
            .join(counted, counted.c.id == Report.id)
            .join(Study, Study.id == Report.study_id)
            .order_by(Report.signed_at, Report.id)
            .limit(self.page)
        )
        if after is not None:
            at, last = after
            query = query.where(sa.or_(Report.signed_at > at, sa.and_(Report.signed_at == at, Report.id > last)))
        return [(report, study, int(place)) for report, study, place in session.execute(query)]


def people(database: Database) -> tuple[str, ...]:
    """Names and login names of everybody who logs in here."""
    with database.reading() as session:
        rows = session.execute(sa.select(User.name, User.username).where(User.password_hash != ""))
        return tuple(word for row in rows for word in row)


def _cases(session: Session, rows: Sequence[tuple[Report, Study, int]]) -> list[SignedCase]:
    reports, studies = [report.id for report, _, _ in rows], [study.id for _, study, _ in rows]
    wanted = [report.draft_id for report, _, _ in rows if report.draft_id]
    drafts = {draft.id: draft for draft in session.scalars(sa.select(Draft).where(Draft.id.in_(wanted)))}
    instances = _grouped(
        session, sa.select(Instance.study_id, Instance).where(Instance.study_id.in_(studies)).order_by(Instance.id)
    )
    addenda = _grouped(
        session,
        sa.select(Addendum.report_id, Addendum).where(Addendum.report_id.in_(reports)).order_by(Addendum.number),
    )
    given_up = _grouped(
        session,
        sa.select(WithdrawnReport.report_id, WithdrawnReport.id).where(WithdrawnReport.report_id.in_(reports)),
    )
    told = _grouped(
        session,
        sa.select(CriticalResult.report_id, CriticalResult.told_to).where(CriticalResult.report_id.in_(reports)),
    )
    return [
        SignedCase(
            report,
            study,
            draft := drafts.get(report.draft_id or ""),
            number,
            prior_shown(session, draft),
            tuple(instances[study.id]),
            tuple(addenda[report.id]),
            len(given_up[report.id]),
            tuple(told[report.id]),
        )
        for report, study, number in rows
    ]


def _grouped(session: Session, query: sa.Select[str, Value]) -> defaultdict[str, list[Value]]:
    groups: defaultdict[str, list[Value]] = defaultdict(list)
    for key, value in session.execute(query):
        groups[key].append(value)
    return groups


def prior_shown(session: Session, draft: Draft | None) -> PriorShown | None:
    """What the draft was compared with; None where it was written without a prior."""
    if draft is None or not draft.prior_study_instance_uid:
        return None
    query = (
        sa.select(PriorEntry)
        .where(PriorEntry.study_id == draft.study_id, PriorEntry.decision == PriorDecision.CHOSEN)
        .where(PriorEntry.study_instance_uid == draft.prior_study_instance_uid)
        .order_by(PriorEntry.revision.desc())
    )
    entry = session.scalars(query).first()
    sent = sa.select(Instance.calling_ae).join(Study).where(Study.study_instance_uid == draft.prior_study_instance_uid)
    senders = tuple(session.scalars(sent.distinct()))
    if entry is None:
        return PriorShown(None, senders=senders)
    images = sa.select(PriorImageRow).where(PriorImageRow.entry_id == entry.id).order_by(PriorImageRow.sop_instance_uid)
    return PriorShown(entry, tuple(session.scalars(images)), senders)
