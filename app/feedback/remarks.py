"""Readers' remarks on drafts as one CSV file, de-identified: the use case behind `unirg feedback remarks`.

The same rules as for reports hold: sites that opted out stay here, free text is scrubbed, searched again, and left out
with its row where something known is found. No dates; pseudonyms are of this file alone; the order says nothing.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.access import Reader, Role
from app.db.report_tables import DraftRemark
from app.db.session import Database, unit_of_work
from app.db.tables import Draft, Instance, Study
from app.domain.identifiers import new_id
from app.errors import Conflict, NotAllowed
from app.feedback.headers import HeaderUnreadable, identity_in
from app.feedback.known import Known, known
from app.feedback.pseudonyms import Pseudonyms
from app.feedback.records import Refused
from app.feedback.scrubbing import Scrubber
from app.feedback.sites import names_of_site, opted_out, site_of
from app.feedback.source import PriorShown, people, prior_shown
from app.ports import Clock, ObjectStore

COLUMNS = (
    *("remark", "study", "site", "kind", "sentence_index", "section", "author", "flags", "sentence", "note"),
    *("draft_version", "model", "weights_digest", "prompt_version"),
)
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so would be computed by a spreadsheet."""


@dataclass(frozen=True, slots=True)
class WantedRemarks:
    """file: one that does not exist yet; since: given at this time or later; opted_out: as for reports."""

    file: Path
    since: datetime | None = None
    opted_out: tuple[str, ...] = ()


@dataclass(slots=True)
class RemarkTally:
    """What became of the remarks that were read."""

    export: str
    read: int = 0
    written: int = 0
    opted_out: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Remarked:
    """One remark with the draft that it is about, and what the record knows around it."""

    remark: DraftRemark = field(repr=False)
    draft: Draft = field(repr=False)
    study: Study = field(repr=False)
    images: tuple[Instance, ...] = field(repr=False)
    prior: PriorShown | None = field(repr=False)

    @property
    def sentence(self) -> Mapping[str, Any]:
        """As the draft has it; empty for a remark on the whole of it."""
        return next((row for row in self.draft.sentences if row["index"] == self.remark.sentence_index), {})

    def known(self) -> Known:
        """Whom and what the record's own columns name."""
        study, prior = self.study, self.prior.entry if self.prior else None
        return known(
            names=[study.patient_name, study.referring_physician],
            identifiers=[
                *(study.patient_id, study.accession_number, study.study_id_tag, study.study_instance_uid, study.id),
                *(self.draft.id, self.draft.prior_study_instance_uid, self.remark.id, self.remark.user_id),
                *(uid for image in self.images for uid in (image.sop_instance_uid, image.series_instance_uid)),
            ],
            places=[study.issuer],
            dates=[study.birth_date, study.study_date, *([prior.study_date] if prior else [])],
        )


