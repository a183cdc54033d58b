"""Signing: the password again, every draft sentence decided, and from then on the text never changes (LAW 5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import sqlalchemy as sa

from app.access import Reader
from app.db.session import Database, UnitOfWork, unit_of_work
from app.db.tables import Addendum, Instance, Report, Study
from app.domain.events import AddendumSigned, ReportSigned
from app.domain.identifiers import new_id
from app.domain.report import SIGNED, Decision, ReportStatus
from app.domain.signature import Signature, SignedStudy, addendum_digest, report_digest
from app.domain.study import Stage, Step
from app.errors import Conflict
from app.ports import Clock
from app.rest.guard import actor
from app.review import locks, rules
from app.review.critical import open_findings
from app.review.handlers import (
    draft_lines,
    locked_rows,
    note,
    refuse_closed,
    refuse_stale_draft,
    refuse_stale_version,
)
from app.review.reading import DraftGate
from app.review.report_schemas import ReportOut
from app.review.report_views import find_report, report_out


class Confirm(Protocol):
    """Whether the person at the keyboard still is the reader."""

    def __call__(self, reader: Reader, password: str, address: str) -> None:
        """Raises NotAllowed, TooManyRequests."""
        ...


@dataclass(frozen=True, slots=True)
class Credential:
    """What a signer gives: the password again, from where, and what the signature means."""

    password: str
    address: str
    meaning: str


class SignatureStale(Conflict):
    """The text was changed since its signer read it: what stands there now is not what he meant to sign."""

    title = "The report has changed"


@dataclass(frozen=True, slots=True)
class SignReports:
    """decided: hears how many sentences met which decision, once per signed report."""

    database: Database
    clock: Clock
    gate: DraftGate
    confirm: Confirm
    decided: Callable[[Mapping[Decision, int]], None]

    def sign(self, reader: Reader, report_id: str, if_match: str | None, given: Credential) -> ReportOut:
        """Make the report final.

        Raises AlreadySigned, VersionRequired, SignatureStale, StudyLocked, DraftWithheld, DraftStale, NotReadyToSign,
        IllegalTransition, and what `confirm` raises.
        """
        with self.database.reading() as session:
            report = find_report(session, report_id)
            refuse_closed(report)
            refuse_stale_version(report, if_match, SignatureStale)
            self.gate.require_report(session, reader, session.get_one(Study, report.study_id), report)
        self.confirm(reader, given.password, given.address)
        with unit_of_work(self.database, self.clock, actor(reader)) as uow:
            study, report = locked_rows(uow, report_id)
            refuse_closed(report)
            refuse_stale_version(report, if_match, SignatureStale)
            locks.hold(uow, study, reader)
            _refuse_unready(uow, study, report)
            _sign(uow, study, report, _signature(uow, reader, given.meaning))
            locks.free(uow, study, reader)
            uow.emit(ReportSigned(study.id, report.id))
            uow.session.flush()
            signed = report_out(uow.session, report)
        self.decided(Counter(sentence.decision for sentence in signed.sentences))
        return signed

    def add(self, reader: Reader, report_id: str, text: str, given: Credential) -> ReportOut:
        """Add to a signed report. Raises Conflict where it is not signed, and what `confirm` raises."""
        with self.database.reading() as session:
            _require_signed(find_report(session, report_id))
        self.confirm(reader, given.password, given.address)
        with unit_of_work(self.database, self.clock, actor(reader)) as uow:
            study, report = locked_rows(uow, report_id)
            _require_signed(report)
            addendum = _addendum(uow, report, text, _signature(uow, reader, given.meaning))
            report.status, report.version, report.updated_at = ReportStatus.APPENDED, report.version + 1, uow.now
            study.addendum_suggested = False
            uow.move(study, Step.ADDENDUM_SIGNED)
            facts = {"addendum_id": addendum.id, "signed_digest": addendum.signed_digest}
            note(uow, study, "report.addendum_signed", report_id=report.id, **facts)
            uow.emit(AddendumSigned(study.id, addendum.id))
            uow.session.flush()
            return report_out(uow.session, report)


def _require_signed(report: Report) -> None:
    if report.status not in SIGNED:
        message = "Only a signed report takes an addendum; this one can still be changed itself."
        raise Conflict(message)


def _refuse_unready(uow: UnitOfWork, study: Study, report: Report) -> None:
    refuse_stale_draft(uow.session, study, report)
    if study.stage is not Stage.IN_REVIEW:
        message = f"The study is {study.stage}: its images or priors changed. Look at them, save the report, then sign."
        raise Conflict(message)
    decided = [rules.DecidedSentence(s["index"], Decision(s["decision"]), s["text"]) for s in report.sentences]
    lines = draft_lines(uow.session, report.draft_id)
    reasons = rules.objections(lines, decided, report.findings, report.impression)
    if open_findings(uow.session, report):
        reasons.append("a critical result was told to nobody yet")
    if reasons:
        message = f"Before signing: {'; '.join(reasons)}."
        raise rules.NotReadyToSign(message, *reasons)


def _signature(uow: UnitOfWork, reader: Reader, meaning: str) -> Signature:
    return Signature(reader.user_id, reader.name, uow.now, meaning)


def _sign(uow: UnitOfWork, study: Study, report: Report, signature: Signature) -> None:
    about = SignedStudy(study.study_instance_uid, study.patient.key)
    report.signer_id, report.signer_name = signature.signer_id, signature.name
    report.signed_at, report.meaning = signature.signed_at, signature.meaning
    report.signed_digest = report_digest(report.id, about, report.findings, report.impression, signature)
    report.status, report.version, report.updated_at = ReportStatus.FINAL, report.version + 1, uow.now
    uow.move(study, Step.SIGNED)
    images = sorted(uow.session.scalars(sa.select(Instance.digest).where(Instance.study_id == study.id)))
    facts = {"signed_digest": report.signed_digest, "image_digests": images, "reading_mode": report.reading_mode}
    note(uow, study, "report.signed", report_id=report.id, **facts)


def _addendum(uow: UnitOfWork, report: Report, text: str, signature: Signature) -> Addendum:
    last = sa.select(sa.func.max(Addendum.number)).where(Addendum.report_id == report.id)
    number = (uow.session.scalar(last) or 0) + 1
    row = Addendum(
        id=new_id(),
        report_id=report.id,
        number=number,
        text=text,
        signer_id=signature.signer_id,
        signer_name=signature.name,
        signed_at=signature.signed_at,
        meaning=signature.meaning,
        signed_digest=addendum_digest(report.signed_digest, number, text, signature),
    )
    uow.session.add(row)
    return row
