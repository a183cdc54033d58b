"""The most recent earlier study of the same patient: given to each row, and as prompts show it."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from model.prompting import Prior
from model.report_text import compose
from training.datasets.films import is_frontal
from training.datasets.manifest import Row

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_CENTURY, _DAYS = date(2100, 1, 1), 36500


def with_priors(rows: Iterable[Row]) -> list[Row]:
    """The rows of whole patients, sorted by patient and time, each with its prior.

    Prior: the latest study that is strictly earlier by its order_key and whose film is frontal (or of unknown view).
    Studies of the same time are no priors of each other, nor are studies of one day where either has no time; a study
    without order_key has none and is none. Two priors of one time: the first by study_id. prior_report is the earlier
    report as the model writes one, None where there is none.
    """
    patients: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        patients[row.dataset, row.patient_id].append(row)
    return [row for key in sorted(patients) for row in _linked(patients[key])]


def _linked(rows: list[Row]) -> list[Row]:
    ordered = sorted(rows, key=lambda row: (row.order_key, row.study_id))
    usable = [row for row in ordered if row.order_key and is_frontal(row.view)]
    return [_given(row, _latest_before(row, usable)) for row in ordered]


def _latest_before(row: Row, usable: Iterable[Row]) -> Row | None:
    earlier = (one for one in usable if _is_earlier(one.order_key, row.order_key))
    return max(earlier, key=lambda one: one.order_key, default=None)  # of one time the first


def _is_earlier(one: str, other: str) -> bool:
    """Whether an order_key is surely before another: a day without a time is not before the times of that day."""
    if "T" in one and "T" in other:
        return one < other
    return one.partition("T")[0] < other.partition("T")[0]


def _given(row: Row, prior: Row | None) -> Row:
    if prior is None or row.prior_study_id is not None:  # a source may name the prior itself
        return row
    day = _DATE.match(prior.order_key)
    return replace(
        row,
        prior_study_id=prior.study_id,
        prior_image=prior.image,
        prior_report=compose(prior.findings, prior.impression) or None,
        prior_date=day[0] if day else None,
    )


def prompt_prior(row: Mapping[str, Any]) -> Prior | None:
    """The prior of a manifest's row as training and evaluation show it; None where it has no film.

    Prompts name a date. Where the collection has an order and no dates, it is invented.
    """
    if not row["prior_image"]:
        return None
    said = row["prior_date"]
    day = date.fromisoformat(said[:10]) if said else invented_date(row["prior_study_id"] or row["prior_image"])
    return Prior(day, row["prior_report"] or None)


def invented_date(study: str) -> date:
    """The same day of the 22nd century for the same study."""
    return _CENTURY + timedelta(days=int.from_bytes(hashlib.sha256(study.encode()).digest()[:8]) % _DAYS)
