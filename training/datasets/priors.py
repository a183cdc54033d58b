"""The most recent earlier study of the same patient, given to each row."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from model.report_text import compose
from training.datasets.films import is_frontal
from training.datasets.manifest import Row

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def with_priors(rows: Iterable[Row]) -> list[Row]:
    """The rows of whole patients, sorted by patient and time, each with its prior.

    Prior: the latest study whose order_key is strictly smaller and whose film is frontal (or of unknown view). Studies
    of the same time are no priors of each other, a study without order_key has none and is none. Two priors of one
    time: the first by study_id. prior_report is the earlier report as the model writes one, None where there is none.
    """
    patients: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        patients[row.dataset, row.patient_id].append(row)
    return [row for key in sorted(patients) for row in _linked(patients[key])]


def _linked(rows: list[Row]) -> list[Row]:
    ordered = sorted(rows, key=lambda row: (row.order_key, row.study_id))
    linked: list[Row] = []
    earlier: Row | None = None  # latest usable study before the present time
    now: Row | None = None  # first usable study of the present time
    for row in ordered:
        if now is not None and row.order_key > now.order_key:
            earlier, now = now, None
        linked.append(_given(row, earlier) if row.order_key else row)
        if now is None and row.order_key and is_frontal(row.view):
            now = row
    return linked


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