@dataclass(frozen=True, slots=True)
class ExportRemarks:
    """names: new for each export, so that two files cannot be joined. page: remarks read in one transaction."""

    database: Database
    clock: Clock
    store: ObjectStore
    names: Pseudonyms = field(default_factory=Pseudonyms)
    page: int = 500

    def export(self, reader: Reader, wanted: WantedRemarks) -> RemarkTally:
        """Write the file; reading it, and its digest, are in the audit chain before it appears.

        Raises NotAllowed without the role admin, Conflict where the file exists, DatabaseUnavailable.
        """
        if Role.ADMIN not in reader.roles:
            raise NotAllowed("Only an administrator may take remarks out of the house; ask one.")
        if wanted.file.exists():
            raise Conflict(f"{wanted.file} exists; name a new file.")
        who, tally = f"user:{reader.username}", RemarkTally(new_id())
        everybody = known(names=people(self.database))
        rows = [row for page in self._pages(who, wanted, tally) for row in self._rows(page, wanted, everybody, tally)]
        text = _csv(sorted(rows))
        with unit_of_work(self.database, self.clock, who) as uow:
            uow.audit(
                "feedback.remarks_exported",
                export=tally.export,
                remarks=tally.written,
                refused=tally.refused.total(),
                opted_out=tally.opted_out.total(),
                since=wanted.since.isoformat() if wanted.since else "",
                sha256=hashlib.sha256(text).hexdigest(),
            )
        _publish(wanted.file, text)
        return tally

    def _pages(self, who: str, wanted: WantedRemarks, tally: RemarkTally) -> Iterator[list[Remarked]]:
        after: tuple[datetime, str] | None = None
        while True:
            with unit_of_work(self.database, self.clock, who) as uow:
                page = _page(uow.session, wanted.since, after, self.page)
                if not page:
                    return
                uow.audit("feedback.remarks_read", export=tally.export, remarks=len(page))
            yield page
            after = (page[-1].remark.given_at, page[-1].remark.id)

    def _rows(
        self, page: Sequence[Remarked], wanted: WantedRemarks, everybody: Known, tally: RemarkTally
    ) -> Iterator[tuple[str, ...]]:
        for found in page:
            tally.read += 1
            try:
                row = self._row(found, wanted, everybody, tally)
            except (HeaderUnreadable, Refused) as error:
                tally.refused[error.message] += 1
                continue
            if row is not None:
                tally.written += 1
                yield row

    def _row(
        self, found: Remarked, wanted: WantedRemarks, everybody: Known, tally: RemarkTally
    ) -> tuple[str, ...] | None:
        """None for a site that opted out."""
        prior = [image.object_key for image in found.prior.images] if found.prior else []
        seen = identity_in(self.store, [*(image.object_key for image in found.images), *prior])
        gone = opted_out(names_of_site(found.study, found.images, seen, found.prior), wanted.opted_out)
        if gone is not None:
            tally.opted_out[gone] += 1
            return None
        scrubber = Scrubber(found.known() | seen.known | everybody)
        remark, draft, sentence = found.remark, found.draft, found.sentence
        return (
            self.names.of("remark", remark.id),
            self.names.of("study", found.study.study_instance_uid),
            self.names.of("site", site_of(found.study, found.images, seen)),
            remark.kind,
            "" if remark.sentence_index is None else str(remark.sentence_index),
            sentence.get("section", ""),
            sentence.get("author", "model") if sentence else "",
            " ".join(sorted({flag["code"] for flag in sentence.get("flags", ())})),
            _said(scrubber, "sentence", sentence.get("text", "")),
            _said(scrubber, "note", remark.note),
            str(draft.version),
            draft.model,
            remark.weights_digest,
            draft.prompt_version,
        )


def _said(scrubber: Scrubber, place: str, text: str) -> str:
    said = scrubber.scrub(text).text
    if kind := scrubber.residue(said):
        raise Refused(f"{kind} of the record still occurs in the {place} after scrubbing")
    return said


def _page(session: Session, since: datetime | None, after: tuple[datetime, str] | None, limit: int) -> list[Remarked]:
    query = (
        sa.select(DraftRemark, Draft, Study)
        .join(Draft, Draft.id == DraftRemark.draft_id)
        .join(Study, Study.id == DraftRemark.study_id)
        .order_by(DraftRemark.given_at, DraftRemark.id)
        .limit(limit)
    )
    if since is not None:
        query = query.where(DraftRemark.given_at >= since)
    if after is not None:
        at, last = after
        later = sa.and_(DraftRemark.given_at == at, DraftRemark.id > last)
        query = query.where(sa.or_(DraftRemark.given_at > at, later))
    return [
        Remarked(remark, draft, study, _images(session, study), prior_shown(session, draft))
        for remark, draft, study in session.execute(query).all()
    ]


def _images(session: Session, study: Study) -> tuple[Instance, ...]:
    return tuple(session.scalars(sa.select(Instance).where(Instance.study_id == study.id).order_by(Instance.id)))


def _csv(rows: Sequence[tuple[str, ...]]) -> bytes:
    """RFC 4180, UTF-8."""
    text = io.StringIO(newline="")
    lines = csv.writer(text)
    lines.writerow(COLUMNS)
    lines.writerows([f"'{cell}" if cell.startswith(FORMULA) else cell for cell in row] for row in rows)
    return text.getvalue().encode()


def _publish(file: Path, text: bytes) -> None:
    """Whole or not at all, for its owner alone, and never in place of another."""
    part = file.with_name(f".{file.name}.part")
    try:
        part.unlink(missing_ok=True)  # left by an export that was killed
        part.touch(mode=0o600)
        part.write_bytes(text)
        file.hardlink_to(part)  # where the name is taken this fails; a rename would replace what is there
        part.unlink()
    except OSError as error:
        raise Conflict(f"{file} cannot be written ({error.strerror}); name a new file in a folder of yours.") from error
