"""One signed case as one de-identified record, or why it may not leave. Pure but for what it is handed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from app.db.tables import Draft, Study
from app.domain.report import Decision
from app.domain.signature import Signature, SignedStudy, addendum_digest, report_digest
from app.errors import ServiceError
from app.feedback.alignment import Pair, Piece, align, pieces
from app.feedback.known import Known, known
from app.feedback.pseudonyms import Pseudonyms
from app.feedback.scrubbing import Scrubber
from app.feedback.source import SignedCase

OLDEST = 90
"""Years; who is older is exported as this age (45 CFR 164.514(b)(2)(i)(C))."""
Record = dict[str, Any]


class Refused(ServiceError):
    """This record may not leave; the message says why without saying whom it is about."""

    title = "Record refused"


def known_of(case: SignedCase) -> Known:
    """Whom and what the record's own columns name."""
    study, report, draft = case.study, case.report, case.draft
    signers = [word for row in case.addenda for word in (row.signer_name,)]
    prior = case.prior.entry if case.prior else None
    return known(
        names=[
            *(study.patient_name, study.referring_physician, report.author_name, report.signer_name),
            *(*signers, *case.told),
        ],
        identifiers=[
            *(study.patient_id, study.accession_number, study.study_id_tag, study.study_instance_uid),
            *(study.id, report.id, report.author_id, report.signer_id or ""),
            *((draft.id, draft.prior_study_instance_uid) if draft else ()),
            *(uid for image in case.instances for uid in (image.sop_instance_uid, image.series_instance_uid)),
        ],
        places=[study.issuer],
        dates=[study.birth_date, study.study_date, *([prior.study_date] if prior else [])],
    )


def refuse_altered(case: SignedCase) -> None:
    """LAW 5: what is exported as signed is what was signed. Raises Refused where a signature does not fit its text."""
    report, about = case.report, SignedStudy(case.study.study_instance_uid, case.study.patient.key)
    signature = _signature(report.signer_id, report.signer_name, report.signed_at, report.meaning)
    if report.signed_digest != report_digest(report.id, about, report.findings, report.impression, signature):
        raise Refused("the signed text does not fit its signature")
    for row in case.addenda:
        signed = _signature(row.signer_id, row.signer_name, row.signed_at, row.meaning)
        if row.signed_digest != addendum_digest(report.signed_digest, row.number, row.text, signed):
            raise Refused("an addendum does not fit its signature")


def _signature(signer: str | None, name: str, at: datetime | None, meaning: str) -> Signature:
    if signer is None or at is None:
        raise Refused("the report says that it is signed, but not by whom or when")
    return Signature(signer, name, at, meaning)


