"""Schema 0007: ledgers that exist say what a reader may ask for of them; the way back loses no chosen prior."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import command

from app.db.session import unit_of_work
from app.db.tables import PriorEntry, PriorImageRow
from app.domain.identifiers import derived_uid, new_id
from app.domain.study import Stage
from app.gateways.clock import SystemClock
from tests.builders.schema import migrate
from tests.builders.studies import add_study

LEDGER = {
    "chosen": ("chosen", "DX, chest, earlier; frontal chest radiograph (PA)", "usable"),
    "older": ("rejected", "relevant, but older than the prior that was chosen", "usable"),
    "beyond": ("rejected", "not looked into: 5 newer studies were", "usable"),
    "away": ("failed", "it could not be fetched: pacs: no connection", "usable"),
    "doubt": ("rejected", "same patient ID, but birth dates differ", "unfit"),
    "knee": ("rejected", "another part of the body (KNEE)", "unfit"),
}


def test_ledgers_from_before_keep_their_images_and_learn_what_may_be_asked_for(database):
    clock = SystemClock()
    study = add_study(database, clock, Stage.READY)
    with unit_of_work(database, clock) as uow:
        for rank, (name, (decision, reason, _)) in enumerate(LEDGER.items()):
            entry = PriorEntry(
                id=new_id(), study_id=study.id, revision=1, rank=rank, study_instance_uid=derived_uid("s", name),
                decision=decision, reason=reason,
            )  # fmt: skip
            uow.session.add(entry)
            uow.session.flush()
            key = {"series_instance_uid": "1.2", "sop_instance_uid": derived_uid("i", name), "object_key": name}
            uow.session.add(PriorImageRow(entry_id=entry.id, **key))

    migrate(database, command.downgrade, "0006")
    migrate(database, command.upgrade, "0007")

    with database.reading() as session:
        found = session.execute(
            sa.select(PriorEntry.reason, PriorEntry.standing, PriorEntry.fetched_at, PriorEntry.fetch_failure)
        )
        expected = {(reason, standing, None, "") for _, reason, standing in LEDGER.values()}
        assert {tuple(row) for row in found} == expected
        assert session.scalars(sa.select(PriorImageRow.object_key)).all() == ["chosen"]
