"""Who was told of a critical finding: six facts, recorded for good."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.db.report_tables import CriticalResult
from tests.api.acts import (
    CRITICAL,
    REPORTS,
    begin,
    save,
    sign,
)
from tests.builders.reading import add_ready_study


def test_a_critical_result_is_recorded_before_and_after_signing(house):
    reader = house.reader()
    study, draft = add_ready_study(house.database, house.clock)
    report = begin(reader, study, draft)
    path = f"{REPORTS}/{report['id']}/critical-result"
    first = reader.post(path, json=CRITICAL)
    assert first.status_code == 201, first.text
    assert first.json()["etag"] == report["etag"]
    sign(reader, save(reader, report))
    body = reader.post(path, json={**CRITICAL, "read_back": False}).json()
    assert [told["read_back"] for told in body["critical_results"]] == [True, False]
    assert body["critical_results"][0] == {
        **CRITICAL,
        "recorded_by": "Dr Ada",
        "recorded_at": "2026-03-01T08:00:00Z",
    }
    (entry, _) = house.audited("report.critical_result")
    assert "Tension" not in str(entry.detail)


@pytest.mark.parametrize("field", CRITICAL)
def test_each_of_the_six_facts_is_needed(house, field):
    reader = house.reader()
    study, draft = add_ready_study(house.database, house.clock)
    report = begin(reader, study, draft)
    given = {key: value for key, value in CRITICAL.items() if key != field}
    assert reader.post(f"{REPORTS}/{report['id']}/critical-result", json=given).status_code == 422


@pytest.mark.parametrize(
    "times",
    [
        {"found_at": "2026-03-01T07:56:00Z"},
        {"told_at": "2026-03-01T09:00:00Z"},
        {"told_at": "2026-03-01T07:55:00"},
        {"found_at": "yesterday"},
    ],
)
def test_times_that_cannot_be_are_refused(house, times):
    reader = house.reader()
    study, draft = add_ready_study(house.database, house.clock)
    report = begin(reader, study, draft)
    answer = reader.post(f"{REPORTS}/{report['id']}/critical-result", json={**CRITICAL, **times})
    assert answer.status_code in {400, 422}
    with house.database.reading() as session:
        assert session.scalars(sa.select(CriticalResult)).all() == []
