"""The service as its own processes, on either stack, with a supervisor that starts again what was killed."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.peers import dcmtk
from tests.peers.process import free_port, tail, wait_until

READER, PASSWORD = "reader", secrets.token_urlsafe(12)
UP_SECONDS = 120.0
SECTIONS = ("findings", "impression")


@dataclass(frozen=True)
class Peer:
    """A DICOM peer as the configuration names it."""

    name: str
    ae_title: str
    port: int
    roles: tuple[str, ...]
    retrieve: str = "get"

    def as_toml(self) -> str:
        return (
            f'[[dicom.peers]]\nname = "{self.name}"\nae_title = "{self.ae_title}"\nhost = "127.0.0.1"\n'
            f'port = {self.port}\nroles = {json.dumps(self.roles)}\nretrieve = "{self.retrieve}"\n'
        )


@dataclass
class Stack:
    """One running service; `config` holds the path of its TOML."""

    folder: Path
    database: str
    broker: str = "memory://"
    peers: Sequence[Peer] = ()
    model: str = 'backend = "transformers"'
    quiet_seconds: float = 1.0
    dicom_port: int = field(default_factory=free_port)
    http_port: int = field(default_factory=free_port)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def config(self) -> Path:
        return self.folder / "unirg.toml"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def roles(self) -> list[str]:
        embedded = self.broker.startswith("memory:")
        return ["receiver", "worker", "api"] if embedded else ["receiver", "relay", "worker", "api"]

    def write_config(self) -> None:
        modality = Peer("modality", "STORESCU", 11113, ("send",))
        self.config.write_text(
            f"[http]\nport = {self.http_port}\n[dicom]\nport = {self.dicom_port}\ntimeout_seconds = 10\n"
            + "".join(peer.as_toml() for peer in (modality, *self.peers))
            + f'[database]\nurl = "{self.database}"\n[broker]\nurl = "{self.broker}"\n'
            + f'[storage]\npath = "{self.folder}/objects"\nmin_free_ratio = 0.0\n'
            + f"[completeness]\nquiet_seconds = {self.quiet_seconds}\n[model]\n{self.model}\n"
        )

    def unirg(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "app.cli", *arguments, "--config", str(self.config)]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=120)

    def start(self) -> None:
        self.write_config()
        assert self.unirg("db", "upgrade").returncode == 0
        added = self.unirg("user", "add", READER, "--role", "radiologist", "--password-stdin", stdin=PASSWORD)
        assert added.returncode == 0, added.stderr
        for role in self.roles:
            self.launch(role)
        threading.Thread(target=self._supervise, daemon=True).start()
        wait_until(self.is_up, "the service", UP_SECONDS)

    def launch(self, role: str) -> None:
        command = [sys.executable, "-m", "app.cli", role, "--config", str(self.config)]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
        with (self.folder / f"{role}.log").open("ab") as log:
            self.processes[role] = subprocess.Popen(command, stdout=log, stderr=log, env=environment)

    def _supervise(self) -> None:
        while not self.stopping.wait(0.2):
            for role, process in list(self.processes.items()):
                if process.poll() is not None and not self.stopping.is_set():
                    self.launch(role)

    def kill(self, role: str) -> None:
        """kill -9, as a crash would end it; the supervisor starts it again."""
        self.processes[role].send_signal(signal.SIGKILL)

    def is_up(self) -> bool:
        try:
            ready = httpx.get(f"{self.url}/readyz", timeout=5, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False
        return ready and dcmtk.echo(self.dicom_port, called="UNIRG", calling="STORESCU", seconds=3)

    def stop(self) -> None:
        self.stopping.set()
        time.sleep(0.3)
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def logs(self) -> str:
        return "\n".join(f"--- {role}\n{tail(self.folder / f'{role}.log')}" for role in self.roles)

    @contextmanager
    def client(self) -> Iterator[Client]:
        """A logged-in radiologist."""
        with httpx.Client(base_url=self.url, timeout=30, trust_env=False, verify=False) as http:
            answer = http.post("/api/v1/auth/login", json={"username": READER, "password": PASSWORD})
            answer.raise_for_status()
            http.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
            yield Client(http)


def answered(response: httpx.Response) -> Any:
    """The JSON of a success; anything else fails with what the service said."""
    assert response.is_success, f"{response.request.method} {response.url.path}: {response.status_code} {response.text}"
    return response.json()


@dataclass(frozen=True)
class Client:
    """The API as the review page uses it."""

    http: httpx.Client

    def study(self, uid: str) -> dict[str, Any]:
        return dict(answered(self.http.get(f"/api/v1/studies/{uid}")))

    def wait_for(self, uid: str, *states: str, seconds: float = 120) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        state = "not received"
        while time.monotonic() < deadline:
            answer = self.http.get(f"/api/v1/studies/{uid}")
            if answer.status_code == 200:
                state = answer.json()["state"]
                if state in states:
                    return dict(answer.json())
            time.sleep(0.1)
        raise AssertionError(f"the study is {state}, not {' or '.join(states)}, after {seconds} s")

    def redraft(self, uid: str) -> None:
        answered(self.http.post(f"/api/v1/studies/{uid}/redraft"))

    def draft(self, study: dict[str, Any]) -> dict[str, Any]:
        return dict(answered(self.http.get(f"/api/v1/drafts/{study['current_draft']['id']}")))

    def sign(self, study: dict[str, Any]) -> dict[str, Any]:
        """Start a report from the draft (or from nothing), accept every sentence, sign."""
        uid, draft = study["study_instance_uid"], study["current_draft"]
        answered(self.http.post(f"/api/v1/studies/{uid}/claim"))
        body = {"study_instance_uid": uid, **({"draft_id": draft["id"]} if draft else {})}
        report = answered(self.http.post("/api/v1/reports", json=body))
        written = self.draft(study)["sentences"] if draft else []
        text = {
            **{section: " ".join(s["text"] for s in written if s["section"] == section) for section in SECTIONS},
            "sentences": [{**s, "decision": "accepted"} for s in report["sentences"]],
        }
        text["impression"] = text["impression"] or "Read by hand: no acute abnormality."
        path = f"/api/v1/reports/{report['id']}"
        report = answered(self.http.put(path, json=text, headers={"If-Match": report["etag"]}))
        proof = {"password": PASSWORD, "meaning": "I have read the images and this report is mine."}
        signed = self.http.post(f"{path}/sign", json=proof, headers={"If-Match": report["etag"]})
        return dict(answered(signed))
