"""A vLLM server on a checkpoint, started exactly as the product documents it; half a minute to a minute each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from model.manifest import Checkpoint, load_checkpoint
from model.serving import vllm_command
from tests.peers.presence import require
from tests.peers.process import Server, free_port

STARTUP_SECONDS = 420.0


@dataclass(frozen=True)
class Vllm:
    """A healthy server; ``server.kill()`` ends it as a crash would."""

    url: str
    checkpoint: Checkpoint
    server: Server


def _healthy(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=2, trust_env=False).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


@contextmanager
def running_vllm(
    checkpoint: Checkpoint, folder: Path, *, like: str | None = None, api_key: str | None = None
) -> Iterator[Vllm]:
    """vLLM serving the checkpoint on a free loopback port, log in ``folder``; stopped at the end."""
    require("vllm")
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    command = vllm_command(checkpoint, like=like, port=port, api_key=api_key)
    server = Server(command.argv, folder / "vllm.log", env=command.environment)
    url = f"http://127.0.0.1:{port}"
    server.start(lambda: _healthy(url), STARTUP_SECONDS)
    try:
        yield Vllm(url, checkpoint, server)
    finally:
        server.stop()


API_KEY = "key-of-the-run's-own-server"


@pytest.fixture(scope="session")
def nano_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Vllm]:
    """The run's vLLM on the nano checkpoint, started once: it takes most of a minute."""
    with running_vllm(load_checkpoint("unirg-cxr-nano"), tmp_path_factory.mktemp("vllm"), api_key=API_KEY) as running:
        yield running
