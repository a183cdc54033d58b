"""`unirg` as an operator meets it: output for people and for programs, exit codes."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from app.db.session import Database, unit_of_work
from app.gateways.clock import SystemClock
from tests.builders.radiographs import radiograph, save
from tests.builders.studies import add_study
from tests.peers.process import free_port


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "unirg.toml"  # ports of its own: a service that runs here for other reasons must not be found
    ports = f"[http]\nport = {free_port()}\n[dicom]\nport = {free_port()}\n"
    places = f'[database]\nurl = "sqlite:///{tmp_path}/record.db"\n[storage]\npath = "{tmp_path}/objects"\n'
    path.write_text(ports + places)
    return path


def unirg(*arguments, stdin=""):
    command = [sys.executable, "-m", "app.cli", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=120)


@pytest.fixture
def upgraded(config):
    assert unirg("db", "upgrade", "-c", config).returncode == 0
    return config


def database_of(config):
    return Database(f"sqlite:///{config.parent}/record.db")


def test_no_verb_prints_the_manual():
    shown = unirg("--help")
    assert shown.returncode == 0
    for verb in ("serve", "api", "receiver", "worker", "relay", "demo", "send", "doctor", "trace", "audit"):
        assert verb in shown.stdout


def test_an_unknown_verb_is_wrong_usage():
    assert unirg("nonsense").returncode == 2


def test_a_wrong_configuration_ends_with_78_and_one_line(tmp_path):
    path = tmp_path / "wrong.toml"
    path.write_text("[dicom]\nprot = 1\n")
    ended = unirg("trace", "x", "-c", path)
    assert ended.returncode == 78
    assert "dicom.prot: unknown key" in ended.stderr.replace("\n", " ")
    assert "Traceback" not in ended.stderr


def test_users_and_tokens(upgraded):
    assert (
        unirg(
            "user", "add", "ada", "--role", "radiologist", "--password-stdin", "-c", upgraded, stdin="a" * 12
        ).returncode
        == 0
    )
    again = unirg("user", "add", "ada", "--role", "viewer", "--password-stdin", "-c", upgraded, stdin="b" * 12)
    assert again.returncode == 0
    short = unirg("user", "add", "eve", "--role", "viewer", "--password-stdin", "-c", upgraded, stdin="short")
    assert (short.returncode, "at least 8 characters" in short.stderr) == (1, True)
    token = unirg("token", "create", "ris", "--role", "ris", "-c", upgraded)
    assert token.returncode == 0
    assert len(token.stdout.strip()) > 30
    unknown = unirg("token", "create", "x", "--role", "wizard", "-c", upgraded)
    assert (unknown.returncode, "no role wizard" in unknown.stderr) == (1, True)


def test_the_timeline_of_a_study(upgraded):
    database = database_of(upgraded)
    study = add_study(database, SystemClock(), accession_number="A-77", patient_name="Canary^Yellow")
    with unit_of_work(database, SystemClock(), "ae:XR1") as uow:
        uow.audit("study.received", study.id, state="receiving", revision=1)
    traced = unirg("trace", "A-77", "--json", "-c", upgraded)
    [timeline] = json.loads(traced.stdout)
    assert timeline["state"] == "receiving"
    assert [moment["action"] for moment in timeline["moments"]] == ["study.received"]
    for_people = unirg("trace", study.study_instance_uid, "-c", upgraded)
    assert "study.received" in for_people.stdout
    assert "anary" not in traced.stdout + for_people.stdout
    assert unirg("trace", "A-78", "-c", upgraded).returncode == 1


def test_a_broken_chain_is_a_failed_check(upgraded):
    database = database_of(upgraded)
    with unit_of_work(database, SystemClock()) as uow:
        uow.audit("a")
        uow.audit("b")
    assert unirg("audit", "verify", "-c", upgraded).returncode == 0
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE audit SET actor='x' WHERE seq=1")
    broken = unirg("audit", "verify", "--json", "-c", upgraded)
    assert broken.returncode == 1
    assert json.loads(broken.stdout)["problem"] == "entry 1 was altered"


def test_the_doctor_says_what_to_do(config):
    before = {c["name"]: c for c in json.loads(unirg("doctor", "--json", "-c", config).stdout)}
    assert before["database"]["state"] == "failed"
    assert "unirg db upgrade" in before["database"]["advice"]
    unirg("db", "upgrade", "-c", config)
    after = {c["name"]: c for c in json.loads(unirg("doctor", "--json", "-c", config).stdout)}
    assert after["database"]["state"] == "ok"
    assert after["receiver"]["state"] == "warning"


def test_the_doctor_names_the_folder_without_weights(config, tmp_path):
    """What readers are not told."""
    config.write_text(config.read_text() + f'[model]\ncheckpoint = "unirg-cxr-8b"\nweights = "{tmp_path}/empty"\n')
    checks = {c["name"]: c for c in json.loads(unirg("doctor", "--json", "-c", config).stdout)}
    assert (checks["model"]["state"], f"{tmp_path}/empty" in checks["model"]["finding"]) == ("failed", True)


def test_sending_to_nobody_is_a_clear_failure(tmp_path):
    path = save(radiograph(), tmp_path / "image.dcm")
    ended = unirg("send", path, "--to", "127.0.0.1:1")
    assert ended.returncode == 1
    assert "no connection" in ended.stderr
    assert unirg("send", path, "--to", "nonsense").returncode == 1
    assert unirg("send", tmp_path / "none.dcm").returncode == 2
