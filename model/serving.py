"""Start vLLM on a checkpoint: `python -m model.serving unirg-cxr-nano --port 8000` (`--print` shows the command).

The command line is made of the checkpoint's manifest and of serving.toml, nowhere else. The model is served under
`name@digest of its weights`: a client that asks for that name cannot be answered by other weights.
Needs only the standard library beside vLLM itself, so that it also runs in vLLM's own container.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from model.manifest import BadCheckpoint, Checkpoint, load_checkpoint

SERVING = Path(__file__).parent / "serving.toml"
DEFAULT_PORT = 8000
CONFIGURATION_ERROR = 78  # sysexits.h EX_CONFIG


@dataclass(frozen=True, slots=True)
class Command:
    """What to execute: full argument vector, and the variables to add to the environment."""

    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)


def served_name(name: str, weights_digest: str) -> str:
    """The model id under which these weights are served."""
    return f"{name}@{weights_digest}"


def vllm_command(
    checkpoint: Checkpoint,
    *,
    profile: str | None = None,
    like: str | None = None,
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    api_key: str | None = None,
) -> Command:
    """`vllm serve` for the checkpoint; it hashes the weights.

    profile: a table of serving.toml, default the first; like: the name whose tables to take, default the checkpoint's.
    Raises BadCheckpoint: no weights, other weights than stated, no such profile.
    """
    digest = checkpoint.weights_digest()
    every, own = _read()["every"], _profile(like or checkpoint.name, profile)
    manifest = checkpoint.manifest
    arguments: dict[str, Any] = {
        "served-model-name": served_name(checkpoint.name, digest),
        "host": host,
        "port": port,
        "dtype": manifest.dtype,
        "max-model-len": manifest.limits.max_model_len,
        "limit-mm-per-prompt": {"image": manifest.limits.images, "video": 0},
        **every["arguments"],
        **own.get("arguments", {}),
    }
    options = [part for name, value in arguments.items() for part in _option(name, value)]
    argv = (sys.executable, "-m", "vllm.entrypoints.cli.main", "serve", str(checkpoint.weights), *options)
    environment = {**every["environment"], **own.get("environment", {}), "PYTHONPATH": _python_path()}
    return Command(argv, environment | ({"VLLM_API_KEY": api_key} if api_key else {}))


def _read() -> dict[str, Any]:
    return tomllib.loads(SERVING.read_text(encoding="utf-8"))


def _profile(name: str, profile: str | None) -> dict[str, Any]:
    tables: dict[str, Any] = _read().get(name, {})
    chosen = profile or next(iter(tables), "")
    if chosen not in tables:
        known = ", ".join(tables) or "none: say with --like which checkpoint it is served like"
        message = f"{name} has no serving profile {chosen!r} in {SERVING}; it has {known}."
        raise BadCheckpoint(message)
    found: dict[str, Any] = tables[chosen]
    return found


def _option(name: str, value: Any) -> list[str]:
    if isinstance(value, bool):
        return [f"--{name}" if value else f"--no-{name}"]
    return [f"--{name}", json.dumps(value) if isinstance(value, dict) else str(value)]


def _python_path() -> str:
    """Lets vLLM import the middleware from this project, wherever it was started."""
    project = str(Path(__file__).resolve().parent.parent)
    inherited = os.environ.get("PYTHONPATH")
    return f"{project}{os.pathsep}{inherited}" if inherited else project


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m model.serving", description="Serve a checkpoint with vLLM.")
    parser.add_argument("checkpoint", help="name under model/checkpoints, or folder with manifest.toml")
    parser.add_argument("--weights", type=Path, help="folder of the weights, if elsewhere")
    parser.add_argument("--profile", help="table of model/serving.toml; default: the checkpoint's first")
    parser.add_argument("--like", help="take the profiles of that checkpoint (for one trained from it)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help=f"default {DEFAULT_PORT}")
    parser.add_argument("--api-key-file", type=Path, help="file with the key that clients must present")
    parser.add_argument("--print", action="store_true", help="print the command instead of running it")
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Becomes the vLLM process; returns only after --print, or with 78 where something is missing."""
    asked = _arguments(argv)
    try:
        command = _command(asked)
    except (BadCheckpoint, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return CONFIGURATION_ERROR
    if not asked.print:
        os.execve(command.argv[0], command.argv, {**os.environ, **command.environment})  # noqa: S606 - no shell
    shown = [f"{name}={shlex.quote(value)}" for name, value in command.environment.items() if name != "VLLM_API_KEY"]
    sys.stdout.write(f"{' '.join(shown)} {shlex.join(command.argv)}\n")
    return 0


def _command(asked: argparse.Namespace) -> Command:
    key = asked.api_key_file.read_text(encoding="utf-8").strip() if asked.api_key_file else None
    checkpoint = load_checkpoint(asked.checkpoint, asked.weights)
    return vllm_command(
        checkpoint, profile=asked.profile, like=asked.like, host=asked.host, port=asked.port, api_key=key
    )


if __name__ == "__main__":
    sys.exit(main())
