"""The data card of an export: what is in it, what is not and why, how it was made, what it may not be used for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Protocol

from app.feedback.files import FORMAT
from app.feedback.scrubbing import MARKS

_FRAME = """# Feedback export

Reports that radiologists signed, beside the drafts they were written from, aligned sentence by sentence. De-identified
by rules, not by people: **treat it as patient data all the same**, keep it where patient data may be, and read samples
before it is used. It comes from a research system; nothing in it is fit for a clinical decision.

Format: {format}. `feedback.jsonl` and `feedback.parquet` hold the same records, in an order that says nothing.

## Counts

{counts}

## What was done to it

- Patients, studies, sites and records carry pseudonyms: HMAC-SHA-256 with a key that was made for this export and
  thrown away. Two exports cannot be joined by them, and nobody can compute a pseudonym from an identifier.
- No names, IDs, accession numbers, UIDs, institutions. No dates: `prior_days` counts from the prior to the study,
  `study_number` orders the exported studies of one patient. Ages are whole years, 90 for whoever is older.
- Free text: names, numbers and places which the record or the image headers know are replaced by marks, and so is what
  looks like a date, a time, a telephone number, an account, an age above 89, a person with a title. Marks: {marks}.
- Then each record was searched again, more widely. One in which something known was still found is not here; it stands
  in `refusals.jsonl` under its pseudonym, with the kind of what was found. So do reports whose text does not fit its
  signature.
- A name that neither the record nor a header knows, written without a title (a relative, a visiting colleague), is not
  recognised, nor is a place that neither knows, nor a day written as 3/4 with no word such as compared, prior or film
  before it, unless the record knows that day. These are the known weaknesses of the method.

## Fields

- `sentences`: `change` is kept, reworded, deleted or added. Those with a `signed_index`, in its order, are the signed
  text; those with a `draft_index`, in its order, are the draft. `similarity`: share of common words. `moved`: equal,
  in another place. `decision`: what the reader did with the draft's sentence at the desk (accepted, edited, rejected).
- `draft`: what the reader was shown; `author` "service" marks sentences that the model did not write. `draft_text`:
  what the model wrote, with what was withheld from the reader.
- `signed_findings`, `signed_impression`: as signed; they never change. `addenda`: what was signed later, a text each; a
  report with addenda (status `appended`) may say what its addendum corrects. Wordings that were withdrawn before
  signing were signed by nobody and are not here; `withdrawn_wordings` counts them.
- `image`, `prior_image`: SHA-256 of the model image's pixels; `images/<digest>.png` where pictures were exported.
- `model`: name, SHA-256 of the weights, version of the prompt; null for a report that was written from nothing.
"""


class Counted(Protocol):
    """What the card tells of an export."""

    read: int
    records: int
    priors: int
    pictures: int
    patients: set[str]
    changes: Counter[str]
    statuses: Counter[str]
    sites: Counter[str]
    models: Counter[str]
    removed: Counter[str]
    refused: Counter[str]
    opted_out: Counter[str]
    pictures_left: Counter[str]


def data_card(tally: Counted, opted_out: Iterable[str]) -> str:
    """Markdown. The names of those who opted out are not in it: only how many names, and how many reports."""
    names = list(opted_out)
    unmatched = sum(name not in tally.opted_out for name in names)
    rows = {
        "signed reports read": tally.read,
        "records": tally.records,
        "patients": len(tally.patients),
        "with a prior shown to the model": tally.priors,
        f"left out, of {len(names)} sites that opted out ({unmatched} of them sent none)": tally.opted_out.total(),
        "refused": tally.refused.total(),
        "pictures": tally.pictures,
    }
    parts = [f"| {what} | {count} |" for what, count in rows.items()]
    tables = (
        ("sentence", tally.changes), ("status", tally.statuses), ("site", tally.sites), ("model", tally.models),
        ("mark", tally.removed), ("refused:", tally.refused), ("picture left out:", tally.pictures_left),
    )  # fmt: skip
    parts += [f"| {kind} {name} | {count} |" for kind, table in tables for name, count in sorted(table.items())]
    marks = ", ".join(f"`{mark}`" for mark in MARKS)
    return _FRAME.format(format=FORMAT, counts="\n".join(["| what | number |", "|---|---|", *parts]), marks=marks)
