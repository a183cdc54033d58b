"""One search: which candidates there are, which of them is truly there, and how it ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from app.db.session import Database
from app.domain.priors import LedgerEntry, PriorDecision, PriorLedger, PriorOutcome, Standing
from app.errors import ArchiveUnavailable, CannotUnderstand
from app.ports import Archive, RetrievedObject
from app.priors.listing import Listed, merge
from app.priors.own_studies import OWN, own_candidates, own_objects, own_report
from app.priors.rules import RADIOGRAPHY, CurrentStudy, PriorRules, Verdict, is_date
from app.priors.verification import Looked, Verification

NO_ARCHIVE = "no archive is configured; only studies received here were searched"
NO_PATIENT_ID = "the study has no patient ID; whose earlier studies to look for is not known"
UNREADABLE = "an earlier study is there, and its images cannot be read"
NONE_KNOWN = "every archive answered, and none has an earlier study of this patient"
NONE_USABLE = "every archive answered; the earlier studies are no frontal chest radiographs, or not earlier"
NO_DATE = "the study has no study date, so no other can be shown to be earlier"

Answer = TypeVar("Answer")


@dataclass
class Search:
    """Runs once. last: no further attempt will be made; ends: on the monotonic clock, when no more archive is called.

    failures: what an archive did not do; doubts: candidates whose patient is not certain.
    """

    current: CurrentStudy
    rules: PriorRules
    database: Database
    archives: Sequence[Archive]
    verification: Verification
    last: bool
    ends: float
    failures: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    def run(self) -> PriorLedger:
        """The whole ledger. Raises ArchiveUnavailable where a further attempt may bring more."""
        if not self.current.patient.key.patient_id:
            return PriorLedger(PriorOutcome.IDENTITY_UNCERTAIN, NO_PATIENT_ID)
        if not is_date(self.current.study_date):
            return PriorLedger(PriorOutcome.UNAVAILABLE, NO_DATE)
        entries = self._decide(self._list())
        chosen = next((entry for entry in entries if entry.decision is PriorDecision.CHOSEN), None)
        return self._found(entries, chosen) if chosen else self._not_found(entries)

    def look_at(self, study_instance_uid: str) -> LedgerEntry | None:
        """One earlier study, listed, judged and fetched anew, without its report; None where nobody lists it any more.

        Any doubt about whose it is refuses it. Raises ArchiveUnavailable where a further attempt may bring it.
        """
        listed = (one for one in self._list() if one.candidate.study_instance_uid == study_instance_uid)
        study = next(listed, None)
        if study is None:
            if self.failures:
                raise ArchiveUnavailable("; ".join(self.failures))
            return None
        verdict = study.judge(self.current)
        entry = self._look_into(study, verdict.reason) if verdict.accepted else _rejected(study, verdict)
        if self.doubts:
            return replace(entry, reason="; ".join(self.doubts), images=(), standing=Standing.IDENTITY)
        return entry

    def _list(self) -> list[Listed]:
        since = self.rules.since(self.current.study_date)
        with self.database.reading() as session:
            found = own_candidates(session, self.current, since)
        for archive in self.archives:
            asked = archive.find_studies
            found += self._ask(lambda a=asked: a(self.current.patient.key, self.current.study_date, since)) or ()  # type: ignore[misc]
        return merge(found, self.current)

    def _ask(self, question: Callable[[], Answer]) -> Answer | None:
        """An archive's answer; None, and a failure noted, where it gave none."""
        try:
            if time.monotonic() > self.ends:
                raise ArchiveUnavailable("the search took too long; a further archive was not called")
            return question()
        except ArchiveUnavailable as error:
            self.failures.append(error.message)
            return None

    # --- deciding ---------------------------------------------------------------------------------------

    def _decide(self, listed: Sequence[Listed]) -> list[LedgerEntry]:
        entries: list[LedgerEntry] = []
        looked_into, chosen = 0, False
        for study in listed:
            verdict = study.judge(self.current)
            if verdict.doubtful:
                self.doubts.append(verdict.reason)
            if not verdict.accepted:
                entries.append(_rejected(study, verdict))
            elif chosen:
                older = "relevant, but older than the prior that was chosen"
                entries.append(_rejected(study, replace(verdict, reason=older)))
            elif looked_into >= self.rules.max_priors:
                beyond = f"not looked into: {looked_into} newer studies were"
                entries.append(_rejected(study, replace(verdict, reason=beyond)))
            else:
                looked_into += 1
                entry = self._look_into(study, verdict.reason)
                chosen = entry.decision is PriorDecision.CHOSEN
                entries.append(self._with_report(study, entry) if chosen else entry)
        return entries

    def _look_into(self, study: Listed, why: str) -> LedgerEntry:
        """Fetch and verify one candidate. Raises ArchiveUnavailable: the newest is worth another attempt."""
        before = len(self.failures)
        looked: list[Looked] = []
        for source in study.sources:
            found = self._look_at(source, study)
            if found is not None and found.images:
                candidate = replace(study.candidate, source=source)
                reason = f"{why}; {found.reason}"
                return LedgerEntry(candidate, PriorDecision.CHOSEN, reason, found.images)
            looked += [found] if found is not None else []
        failed = "; ".join(self.failures[before:])
        if failed and not self.last:
            raise ArchiveUnavailable(failed)
        reasons = "; ".join(found.reason for found in looked)
        if failed:
            standing = _standing(looked, PriorDecision.FAILED)
            reason = f"it could not be fetched: {failed}"
            return LedgerEntry(study.candidate, PriorDecision.FAILED, reason, standing=standing)
        decision = _without_images(looked)
        return LedgerEntry(study.candidate, decision, reasons, standing=_standing(looked, decision))

    def _look_at(self, source: str, study: Listed) -> Looked | None:
        objects = self._objects(source, study)
        if objects is None:
            return None
        looked = self.verification.images(self.current, study.candidate, objects)
        if looked.doubtful:
            self.doubts.append(looked.reason)
        return looked

    def _objects(self, source: str, study: Listed) -> Sequence[RetrievedObject] | None:
        uid = study.candidate.study_instance_uid
        if source == OWN:
            with self.database.reading() as session:
                return own_objects(session, uid)
        archive = self._archive(source)
        objects = self._ask(lambda: archive.retrieve(uid, RADIOGRAPHY))
        if objects is not None and not objects:
            self.failures.append(f"{source} lists radiographs of this study, and delivered none")
            return None
        return objects

    def _archive(self, name: str) -> Archive:
        return next(archive for archive in self.archives if archive.name == name)

    def _with_report(self, study: Listed, entry: LedgerEntry) -> LedgerEntry:
        text, written, note = self._report(study)
        reason = "; ".join(part for part in (entry.reason, note) if part)
        return replace(entry, reason=reason, report_text=text, report_source=written)

    # --- the prior's report -----------------------------------------------------------------------------

    def _report(self, study: Listed) -> tuple[str, str, str]:
        """Text, where it is from, and a note on what failed: a prior image alone is still a prior."""
        uid = study.candidate.study_instance_uid
        with self.database.reading() as session:
            own = own_report(session, uid)
        if own:
            return own, "signed here", ""
        notes: list[str] = []
        for source in study.sources:
            if not study.holds(source, "SR"):
                continue
            try:
                found = self.verification.report(self.current, self._documents(source, study))
            except (ArchiveUnavailable, CannotUnderstand) as error:
                notes.append(f"its report could not be read ({error.message})")
                continue
            if found is not None:
                return found.text, f"SR from {source}, {'verified' if found.verified else 'unverified'}", ""
        return "", "", "; ".join(notes)

    def _documents(self, source: str, study: Listed) -> Sequence[RetrievedObject]:
        uid = study.candidate.study_instance_uid
        if source == OWN:
            with self.database.reading() as session:
                return own_objects(session, uid)
        if time.monotonic() > self.ends:
            raise ArchiveUnavailable("the search took too long")
        return self._archive(source).retrieve(uid, ("SR",))

    # --- outcomes ---------------------------------------------------------------------------------------

    def _found(self, entries: Sequence[LedgerEntry], chosen: LedgerEntry) -> PriorLedger:
        reason = f"prior study of {chosen.candidate.study_date} from {chosen.candidate.source}"
        return PriorLedger(PriorOutcome.FOUND, "; ".join([reason, *self.failures]), tuple(entries))

    def _not_found(self, entries: Sequence[LedgerEntry]) -> PriorLedger:
        if self.failures and not self.last:
            raise ArchiveUnavailable("; ".join(self.failures))
        if self.doubts:
            outcome, why = PriorOutcome.IDENTITY_UNCERTAIN, list(dict.fromkeys(self.doubts))
        elif self.failures or any(entry.decision is PriorDecision.FAILED for entry in entries):
            outcome, why = PriorOutcome.UNAVAILABLE, [] if self.failures else [UNREADABLE]
        elif not self.archives:
            outcome, why = PriorOutcome.UNAVAILABLE, [NO_ARCHIVE]
        else:
            outcome, why = PriorOutcome.NONE_EXIST, [NONE_USABLE if entries else NONE_KNOWN]
        return PriorLedger(outcome, "; ".join([*why, *self.failures]), tuple(entries))


def _without_images(looked: Sequence[Looked]) -> PriorDecision:
    return PriorDecision.FAILED if any(one.unreadable for one in looked) else PriorDecision.REJECTED


def _standing(looked: Sequence[Looked], decision: PriorDecision) -> Standing:
    """Of a study without usable images: what failed may come another time, what is no frontal chest stays so."""
    if any(one.doubtful for one in looked):
        return Standing.IDENTITY
    return Standing.USABLE if decision is PriorDecision.FAILED else Standing.UNFIT


def _rejected(study: Listed, verdict: Verdict) -> LedgerEntry:
    return LedgerEntry(study.candidate, PriorDecision.REJECTED, verdict.reason, standing=verdict.standing)
