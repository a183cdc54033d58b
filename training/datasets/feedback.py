"""Feedback: signed reports beside their drafts, as `unirg feedback export` writes them (format unirg-feedback-1).

A folder with feedback.jsonl, and images/<digest>.png where pictures were exported; `images` names another folder of
such files. As an adapter it gives manifest rows for SFT, as `preferences` pairs of draft and signed text for DPO and
rewards.

* Target text: the signed sentences. Left out are those that hold a mark of de-identification ("[name]": no model is to
  learn to write it) and those that the service, not the model, put into the draft (the statement of the comparison).
* `addenda` = leave_out (default): a report with an addendum is not taught, since nobody can tell by rule which of its
  sentences the addendum corrects; as_signed: its text as it was signed. Addenda are never merged into it: a signed text
  does not change. Wordings that were withdrawn were signed by nobody and are not in an export.
* The prior is the one that the model was shown, not the patient's latest in the export: order_key is therefore empty.
  The export has no dates, prompts need one: prior_date is invented, a day of the 22nd century, fixed by the study's
  pseudonym.
* dataset of a row: feedback/<pseudonym of the site>.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model.prompting import Prior, build_prompt, target_text
from model.report_text import compose
from training.datasets.films import Film
from training.datasets.problems import BadSource, Problem
from training.datasets.source import Outcome, Plan, Record, Source
from training.datasets.study import Found, finish

if TYPE_CHECKING:
    from datasets import Dataset

OPTIONS = ("images", "addenda")
RECORDS = "feedback.jsonl"
MARKS = ("[name]", "[id]", "[place]", "[date]", "[time]", "[number]", "[contact]", "[age]")
ADDENDA = ("leave_out", "as_signed")
_NEEDED = frozenset({"record", "patient", "study", "site", "status", "sentences", "draft", "prior_given"})
_CENTURY, _DAYS = date(2100, 1, 1), 36500


def plan(source: Source) -> Plan:
    """One record per signed report. Raises BadSource."""
    path = source.root / RECORDS
    if not path.is_file():
        raise BadSource(f"{source.root} has no {RECORDS}; it is the folder that `unirg feedback export --out` wrote")
    result = Plan()
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            at = f"{RECORDS}:{number}"
            entry = _entry(line)
            if entry is None:
                result.problems.append(Problem(source.dataset, at, "unreadable entry", "not a record of an export"))
            else:
                result.records.append({**entry, "at": at})
    return result


def _entry(line: str) -> Record | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and entry.keys() >= _NEEDED else None


def read(record: Record, source: Source) -> Outcome:
    """The manifest row of one signed report."""
    reason = _why_not(record, source)
    if reason:
        return Outcome(None, (Problem(source.dataset, record["at"], reason, "", record["study"]),))
    findings, impression, left = signed_text(record)
    found = Found(
        study_id=record["study"],
        patient_id=record["patient"],
        order_key="",
        source_row=record["at"],
        films=[Film(str(_picture(record["image"], source)), "FRONTAL")],
        findings=findings,
        impression=impression,
        indication=_plain(record["indication"]),
        attributes={**_attributes(record), **_prior(record, source)},
        remarks=[("sentences left out", f"{left} with marks or of the service")] if left else [],
    )
    outcome = finish(found, source)
    row = outcome.row and replace(outcome.row, dataset=f"{source.dataset}/{record['site']}")
    return replace(outcome, row=row)


def _why_not(record: Mapping[str, Any], source: Source) -> str:
    if record["status"] == "appended" and source.choice("addenda", ADDENDA) == "leave_out":
        return "has an addendum, which may correct it"
    if not record["image"]:
        return "written without a draft: which film was read is not told"
    return ""


def _picture(digest: str, source: Source) -> Path:
    folder = source.folder("images", source.root / "images") if digest else source.root
    return folder / f"{digest}.png"


def _attributes(record: Mapping[str, Any]) -> dict[str, Any]:
    age = record["age_years"]
    return {"sex": record["sex"] or None, "age": float(age) if age is not None else None}


def _prior(record: Mapping[str, Any], source: Source) -> dict[str, Any]:
    if not record["prior_given"]:
        return {}
    picture = _picture(record["prior_image"], source) if record["prior_image"] else None
    return {
        "prior_study_id": record["prior_study"],
        "prior_image": str(picture) if picture and picture.is_file() else None,
        "prior_report": _plain(record["prior_report"]) or None,
        "prior_date": invented_date(record["prior_study"]).isoformat(),
    }


def invented_date(pseudonym: str) -> date:
    """The same day of the 22nd century for the same pseudonym."""
    return _CENTURY + timedelta(days=int.from_bytes(hashlib.sha256(pseudonym.encode()).digest()[:8]) % _DAYS)


def _marked(text: str) -> bool:
    return any(mark in text for mark in MARKS)


def _plain(text: str) -> str:
    """What is only given to the model, not taught: marks become three dots."""
    for mark in MARKS:
        text = text.replace(mark, "...")
    return " ".join(text.split())


def signed_text(record: Mapping[str, Any]) -> tuple[str, str, int]:
    """(findings, impression, sentences left out): what may be taught of the signed text."""
    rows = sorted((row for row in record["sentences"] if row["signed_index"] is not None), key=_by_signed)
    taught = [row for row in rows if not _marked(row["signed"]) and not _of_service(row, record)]
    return *_sections((row["section"], row["signed"]) for row in taught), len(rows) - len(taught)


def drafted_text(record: Mapping[str, Any]) -> tuple[str, str]:
    """(findings, impression) of the model's sentences that the reader was shown, without those that hold a mark."""
    return _sections(
        (row["section"], row["text"])
        for row in record["draft"]
        if row["author"] != "service" and not _marked(row["text"])
    )


