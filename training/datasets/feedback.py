"""Feedback: signed reports beside their drafts, as `unirg feedback export` writes them (format unirg-feedback-1).

A folder with feedback.jsonl, and images/<digest>.png where pictures were exported; `images` names another folder of
such files. As an adapter it gives manifest rows for SFT, as `preferences` pairs of draft and signed text for DPO and
rewards.

* Target text: the signed sentences. Left out are those that hold a mark of de-identification ("[name]": no model is to
  learn to write it) and those that the service, not the model, put into the draft (the statement of the comparison).
  A report of which such a sentence alone states a finding is left out: without it, it would teach to miss the finding.
* Pairs: such sentences are taken out together with their counterparts, so that neither text lacks what the other says
  for that reason alone. Where the chosen text has no impression, the rejected one is cut to its findings, too.
* `addenda` = leave_out (default): a report with an addendum is not taught, since nobody can tell by rule which of its
  sentences the addendum corrects; as_signed: its text as it was signed. Addenda are never merged into it: a signed text
  does not change. Wordings that were withdrawn were signed by nobody and are not in an export.
* The prior is the one that the model was shown, not the patient's latest in the export: order_key is therefore empty.
  The export has no dates, prompts need one: prior_date is invented (priors.invented_date) from the study's pseudonym.
* dataset of a row: feedback/<pseudonym of the site>.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any

from model.findings import Condition, Side, read_findings, sides
from model.prompting import Prior, build_prompt, target_text
from model.report_text import compose
from training.datasets.films import Film
from training.datasets.priors import invented_date
from training.datasets.problems import BadSource, Problem
from training.datasets.source import Outcome, Plan, Record, Source
from training.datasets.study import Found, finish

if TYPE_CHECKING:
    from datasets import Dataset

OPTIONS = ("images", "addenda")
RECORDS = "feedback.jsonl"
MARKS = ("[name]", "[id]", "[place]", "[date]", "[time]", "[number]", "[contact]", "[age]")
ADDENDA = ("leave_out", "as_signed")
UNTAUGHT = "a sentence that is left out alone states a finding"
NO_PRIOR = "prior image missing or empty"
Shape = Mapping[str, tuple[type, ...]]
_TEXTS = ("record", "patient", "study", "site", "status", "indication", "sex", "image", "prior_study", "prior_report")
_RECORD: Shape = {
    **dict.fromkeys((*_TEXTS, "prior_image"), (str,)),
    "age_years": (int, NoneType),
    "prior_given": (bool,),
    "sentences": (list,),
    "draft": (list,),
}
_DRAFTED: Shape = {"author": (str,)}
_SENTENCE: Shape = {
    **dict.fromkeys(("change", "section", "draft_section", "draft", "signed"), (str,)),
    **dict.fromkeys(("draft_index", "signed_index"), (int, NoneType)),
}
Sentences = Sequence[Mapping[str, Any]]


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
    return entry if _fits(entry, _RECORD) and _whole(entry["sentences"], entry["draft"]) else None


def _fits(value: Any, shape: Shape) -> bool:
    return isinstance(value, dict) and all(isinstance(value.get(name, ...), kinds) for name, kinds in shape.items())


def _whole(sentences: Sequence[Any], draft: Sequence[Any]) -> bool:
    if not all(_fits(row, _DRAFTED) for row in draft) or not all(_fits(row, _SENTENCE) for row in sentences):
        return False
    return all(row["draft_index"] is None or 0 <= row["draft_index"] < len(draft) for row in sentences)


def files(record: Record, source: Source) -> list[Path]:
    """The pictures of one report."""
    named = () if _why_not(record, source) else (record["image"], record["prior_image"])
    return [_picture(digest, source) for digest in named if digest]


def read(record: Record, source: Source) -> Outcome:
    """The manifest row of one signed report."""
    reason = _why_not(record, source)
    if reason:
        return Outcome(None, (Problem(source.dataset, record["at"], reason, "", record["study"]),))
    taught, left = _parted(record)
    findings, impression = signed_text(taught)
    if _untold(_signed(left), _signed(taught)):
        return Outcome(None, (Problem(source.dataset, record["at"], UNTAUGHT, "", record["study"]),))
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
        remarks=[("sentences left out", f"{len(left)} with marks or of the service")] if left else [],
    )
    outcome = finish(found, source)
    if outcome.row and record["prior_given"] and not _has_picture(record["prior_image"], source):
        return Outcome(None, (Problem(source.dataset, record["at"], NO_PRIOR, "", record["study"]),))
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


def _has_picture(digest: str, source: Source) -> bool:
    return bool(digest) and _picture(digest, source).is_file()


def _attributes(record: Mapping[str, Any]) -> dict[str, Any]:
    age = record["age_years"]
    return {"sex": record["sex"] or None, "age": float(age) if age is not None else None}


def _prior(record: Mapping[str, Any], source: Source) -> dict[str, Any]:
    if not record["prior_given"]:
        return {}
    return {
        "prior_study_id": record["prior_study"],
        "prior_image": str(_picture(record["prior_image"], source)),
        "prior_report": _plain(record["prior_report"]) or None,
        "prior_date": invented_date(record["prior_study"]).isoformat(),
    }


def _marked(text: str) -> bool:
    return any(mark in text for mark in MARKS)


def _plain(text: str) -> str:
    """What is only given to the model, not taught: marks become three dots."""
    for mark in MARKS:
        text = text.replace(mark, "...")
    return " ".join(text.split())


def _parted(record: Mapping[str, Any]) -> tuple[Sentences, Sentences]:
    """(what may be taught of the signed text, what may not)."""
    signed = [row for row in record["sentences"] if row["signed_index"] is not None]
    left = [row for row in signed if _marked(row["signed"]) or _of_service(row, record)]
    return [row for row in signed if row not in left], left


def _signed(rows: Sentences) -> list[str]:
    return [row["signed"] for row in rows if row["signed_index"] is not None]


def signed_text(rows: Sentences) -> tuple[str, str]:
    """(findings, impression) of aligned sentences as they were signed."""
    signed = sorted((row for row in rows if row["signed_index"] is not None), key=lambda row: int(row["signed_index"]))
    return _sections((row["section"], row["signed"]) for row in signed)


def drafted_text(rows: Sentences) -> tuple[str, str]:
    """(findings, impression) of aligned sentences as the reader was shown them."""
    drafted = sorted((row for row in rows if row["draft_index"] is not None), key=lambda row: int(row["draft_index"]))
    return _sections((row["draft_section"], row["draft"]) for row in drafted)


def _stated(sentences: Iterable[str]) -> set[tuple[Condition, Side | None]]:
    """Condition and side of all that is stated or suspected; each sentence alone: one may start like a heading."""
    return {
        (found.condition, side)
        for sentence in sentences
        for found in read_findings(sentence)
        if found.presence != "absent"
        for side in sides(found)
    }


def _untold(left: Iterable[str], kept: Iterable[str]) -> set[tuple[Condition, Side | None]]:
    """What the sentences `left` state and the `kept` do not; no side agrees with any."""
    told = _stated(kept)
    conditions = {condition for condition, _ in told}
    return {
        (condition, side)
        for condition, side in _stated(left)
        if not {(condition, side), (condition, None)} & told and (side is not None or condition not in conditions)
    }


def _of_service(row: Mapping[str, Any], record: Mapping[str, Any]) -> bool:
    return row["draft_index"] is not None and record["draft"][row["draft_index"]]["author"] == "service"


def _sections(rows: Iterable[tuple[str, str]]) -> tuple[str, str]:
    said = list(rows)
    findings, impression = ([text for section, text in said if section == name] for name in ("findings", "impression"))
    return " ".join(findings), " ".join(impression)


@dataclass(frozen=True, slots=True)
class Preference:
    """A reader preferred `chosen`, the signed text, to `rejected`, the draft.

    prompt: asks for the sections that `chosen` has; images: prior film first. changed: share of sentences that were
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
    texts = _compared(record)
    if isinstance(texts, str):
        return texts
    (findings, impression), draft = texts
    films = [_picture(record["image"], source)]
    if record["prior_given"]:
        films.insert(0, _picture(record["prior_image"], source))
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


def _compared(record: Mapping[str, Any]) -> tuple[tuple[str, str], tuple[str, str]] | str:
    """Signed and drafted (findings, impression), or why they make no pair."""
    rows = [
        row
        for row in record["sentences"]
        if not _marked(row["signed"]) and not _marked(row["draft"]) and not _of_service(row, record)
    ]
    signed, draft = signed_text(rows), drafted_text(rows)
    if not signed[1]:  # the prompt will not ask for an impression
        rows = [row for row in rows if "impression" not in (row["section"], row["draft_section"])]
        draft = draft[0], ""
    if not signed[0] or not any(draft):
        return "nothing left to compare"
    if signed == draft:
        kept = all(row["change"] == "kept" for row in record["sentences"])
        return "signed as it was drafted" if kept else "nothing left to compare"
    left = _signed(_parted(record)[1])
    if _untold(left, _signed(rows)) - _untold(left, [row["draft"] for row in rows]):
        return UNTAUGHT
    return signed, draft


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
