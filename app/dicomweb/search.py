"""QIDO-RS (PS3.18 10.6): studies, series and instances that match, newest study first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.db.tables import Instance, Study
from app.dicomweb.attributes import Object, counts_of_study, element, of_instance, of_series, of_study
from app.dicomweb.matching import Query

_ORDER = (Study.study_date.desc(), Study.received_at.desc(), Study.id)


@dataclass(frozen=True, slots=True)
class Found:
    """objects: in the DICOM JSON model; more: whether the limit cut some off; studies: ids, for the audit trail."""

    objects: list[Object] = field(repr=False)
    more: bool
    studies: tuple[str, ...]


def studies(session: Session, query: Query, root: str) -> Found:
    """root: the address that retrieve URLs begin with."""
    counts = (sa.func.count(sa.distinct(Instance.series_instance_uid)), sa.func.count(Instance.id))
    matching = sa.select(Study.id).join(Instance).where(*query.conditions)
    whole = sa.select(Study, *counts).join(Instance).where(Study.id.in_(matching)).group_by(Study.id).order_by(*_ORDER)
    rows, more = _cut(session.execute(_page(whole, query)).all(), query)
    modalities = _modalities(session, [row.Study.id for row in rows])
    objects = [
        _study(study, root) | counts_of_study(modalities[study.id], series, instances)
        for study, series, instances in rows
    ]
    return Found(objects, more, tuple(row.Study.id for row in rows))


def series(session: Session, query: Query, root: str) -> Found:
    """Each with the attributes of its study, so that one answer may span studies."""
    counted = (Instance.series_instance_uid, sa.func.max(Instance.modality), sa.func.count(Instance.id))
    grouped = (
        sa.select(Study, *counted)
        .join(Instance)
        .where(*query.conditions)
        .group_by(Study.id, Instance.series_instance_uid)
        .order_by(*_ORDER, Instance.series_instance_uid)
    )
    rows, more = _cut(session.execute(_page(grouped, query)).all(), query)
    objects = [
        _study(study, root)
        | of_series(uid, modality)
        | dict(
            (
                element("RetrieveURL", _url(root, study.study_instance_uid, uid)),
                element("NumberOfSeriesRelatedInstances", count),
            )
        )
        for study, uid, modality, count in rows
    ]
    return Found(objects, more, tuple(dict.fromkeys(row.Study.id for row in rows)))


def instances(session: Session, query: Query, root: str) -> Found:
    """Each with the attributes of its study and its series' UID."""
    wanted = (
        sa.select(Study, Instance)
        .join(Instance)
        .where(*query.conditions)
        .order_by(*_ORDER, Instance.series_instance_uid, Instance.received_at, Instance.id)
    )
    rows, more = _cut(session.execute(_page(wanted, query)).all(), query)
    objects = [_instance(study, instance, root) for study, instance in rows]
    return Found(objects, more, tuple(dict.fromkeys(row.Study.id for row in rows)))


def _instance(study: Study, instance: Instance, root: str) -> Object:
    uids = (study.study_instance_uid, instance.series_instance_uid, instance.sop_instance_uid)
    url = _url(root, *uids)
    own = of_instance(instance.sop_class_uid, instance.sop_instance_uid, instance.transfer_syntax_uid, url)
    return _study(study, root) | of_series(instance.series_instance_uid, instance.modality) | own


def _study(study: Study, root: str) -> Object:
    return of_study(study, _url(root, study.study_instance_uid))


def _url(root: str, *uids: str) -> str:
    levels = zip(("studies", "series", "instances"), uids, strict=False)
    return root + "".join(f"/{level}/{uid}" for level, uid in levels)


def _page(select: Any, query: Query) -> Any:
    return select.offset(query.offset).limit(query.limit + 1)


def _cut(rows: Sequence[Any], query: Query) -> tuple[Sequence[Any], bool]:
    return rows[: query.limit], len(rows) > query.limit


def _modalities(session: Session, study_ids: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    pairs = sa.select(Instance.study_id, Instance.modality).where(Instance.study_id.in_(study_ids)).distinct()
    for study_id, modality in session.execute(pairs.order_by(Instance.modality)):
        found[study_id].append(modality)
    return found
