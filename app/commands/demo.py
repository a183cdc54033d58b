"""`unirg demo`: the main job on the embedded default, told as it happens."""

from __future__ import annotations

import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from pydicom import dcmread
from rich.console import Console
from rich.panel import Panel

from app.access import Role
from app.commands.people import add_person
from app.config import Settings, load
from app.db import migrations
from app.db.session import Database
from app.errors import ModelUnavailable, ServiceError
from app.gateways.storage_scu import echo, send_files

QUIET_SECONDS = 2
PATIENCE_SECONDS = 180.0
MODALITY = "DEMO-XR"
WORDS = {
    "receiving": "images arrive; waiting until the study has been quiet",
    "gathering_priors": "study complete; looking for the patient's earlier exams",
    "drafting": "priors known; the model reads the images",
    "ready": "a draft waits for a radiologist",
}
LAST = ("ready", "draft_unavailable", "not_eligible", "failed")


@dataclass(frozen=True, slots=True)
class Login:
    """Of the person the demo makes."""

    username: str
    password: str


def run(folder: Path, console: Console, *, once: bool) -> None:
    """Start the service, send a prior and a current radiograph, show the draft; stay up unless `once`.

    Raises ModelUnavailable where no draft comes about.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    config = _write_config(folder)
    settings = load(config)
    login = Login("demo", secrets.token_urlsafe(9))
    console.print(
        "[bold]UniRG[/bold] drafts chest radiograph reports. Research system, not a cleared medical device.\n"
    )
    _add_reader(settings, login)
    with _service(config, folder, console) as process:
        _wait_until_up(settings, process, console)
        with httpx.Client(base_url=_base(settings), timeout=30, trust_env=False) as client:
            _log_in(client, login)
            uid = _send(folder, settings, console)
            _follow(client, uid, console)
            _show_draft(client, uid, console)
        _show_address(settings, login, console)
        if not once:
            _stay(process, console)


def _free_port(wanted: int) -> int:
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    message = "No free TCP port on this machine."
    raise ServiceError(message)


def _write_config(folder: Path) -> Path:
    text = f"""\
# Written by `unirg demo`.
[http]
port = {_free_port(8080)}
[dicom]
port = {_free_port(11112)}
[[dicom.peers]]
name = "demo modality"
ae_title = "{MODALITY}"
host = "127.0.0.1"
port = 11113
roles = ["send"]
[database]
url = "sqlite:///{folder.absolute()}/unirg.db"
[storage]
path = "{folder.absolute()}/objects"
[completeness]
quiet_seconds = {QUIET_SECONDS}
"""
    path = folder / "unirg.toml"
    path.write_text(text, encoding="utf-8")
    return path


@contextmanager
def _service(config: Path, folder: Path, console: Console) -> Iterator[subprocess.Popen[bytes]]:
    console.print(f"[cyan]start[/cyan]    the service (log: {folder}/service.log)")
    command = [sys.executable, "-m", "app.cli", "serve", "--config", str(config)]
    with (folder / "service.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


def _add_reader(settings: Settings, login: Login) -> None:
    database = Database(settings.database.url.get_secret_value())
    migrations.upgrade(database)
    database.close()
    add_person(settings, login.username, "Demo Reader", [Role.RADIOLOGIST], login.password)


def _wait_until_up(settings: Settings, process: subprocess.Popen[bytes], console: Console) -> None:
    started = time.monotonic()
    with console.status("receiver, relay, worker and API are starting"):
        while time.monotonic() - started < PATIENCE_SECONDS:
            if process.poll() is not None:
                message = f"The service ended with exit code {process.returncode}; its log says why."
                raise ServiceError(message)
            if _is_up(settings):
                break
            time.sleep(0.2)
    console.print(f"[cyan]up[/cyan]       after {time.monotonic() - started:.1f} s: DICOM port {settings.dicom.port}")


def _is_up(settings: Settings) -> bool:
    try:
        echo("127.0.0.1", settings.dicom.port, MODALITY, settings.dicom.ae_title)
        return httpx.get(f"{_base(settings)}/readyz", timeout=5, trust_env=False).status_code == httpx.codes.OK
    except (ServiceError, httpx.HTTPError):
        return False


def _base(settings: Settings) -> str:
    return f"http://127.0.0.1:{settings.http.port}"


def _log_in(client: httpx.Client, login: Login) -> None:
    answer = client.post("/api/v1/auth/login", json={"username": login.username, "password": login.password})
    answer.raise_for_status()


def _send(folder: Path, settings: Settings, console: Console) -> str:
    """Returns the current study's UID. Films are drawn by the training side in its own process: the two never meet."""
    films = folder / "films"
    console.print("[cyan]draw[/cyan]     one phantom patient: a prior and a current radiograph")
    subprocess.run([sys.executable, "-m", "training.phantom", "--out", str(films)], check=True, capture_output=True)
    uid = ""
    for role in ("prior", "current"):
        path = films / f"{role}.dcm"
        header = dcmread(path, stop_before_pixels=True)
        send_files([path], "127.0.0.1", settings.dicom.port, MODALITY, settings.dicom.ae_title, lambda _: None)
        console.print(f"[cyan]C-STORE[/cyan]  {role} radiograph of {header.StudyDate}: acknowledged, so durable")
        uid = str(header.StudyInstanceUID)
    return uid


def _follow(client: httpx.Client, uid: str, console: Console) -> None:
    seen, started = "", time.monotonic()
    with console.status("working"):
        while time.monotonic() - started < PATIENCE_SECONDS and seen not in LAST:
            study = client.get(f"/api/v1/studies/{uid}").raise_for_status().json()
            if study["state"] != seen:
                seen = study["state"]
                words = WORDS.get(seen) or study["reason"]
                console.print(f"[cyan]{time.monotonic() - started:6.1f} s[/cyan] {seen}: {words}", highlight=False)
            time.sleep(0.1)
    priors = study["priors"]
    console.print(f"         priors: {priors['outcome']} ({len(priors['entries'])} considered)", highlight=False)


def _show_draft(client: httpx.Client, uid: str, console: Console) -> None:
    study = client.get(f"/api/v1/studies/{uid}").raise_for_status().json()
    if study["current_draft"] is None:
        message = f"No draft: {study['state']}, {study['reason']}. The service's log says more."
        raise ModelUnavailable(message)
    draft = client.get(f"/api/v1/drafts/{study['current_draft']['id']}").raise_for_status().json()
    sections: dict[str, list[str]] = {}
    for sentence in draft["sentences"]:
        flags = "".join(f" [{flag['code']}]" for flag in sentence["flags"])
        sections.setdefault(sentence["section"], []).append(sentence["text"] + flags)
    text = "\n\n".join(f"{name.capitalize()}: {' '.join(parts)}" for name, parts in sections.items())
    title = f"AI draft, unverified · {draft['model']} · not for diagnosis"
    console.print(Panel(text, title=title, border_style="yellow", highlight=False))


def _show_address(settings: Settings, login: Login, console: Console) -> None:
    console.print(f"Review page: {_base(settings)}/   login: {login.username}   password: {login.password}")


def _stay(process: subprocess.Popen[bytes], console: Console) -> None:
    console.print("The service stays up; Ctrl-C ends it.")
    try:
        process.wait()
    except KeyboardInterrupt:
        console.print("Stopping.")
