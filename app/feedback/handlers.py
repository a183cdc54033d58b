"""Export signed reports beside their drafts, de-identified: the use case behind `unirg feedback export`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from app.access import Reader, Role
from app.db.session import Database, unit_of_work
from app.domain.identifiers import new_id
from app.errors import NotAllowed
from app.feedback.card import data_card
from app.feedback.files import ExportFolder
from app.feedback.headers import HeaderUnreadable, identity_in
from app.feedback.known import Known, known
from app.feedback.pictures import Pictures
from app.feedback.pseudonyms import Pseudonyms
from app.feedback.records import Record, RecordMaker, Refused, known_of
from app.feedback.sites import names_of_site, opted_out, site_of
from app.feedback.source import SignedCase, SignedReports, people
from app.ports import Clock, ObjectStore


@dataclass(frozen=True, slots=True)
class Wanted:
    """since: signed at this time or later; opted_out: AE titles, institutions and issuers that take no part."""

    folder: Path
    since: datetime | None = None
    opted_out: tuple[str, ...] = ()


@dataclass(slots=True)
class Tally:
    """What became of the reports that were read; every count is of this export alone."""

    export: str
    read: int = 0
    records: int = 0
    changes: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    sites: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    removed: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    opted_out: Counter[str] = field(default_factory=Counter)
    pictures: int = 0
    pictures_left: Counter[str] = field(default_factory=Counter)
    patients: set[str] = field(default_factory=set)
    priors: int = 0
    files: dict[str, str] = field(default_factory=dict)

    def add(self, record: Record, removed: Counter[str]) -> None:
        """Count one exported record."""
        self.records += 1
        self.priors += record["prior_given"]
        self.patients.add(record["patient"])
        self.statuses[record["status"]] += 1
        self.sites[record["site"]] += 1
        self.models[record["model"]["name"] if record["model"] else "none (report from nothing)"] += 1
        self.changes.update(row["change"] for row in record["sentences"])
        self.removed.update(removed)


@dataclass(frozen=True, slots=True)
class ExportFeedback:
    """pictures: None exports no pixels. names: new for each export, so that two exports cannot be joined.

    page: so many reports are read in one transaction.
    """

    database: Database
    clock: Clock
    store: ObjectStore
    pictures: Pictures | None = None
    names: Pseudonyms = field(default_factory=Pseudonyms)
    page: int = 200

    def export(self, reader: Reader, wanted: Wanted) -> Tally:
        """Write the folder. Whoever exports, when, how many: in the audit chain, with the digests of the files.

        Raises NotAllowed without the role admin, Conflict where the folder exists, DatabaseUnavailable.
        """
        if Role.ADMIN not in reader.roles:
            raise NotAllowed("Only an administrator may take reports out of the house; ask one.")
        who, tally = f"user:{reader.username}", Tally(new_id())
        source = SignedReports(self.database, self.clock, who, tally.export, wanted.since, self.page)
        everybody = known(names=people(self.database))
        stayed: list[tuple[str, str]] = []
        with ExportFolder(wanted.folder) as folder:
            for page in source.pages():
                stayed += self._page(page, wanted, everybody, folder, tally)
            tally.files = folder.finish(data_card(tally, wanted.opted_out))
            self._audit(who, wanted, tally, stayed)
            folder.publish()
        return tally

    def _page(
        self, page: Iterable[SignedCase], wanted: Wanted, everybody: Known, folder: ExportFolder, tally: Tally
    ) -> list[tuple[str, str]]:
        """The records of one page in the order of their pseudonyms, which says nothing; returns what was refused."""
        records, stayed = [], []
        for case in page:
            tally.read += 1
            try:
                record = self._record(case, wanted, everybody, tally)
            except (HeaderUnreadable, Refused) as error:
                tally.refused[error.message] += 1
                folder.refuse(self.names.of("record", case.report.id), error.message)
                stayed.append((case.study.id, error.message))
                continue
            if record is not None:
                self._keep_pictures(case, folder, tally)
                records.append(record)
        folder.write(sorted(records, key=lambda record: str(record["record"])))
        return stayed

    def _record(self, case: SignedCase, wanted: Wanted, everybody: Known, tally: Tally) -> Record | None:
        """None for a site that opted out."""
        prior = [image.object_key for image in case.prior.images] if case.prior else []
        seen = identity_in(self.store, [*(image.object_key for image in case.instances), *prior])
        gone = opted_out(names_of_site(case.study, case.instances, seen, case.prior), wanted.opted_out)
        if gone is not None:
            tally.opted_out[gone] += 1
            return None
        site = self.names.of("site", site_of(case.study, case.instances, seen))
        maker = RecordMaker(case, self.names, known_of(case) | seen.known | everybody, site)
        record = maker.make()
        tally.add(record, maker.removed)
        return record

    def _keep_pictures(self, case: SignedCase, folder: ExportFolder, tally: Tally) -> None:
        for digest, found in (self.pictures.of(case) if self.pictures else {}).items():
            if isinstance(found, bytes):
                folder.picture(digest, found)
                tally.pictures += 1
            else:
                tally.pictures_left[found] += 1

    def _audit(self, who: str, wanted: Wanted, tally: Tally, stayed: Iterable[tuple[str, str]]) -> None:
        """Before the folder appears: an export that nobody could note is none. The chain may name refused studies."""
        with unit_of_work(self.database, self.clock, who) as uow:
            for study_id, reason in stayed:
                uow.audit("feedback.refused", study_id, export=tally.export, reason=reason)
            uow.audit(
                "feedback.exported",
                export=tally.export,
                records=tally.records,
                refused=tally.refused.total(),
                opted_out=tally.opted_out.total(),
                pictures=tally.pictures,
                since=wanted.since.isoformat() if wanted.since else "",
                files=tally.files,
            )
