"""The deployment files agree with the code and with each other. No container engine is needed, and none is run."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import prometheus_client
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from app import cli, config, telemetry
from tests.peers.presence import program

ROOT = Path(__file__).resolve().parent.parent
PROMETHEUS = ROOT / "deploy" / "prometheus"
ALERT_TESTS = ("alerts_test.yml", "alerts_over_days_test.yml")
# Names that vLLM 0.31 exports (vllm/v1/metrics/loggers.py), process_* and up that every Prometheus client has.
FOREIGN = {
    *("vllm:num_requests_running", "vllm:num_requests_waiting", "vllm:kv_cache_usage_perc"),
    *("vllm:e2e_request_latency_seconds_bucket", "up", "process_start_time_seconds", "process_resident_memory_bytes"),
}


def read(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text())


COMPOSE = read("docker-compose.yml")
RULES = [rule for group in read("deploy/prometheus/alerts.yml")["groups"] for rule in group["rules"]]
ALERTS = [rule for rule in RULES if "alert" in rule]
DASHBOARD = json.loads((ROOT / "deploy/grafana/dashboards/reading-path.json").read_text())
OURS = {name: service for name, service in COMPOSE["services"].items() if service.get("image") == "unirg-service"}


def run(tool: str, *arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program(tool), *arguments], check=False, capture_output=True, text=True, cwd=cwd)


def exported() -> set[str]:
    """Every series name that our processes can export."""
    assert telemetry.dead_letters
    names: set[str] = set()
    for family in text_string_to_metric_families(prometheus_client.generate_latest().decode()):
        total = {"counter": {"_total"}, "histogram": {"_bucket", "_sum", "_count"}}.get(family.type, {""})
        names |= {f"{family.name}{suffix}" for suffix in total}
    return names


def series_of(expression: str) -> set[str]:
    """Names of the series in a PromQL expression."""
    return set(re.findall(r"\b(?:cxr_\w+|vllm:\w+|process_\w+|up(?=\{))", expression))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.get("alert") or rule["record"])
def test_rules_ask_for_series_that_exist(rule: dict[str, Any]) -> None:
    assert series_of(rule["expr"]) - exported() - FOREIGN == set()


@pytest.mark.parametrize("panel", DASHBOARD["panels"], ids=lambda panel: panel["title"])
def test_panels_ask_for_series_that_exist(panel: dict[str, Any]) -> None:
    asked = {name for target in panel["targets"] for name in series_of(target["expr"])}
    assert asked
    assert asked - exported() - FOREIGN == set()


@pytest.mark.peer("promtool")
@pytest.mark.parametrize("arguments", [("check", "rules", "alerts.yml"), ("test", "rules", *ALERT_TESTS)], ids=str)
def test_promtool_accepts_the_rules_and_their_tests(arguments: tuple[str, ...]) -> None:
    done = run("promtool", *arguments, cwd=PROMETHEUS)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_each_alert_has_a_firing_test_and_a_runbook_entry(alert: dict[str, Any]) -> None:
    tests = [test for file in ALERT_TESTS for test in read(f"deploy/prometheus/{file}")["tests"]]
    cases = [case for test in tests for case in test["alert_rule_test"] if case["alertname"] == alert["alert"]]
    fired = [bool(case["exp_alerts"]) for case in cases]
    assert set(fired) == {True, False}
    document, _, anchor = alert["annotations"]["runbook"].partition("#")
    headings = re.findall(r"^## (.+)$", (ROOT / document).read_text(), flags=re.MULTILINE)
    assert anchor in {heading.lower().replace(" ", "-") for heading in headings}


def test_no_alert_and_no_panel_speaks_of_a_patient() -> None:
    texts = json.dumps([rule.get("annotations", {}) for rule in RULES]) + json.dumps(DASHBOARD)
    assert re.findall(r"patient_|accession|study_instance_uid", texts) == []


@pytest.mark.peer("docker-compose")
def test_compose_accepts_the_file() -> None:
    done = run("docker-compose", "-f", "docker-compose.yml", "config", "--quiet")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_containers_have_no_more_rights_than_they_need(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert name in {"postgres", "orthanc"} or service["read_only"] is True
    assert "healthcheck" in service or name in {"migrate", "grafana"}


def test_images_of_ours_do_not_run_as_root() -> None:
    for dockerfile in (ROOT / "docker").glob("Dockerfile.*"):
        final_stage = dockerfile.read_text().rsplit("\nFROM ", 1)[-1]
        assert re.search(r"^USER (?!root)\w+$", final_stage, flags=re.MULTILINE), dockerfile


def test_services_are_started_with_verbs_that_the_command_has() -> None:
    verbs = {command.name or command.callback.__name__ for command in cli.app.registered_commands if command.callback}
    groups = {group.name for group in cli.app.registered_groups}
    assert {service["command"][0] for service in OURS.values()} <= verbs | groups
    units = "\n".join(path.read_text() for path in (ROOT / "deploy/systemd").glob("*.service"))
    assert set(re.findall(r"bin/unirg (\w+)", units)) <= verbs | groups


def test_secrets_come_from_files_that_the_script_makes() -> None:
    script = (ROOT / "docker/make-secrets").read_text()
    made = set(re.findall(r"^keep (\w+)", script, flags=re.MULTILINE))
    assert made == set(COMPOSE["secrets"])
    assert "docker/secrets" in (ROOT / ".gitignore").read_text()


@pytest.fixture
def settings(tmp_path: Path) -> config.Settings:
    """docker/unirg.toml as a container reads it, with each secret's file in a folder of the test's own."""
    (tmp_path / "database_url").write_text("postgresql+psycopg://unirg:secret@postgres:5432/unirg\n")
    (tmp_path / "broker_url").write_text("redis://:secret@redis:6379/0\n")
    (tmp_path / "model_api_key").write_text("secret\n")
    text = (ROOT / "docker/unirg.toml").read_text().replace("/run/secrets", str(tmp_path))
    (tmp_path / "unirg.toml").write_text(text)
    return config.load(tmp_path / "unirg.toml")


def test_the_containers_configuration_fits_the_compose_file(settings: config.Settings) -> None:
    services = COMPOSE["services"]
    assert settings.model.url == "http://vllm:8000"
    assert {peer.host for peer in settings.dicom.peers} <= {*services, "127.0.0.1"}
    assert settings.database.url.get_secret_value().startswith("postgresql+psycopg://")
    assert f"{settings.dicom.port}:{settings.dicom.port}" in services["receiver"]["ports"]
    assert f"127.0.0.1:{settings.http.port}:{settings.http.port}" in services["api"]["ports"]


def test_prometheus_scrapes_every_process_where_it_listens(settings: config.Settings) -> None:
    scraped = read("deploy/prometheus/prometheus.yml")["scrape_configs"]
    targets = {target for job in scraped for entry in job["static_configs"] for target in entry["targets"]}
    assert targets >= {
        f"api:{settings.http.port}",
        f"receiver:{settings.metrics.receiver_port}",
        f"relay:{settings.metrics.relay_port}",
        f"worker:{settings.metrics.worker_port}",
        "vllm:8000",
    }


def test_the_demo_pacs_knows_the_receiver(settings: config.Settings) -> None:
    orthanc = json.loads((ROOT / "docker/orthanc.json").read_text())
    us = orthanc["DicomModalities"]["unirg"]
    assert (us["AET"], us["Host"], us["Port"]) == (settings.dicom.ae_title, "receiver", settings.dicom.port)
    (pacs,) = [peer for peer in settings.dicom.peers if peer.host == "orthanc"]
    assert (pacs.ae_title, pacs.port) == (orthanc["DicomAet"], orthanc["DicomPort"])


@pytest.mark.peer("systemd")
@pytest.mark.parametrize("unit", sorted(path.name for path in (ROOT / "deploy/systemd").glob("*.service")))
def test_systemd_understands_the_units(unit: str) -> None:
    done = run("systemd-analyze", "verify", f"./{unit}", cwd=ROOT / "deploy" / "systemd")
    told = [line for line in done.stderr.splitlines() if unit in line]
    # The only thing it may miss is the installation itself.
    assert [line for line in told if "is not executable: No such file" not in line] == []


def test_the_gpu_file_serves_a_checkpoint_and_a_profile_that_exist() -> None:
    command = read("docker/compose.gpu.yml")["services"]["vllm"]["command"]
    profile = re.fullmatch(r"\$\{UNIRG_GPU_PROFILE:-(.+)\}", command[command.index("--profile") + 1])
    assert profile is not None
    assert (ROOT / "model/checkpoints" / command[0] / "manifest.toml").exists()
    assert profile[1] in tomllib.loads((ROOT / "model/serving.toml").read_text())[command[0]]
