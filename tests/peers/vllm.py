"""A vLLM server on a checkpoint, started exactly as the product documents it; half a minute to a minute each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from model.manifest import Checkpoint
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
