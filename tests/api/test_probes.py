"""Probes, and metrics that name nobody."""

from __future__ import annotations

import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from app.db.session import Database, unit_of_work
from app.main import ApiDeps, create_app
from tests.api.acts import signed_report
from tests.builders.reading import add_ready_study, quick_passwords


def value(name, **labels):
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_all_is_well(house):
    visitor = house.visitor()
    assert visitor.get("/livez").text == "ok"
    assert visitor.get("/startupz").json() == {"status": "ready", "checks": {"database": "ok", "schema": "ok"}}
    ready = visitor.get("/readyz")
    assert ready.status_code == 200
    assert ready.json() == {
        "status": "ready",
        "checks": {"database": "ok", "schema": "ok", "disk": "ok", "model": "ok"},
    }


@pytest.mark.parametrize(
    ("model", "free", "status", "code"), [(False, 0.0, "degraded", 200), (True, 1.1, "unready", 503)]
)
def test_without_the_model_it_is_degraded_without_disk_unready(house, pixels, model, free, status, code):
    deps = ApiDeps(house.database, house.clock, house.store, pixels, lambda: model, min_free_ratio=free, web_dist=None)
    answer = TestClient(create_app(deps, quick_passwords())).get("/readyz")
    assert (answer.status_code, answer.json()["status"]) == (code, status)


def test_without_the_schema_it_is_unready_but_alive(house):
    with unit_of_work(house.database, house.clock) as uow:
        uow.session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    visitor = house.visitor()
    assert visitor.get("/startupz").status_code == visitor.get("/readyz").status_code == 503
    assert "unirg db upgrade" in visitor.get("/readyz").json()["checks"]["schema"]
    assert visitor.get("/livez").status_code == 200


def test_metrics_count_by_route_template_and_never_by_address(house):
    reader = house.reader()
    study, draft = add_ready_study(house.database, house.clock)
    template = "/api/v1/studies/{study_instance_uid}"
    before = value("cxr_http_requests_total", method="GET", route=template, status="200")
    reader.get(f"/api/v1/studies/{study.study_instance_uid}")
    reader.get(f"/api/v1/nowhere/{study.study_instance_uid}")
    reader.request("BREW", f"/api/v1/studies/{study.study_instance_uid}")
    assert value("cxr_http_requests_total", method="GET", route=template, status="200") == before + 1
    told = reader.get("/metrics").text
    for secret in (study.study_instance_uid, study.patient_id, draft.id, "BREW", "Phantom"):
        assert secret not in told
    assert {family.name for family in text_string_to_metric_families(told)} >= {
        "cxr_http_requests",
        "cxr_http_request_seconds",
        "cxr_lock_conflicts",
        "cxr_sentence_decisions",
    }


def test_signing_counts_decisions_and_a_refused_claim_a_conflict(house):
    accepted = value("cxr_sentence_decisions_total", decision="accepted")
    rejected = value("cxr_sentence_decisions_total", decision="rejected")
    conflicts = value("cxr_lock_conflicts_total")
    signed_report(house, house.reader("ada"))
    study, _ = add_ready_study(house.database, house.clock)
    for name in ("ada", "bob"):
        house.reader(name).post(f"/api/v1/studies/{study.study_instance_uid}/claim")
    assert value("cxr_sentence_decisions_total", decision="accepted") == accepted + 2
    assert value("cxr_sentence_decisions_total", decision="rejected") == rejected + 1
    assert value("cxr_lock_conflicts_total") == conflicts + 1


def test_without_the_database_nothing_works_but_the_process_is_alive(house, pixels):
    gone = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    deps = ApiDeps(gone, house.clock, house.store, pixels, lambda: True, web_dist=None)
    visitor = TestClient(create_app(deps, quick_passwords()))
    assert visitor.get("/livez").status_code == 200
    ready = visitor.get("/readyz")
    assert (ready.status_code, ready.json()["checks"]["database"]) == (503, "does not answer")
    answer = visitor.get("/api/v1/worklist", headers={"Authorization": "Bearer any"})
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert answer.json()["type"] == "urn:unirg:problem:database-unavailable"
    gone.close()
