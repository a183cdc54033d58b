"""The schema goes back version by version, and forward again, under a record that is in use: nothing signed is lost."""

from __future__ import annotations

import pytest
from alembic import command
from alembic.script import ScriptDirectory

from app.db import migrations
from tests.api.acts import CRITICAL, begin, signed_report
from tests.builders.reading import add_ready_study
from tests.builders.schema import migrate

VERSIONS = [script.revision for script in ScriptDirectory.from_config(migrations._config()).walk_revisions()]


@pytest.mark.parametrize("target", [VERSIONS[1], VERSIONS[-1]])
def test_a_signed_report_outlives_the_way_back_and_forth(either_house, target):
    house = either_house
    ada = house.reader("ada")
    _, report = signed_report(house, ada)
    ada.post(f"/api/v1/reports/{report['id']}/critical-result", json=CRITICAL).raise_for_status()
    ada.put("/api/v1/auth/keys", json={"keys": {"report.accept": "q"}}).raise_for_status()
    begin(ada, *add_ready_study(house.database, house.clock))
    before = ada.get(f"/api/v1/reports/{report['id']}").json()

    for version in VERSIONS[1 : VERSIONS.index(target) + 1]:
        migrate(house.database, command.downgrade, version)
    migrate(house.database, command.upgrade, "head")

    after = ada.get(f"/api/v1/reports/{report['id']}").json()
    told = ("status", "findings", "impression", "signature", "sentences")
    assert {key: after[key] for key in told} == {key: before[key] for key in told}
    assert migrations.is_current(house.database)
