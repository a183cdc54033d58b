"""Rows for tests, as the stages would have left them."""

from __future__ import annotations

from app.db.session import Database, unit_of_work
from app.db.tables import Study
from app.domain.identifiers import derived_uid, new_id
from app.domain.study import Stage
from app.ports import Clock


def add_study(database: Database, clock: Clock, stage: Stage = Stage.RECEIVING, **values: object) -> Study:
    """One study in `stage`; `values` override any column."""
    now = clock.now()
    columns = {
        "id": new_id(),
        "study_instance_uid": derived_uid("study", new_id()),
        "stage": stage,
        "reason": "",
        "revision": 1,
        "priority": "ROUTINE",
        "patient_id": "P-1",
        "issuer": "HOSPITAL",
        "patient_name": "Phantom^One",
        "birth_date": "19600101",
        "sex": "F",
        "study_date": "20260301",
        "study_time": "080000",
        "received_at": now,
        "last_image_at": now,
        "quiet_until": now,
        "stage_since": now,
    }
    study = Study(**{**columns, **values})
    with unit_of_work(database, clock) as uow:
        uow.session.add(study)
    return study
