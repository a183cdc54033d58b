"""The signed reports of a period: the facts of each in one query, and their figures, each text read once.

A signed text never changes (LAW 5), so a report's figures are kept under its signature's digest, in this process.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.db.tables import Draft, Instance, Report, Study
from app.domain.identifiers import DOCUMENT_CLASSES
from app.domain.report import SIGNED
from app.errors import InvalidRequest, ServiceError
from app.oversight.rules import Figures, SignedText, figures

REMEMBERED = 50_000
"""Reports whose figures are kept, some 3 kB each; the longest unused are read again when they are asked for."""
AT_ONCE = 100
"""Reports whose texts are in memory at a time."""
PATIENCE = 8.0
"""Seconds that one request reads, or waits for another that reads."""


class StillReading(ServiceError):
    """A part of the reports has been read; the next request goes on from there."""

    http_status, retry, title = 503, True, "The reports are still being read"

    @property
    def members(self) -> Mapping[str, object]:
        """Extension members of the problem: reports read so far, and reports of the period."""
        return dict(zip(("read", "reports"), self.args[1:], strict=True))


@dataclass(frozen=True, slots=True)
class SignedReport:
    """One signed report without its text. draft_id, drafted_at and model facts are None without a draft."""

    id: str
    study_id: str
    signed_digest: str
    signed_at: datetime
    received_at: datetime
    issuer: str
    drafted_at: datetime | None
    model: str | None
    weights_digest: str | None
    prompt_version: str | None


@dataclass(frozen=True, slots=True)
class Origin:
    """What the study's images say of where they came from, as they were when it was signed. senders: AE titles."""

    senders: tuple[str, ...] = ()
    views: tuple[str, ...] = ()


def signed_reports(session: Session, since: datetime, until: datetime) -> list[SignedReport]:
    """Signed at `since` or later, before `until`; addenda do not count."""
    query = (
        sa.select(
            Report.id,
            Report.study_id,
            Report.signed_digest,
            Report.signed_at,
            Study.received_at,
            Study.issuer,
            Draft.created_at,
            Draft.model,
            Draft.weights_digest,
            Draft.prompt_version,
        )
        .join(Study, Study.id == Report.study_id)
        .join(Draft, Draft.id == Report.draft_id, isouter=True)
        .where(*_signed_in(since, until))
        .order_by(Report.signed_at, Report.id)
    )
    return [SignedReport(*cast("tuple[Any, ...]", row)) for row in session.execute(query)]


def origins(session: Session, since: datetime, until: datetime) -> dict[str, Origin]:
    """By study, for the reports signed in the period; images that came after the signature are left out."""
    query = (
        sa.select(Instance.study_id, Instance.calling_ae, Instance.view_position)
        .join(Report, Report.study_id == Instance.study_id)
        .where(*_signed_in(since, until), Instance.received_at <= Report.signed_at)
        .where(sa.not_(Instance.sop_class_uid.startswith(DOCUMENT_CLASSES)))
        .distinct()
    )
    senders: dict[str, set[str]] = {}
    views: dict[str, set[str]] = {}
    for study_id, sender, view in session.execute(query):
        senders.setdefault(study_id, set()).add(sender)
        views.setdefault(study_id, set()).add(view)
    return {at: Origin(_named(senders[at]), _named(views[at])) for at in senders}


def _named(names: set[str]) -> tuple[str, ...]:
    return tuple(sorted(filter(None, names)))


def _signed_in(since: datetime, until: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return Report.status.in_(SIGNED), Report.signed_at >= since, Report.signed_at < until


@dataclass(frozen=True, slots=True)
class KnownFigures:
    """Figures by report and signature; one request at a time reads texts, so that it slows nobody's signing much.

    patience: seconds. most: reports whose figures are kept.
    """

    patience: float = PATIENCE
    most: int = REMEMBERED
    _kept: OrderedDict[tuple[str, str], Figures] = field(default_factory=OrderedDict, init=False, repr=False)
    _kept_lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _reading: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def of(self, session: Session, reports: Sequence[SignedReport]) -> Mapping[str, Figures]:
        """By report id. Raises InvalidRequest for too many reports, StillReading where patience ends first."""
        if len(reports) > self.most:
            message = (
                f"{len(reports)} reports were signed in these days, {self.most} can be told of; ask for fewer days."
            )
            raise InvalidRequest(message)
        ends = time.monotonic() + self.patience
        found = self._recall(reports)
        if len(found) < len(reports) and self._reading.acquire(timeout=self.patience):
            try:
                found = self._recall(reports)
                self._read(session, [report for report in reports if report.id not in found], found, ends)
            finally:
                self._reading.release()
        if len(found) < len(reports):
            message = f"{len(found)} of {len(reports)} reports of this period have been read; ask again for the rest."
            raise StillReading(message, len(found), len(reports))
        return found

    def _read(self, session: Session, left: Sequence[SignedReport], found: dict[str, Figures], ends: float) -> None:
        digests = {report.id: report.signed_digest for report in left}
        for report_id, text in _texts(session, list(digests)):
            found[report_id] = figures(text)
            self._keep((report_id, digests[report_id]), found[report_id])
            if time.monotonic() > ends:
                return

    def _recall(self, reports: Sequence[SignedReport]) -> dict[str, Figures]:
        found = {}
        with self._kept_lock:
            for report in reports:
                key = (report.id, report.signed_digest)
                if key in self._kept:
                    self._kept.move_to_end(key)
                    found[report.id] = self._kept[key]
        return found

    def _keep(self, key: tuple[str, str], one: Figures) -> None:
        with self._kept_lock:
            self._kept[key] = one
            while len(self._kept) > self.most:
                self._kept.popitem(last=False)


def _texts(session: Session, report_ids: Sequence[str]) -> Iterator[tuple[str, SignedText]]:
    for start in range(0, len(report_ids), AT_ONCE):
        query = (
            sa.select(Report.id, Report.findings, Report.impression, Draft.sentences, Report.sentences)
            .join(Draft, Draft.id == Report.draft_id, isouter=True)
            .where(Report.id.in_(report_ids[start : start + AT_ONCE]))
        )
        for report_id, *text in session.execute(query).all():
            yield report_id, SignedText(*text)