def _by_signed(row: Mapping[str, Any]) -> int:
    return int(row["signed_index"])


def _of_service(row: Mapping[str, Any], record: Mapping[str, Any]) -> bool:
    return row["draft_index"] is not None and record["draft"][row["draft_index"]]["author"] == "service"


def _sections(rows: Iterator[tuple[str, str]]) -> tuple[str, str]:
    texts: dict[str, list[str]] = {"findings": [], "impression": []}
    for section, text in rows:
        texts[section].append(text)
    return " ".join(texts["findings"]), " ".join(texts["impression"])


@dataclass(frozen=True, slots=True)
class Preference:
    """A reader preferred `chosen`, the signed text, to `rejected`, the draft.

    prompt: the text of the prompt the draft answers; images: prior film first. changed: share of sentences that were
    not kept, 0 to 1.
    """

    study: str
    patient: str
    site: str
    prompt: str
    images: tuple[str, ...]
    chosen: str
    rejected: str
    changed: float

    def row(self) -> dict[str, Any]:
        """As TRL's DPOTrainer and RewardTrainer take it: conversational, with an explicit prompt."""
        return {
            "prompt": [{"role": "user", "content": self.prompt}],
            "chosen": [{"role": "assistant", "content": self.chosen}],
            "rejected": [{"role": "assistant", "content": self.rejected}],
            "images": list(self.images),
            "study": self.study,
            "changed": self.changed,
        }


def preferences(source: Source) -> tuple[list[Preference], list[Problem]]:
    """Pairs of draft and signed text, and why other reports give none. Raises BadSource."""
    listed = plan(source)
    pairs, problems = [], list(listed.problems)
    for record in listed.records:
        pair = _preference(record, source)
        if isinstance(pair, Preference):
            pairs.append(pair)
        else:
            problems.append(Problem(source.dataset, record["at"], pair, "", record["study"]))
    return pairs, problems


def _preference(record: Mapping[str, Any], source: Source) -> Preference | str:
    reason = _why_not(record, source)
    if reason:
        return reason
    (findings, impression, _), draft = signed_text(record), drafted_text(record)
    films = [_picture(record["image"], source)]
    if record["prior_given"]:
        films.insert(0, _picture(record["prior_image"], source))
    if not findings or not any(draft):
        return "nothing left to compare"
    if (findings, impression) == draft:
        return "signed as it was drafted"
    if not all(film.is_file() for film in films):
        return "image missing or empty"
    return Preference(
        study=record["study"],
        patient=record["patient"],
        site=record["site"],
        prompt=_prompt(record, both=bool(impression)),
        images=tuple(map(str, films)),
        chosen=target_text(findings, impression or None),
        rejected=compose(*draft),
        changed=_changed(record["sentences"]),
    )


def _prompt(record: Mapping[str, Any], *, both: bool) -> str:
    prior = None
    if record["prior_given"]:
        prior = Prior(invented_date(record["prior_study"]), _plain(record["prior_report"]) or None)
    sections = "findings_and_impression" if both else "findings"
    return build_prompt(_plain(record["indication"]), prior=prior, sections=sections).text  # type: ignore[arg-type]


def _changed(sentences: Sequence[Mapping[str, Any]]) -> float:
    changed = sum(str(row["change"]) != "kept" for row in sentences)
    return round(changed / len(sentences), 4)


def preference_dataset(pairs: Sequence[Preference]) -> Dataset:
    """Pairs as a `datasets.Dataset` whose images are opened when a row is read."""
    from datasets import Dataset, Image
    from datasets import Sequence as Several

    return Dataset.from_list([pair.row() for pair in pairs]).cast_column("images", Several(Image()))