@dataclass(slots=True)
class RecordMaker:
    """Makes the record of one case; `removed` counts the marks that its texts were given."""

    case: SignedCase
    names: Pseudonyms
    known: Known = field(repr=False)
    site: str
    removed: Counter[str] = field(default_factory=Counter)

    @property
    def _scrubber(self) -> Scrubber:
        return Scrubber(self.known)

    def make(self) -> Record:
        """Raises Refused."""
        refuse_altered(self.case)
        study, report, draft = self.case.study, self.case.report, self.case.draft
        shown = self._shown()
        signed = [
            piece
            for section, text in (("findings", report.findings), ("impression", report.impression))
            for piece in pieces(section, self._said(text))
        ]
        record: Record = {
            "record": self.names.of("record", report.id),
            "patient": self.names.of("patient", study.patient_id, study.issuer),
            "study": self.names.of("study", study.study_instance_uid),
            "site": self.site,
            "study_number": self.case.number,
            "sex": study.sex if study.sex in {"M", "F", "O"} else "",
            "age_years": _age(study),
            "status": str(report.status),
            "indication": self._said(study.indication),
            "model": _model(draft),
            **self._prior(),
            "image": (draft.image_digests[:1] or [""])[0] if draft else "",
            "draft_text": self._said(draft.text) if draft else "",
            "draft": shown,
            "signed_findings": _joined(signed, "findings"),
            "signed_impression": _joined(signed, "impression"),
            "sentences": self._aligned([Piece(row["section"], row["text"]) for row in shown], signed),
            "addenda": [self._said(row.text) for row in self.case.addenda],
            "withdrawn_wordings": self.case.withdrawn,
        }
        self._refuse_residue(record)
        return record

    def _said(self, text: str) -> str:
        scrubbed = self._scrubber.scrub(text)
        self.removed.update(scrubbed.removed)
        return scrubbed.text

    def _shown(self) -> list[Record]:
        """The draft as the reader saw it: sentences that were withheld are not in it."""
        rows: Sequence[Mapping[str, Any]] = self.case.draft.sentences if self.case.draft else ()
        return [
            {
                "section": row["section"],
                "text": self._said(row["text"]),
                "author": row.get("author", "model"),
                "flags": sorted({flag["code"] for flag in row["flags"]}),
                "logprob": row["logprob"],
            }
            for row in rows
        ]

    def _aligned(self, draft: Sequence[Piece], signed: Sequence[Piece]) -> list[Record]:
        decided = {row["index"]: row for row in self.case.report.sentences}
        places = [row["index"] for row in self.case.draft.sentences] if self.case.draft else []
        edits = {
            at: [piece.text for piece in pieces("", self._scrubber.scrub(decided[index]["text"]).text)]
            for at, index in enumerate(places)
            if index in decided and decided[index]["decision"] == Decision.EDITED
        }
        decisions = [decided.get(index, {}).get("decision", "") for index in places]
        return [_row(pair, draft, signed, decisions) for pair in align(draft, signed, edits)]

    def _prior(self) -> Record:
        draft, shown = self.case.draft, self.case.prior
        report = shown.entry.report_text if shown and shown.entry else ""
        return {
            "prior_given": shown is not None,
            "prior_study": self.names.of("study", draft.prior_study_instance_uid) if draft and shown else "",
            "prior_days": _days(draft.prior_study_date, self.case.study.study_date) if draft and shown else None,
            "prior_report": self._said(report),
            "prior_image": draft.image_digests[1] if draft and shown and len(draft.image_digests) > 1 else "",
        }

    def _refuse_residue(self, record: Record) -> None:
        for place, text in _free_texts(record):
            kind = self._scrubber.residue(text)
            if kind:
                raise Refused(f"{kind} of the record still occurs in {place} after scrubbing")


def _free_texts(record: Record) -> Iterator[tuple[str, str]]:
    for place in ("indication", "prior_report", "draft_text", "signed_findings", "signed_impression"):
        yield place, record[place]
    yield "draft", " ".join(row["text"] for row in record["draft"])
    yield "addenda", " ".join(record["addenda"])


def _row(pair: Pair, draft: Sequence[Piece], signed: Sequence[Piece], decisions: Sequence[str]) -> Record:
    old = draft[pair.draft] if pair.draft is not None else None
    new = signed[pair.signed] if pair.signed is not None else None
    return {
        "change": pair.change,
        "section": (new or old or Piece("", "")).section,
        "draft_section": old.section if old else "",
        "draft_index": pair.draft,
        "signed_index": pair.signed,
        "draft": old.text if old else "",
        "signed": new.text if new else "",
        "similarity": pair.similarity,
        "moved": pair.moved,
        "decision": decisions[pair.draft] if pair.draft is not None else "",
    }


def _joined(signed: Sequence[Piece], section: str) -> str:
    return " ".join(piece.text for piece in signed if piece.section == section)


def _model(draft: Draft | None) -> Record | None:
    if draft is None:
        return None
    return {
        "name": draft.model,
        "weights_digest": draft.weights_digest,
        "prompt_version": draft.prompt_version,
        "finish_reason": draft.finish_reason,
    }


def _age(study: Study) -> int | None:
    born, seen = _day(study.birth_date), _day(study.study_date)
    if born is None or seen is None or seen < born:
        return None
    years = seen.year - born.year - ((seen.month, seen.day) < (born.month, born.day))
    return min(years, OLDEST)


def _days(earlier: str, later: str) -> int | None:
    one, other = _day(earlier), _day(later)
    return (other - one).days if one and other else None


def _day(value: str) -> date | None:
    try:
        return datetime.strptime(value, "%Y%m%d").date()  # noqa: DTZ007 - a calendar day has no zone
    except ValueError:
        return None
