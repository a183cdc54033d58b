"""The command that serves a checkpoint: complete, offline, closed, and understood by vLLM itself."""

from __future__ import annotations

import asyncio
import json
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from model.manifest import CHECKPOINTS, BadCheckpoint, Checkpoint, load_checkpoint, read_manifest
from model.serving import CONFIGURATION_ERROR, SERVING, main, served_name, vllm_command
from model.vllm_routes import ALLOWED, OnlyDrafting

TABLES = tomllib.loads(SERVING.read_text())
PROFILES = [(name, profile) for name, profiles in TABLES.items() if name != "every" for profile in profiles]


@pytest.fixture
def weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "weights"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    return folder


def checkpoint(name: str, weights: Path) -> Checkpoint:
    if name == "unirg-cxr-nano":
        return load_checkpoint(name)
    return load_checkpoint(name, weights)


def option(argv: tuple[str, ...], name: str) -> str:
    return argv[argv.index(f"--{name}") + 1]


@pytest.mark.parametrize(("name", "profile"), PROFILES)
def test_each_profile_makes_a_command_from_the_manifest(name: str, profile: str, weights: Path) -> None:
    chosen = checkpoint(name, weights)
    command = vllm_command(chosen, profile=profile, port=8123)
    manifest = read_manifest(CHECKPOINTS / name / "manifest.toml")
    assert command.argv[:5] == (sys.executable, "-m", "vllm.entrypoints.cli.main", "serve", str(chosen.weights))
    assert option(command.argv, "served-model-name") == served_name(name, chosen.weights_digest())
    assert option(command.argv, "max-model-len") == str(manifest.limits.max_model_len)
    assert json.loads(option(command.argv, "limit-mm-per-prompt")) == {"image": 2, "video": 0}
    assert (option(command.argv, "host"), option(command.argv, "port")) == ("127.0.0.1", "8123")
    assert {"--no-enable-log-requests", "--no-trust-remote-code"} <= set(command.argv)
    assert command.environment["HF_HUB_OFFLINE"] == "1"


@pytest.mark.peer("vllm")
def test_vllm_understands_every_option_of_every_profile(weights: Path) -> None:
    """In a process of its own: vLLM's parser changes logging and the environment on import."""
    lines = [vllm_command(checkpoint(name, weights), profile=profile).argv[4:] for name, profile in PROFILES]
    script = (
        "import json, sys\n"
        "from vllm.entrypoints.launchers.cli_args import make_arg_parser, validate_parsed_serve_args\n"
        "from vllm.utils.argparse_utils import FlexibleArgumentParser\n"
        "for argv in json.load(sys.stdin):\n"
        "    parsed = make_arg_parser(FlexibleArgumentParser()).parse_args(argv)\n"
        "    validate_parsed_serve_args(parsed)\n"
        "    print('understood', parsed.served_model_name[0], parsed.middleware[0])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=json.dumps(lines),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.stdout.count("understood") == len(PROFILES), done.stderr[-3000:]


def test_the_key_travels_in_the_environment_and_is_not_printed(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "key").write_text("s3cret\n")
    command = vllm_command(checkpoint("unirg-cxr-8b", weights), api_key="s3cret")
    assert command.environment["VLLM_API_KEY"] == "s3cret"
    assert "s3cret" not in " ".join(command.argv) + repr(command)
    argv = ["unirg-cxr-8b", "--weights", str(weights), "--api-key-file", str(tmp_path / "key"), "--print"]
    assert main(argv) == 0
    printed = capsys.readouterr().out
    assert "s3cret" not in printed
    assert shlex.split(printed)[-len(command.argv) :] == list(command.argv)


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["unirg-cxr-8b"], "fetch all files of microsoft/UniRG-CXR"),
        (["unirg-cxr-8b", "--weights", "{weights}", "--profile", "tpu"], "gpu-24gb"),
        (["unirg-cxr-8b", "--weights", "{weights}", "--like", "none"], "--like"),
        (["unirg-cxr-8b", "--weights", "{weights}", "--api-key-file", "/does/not/exist"], "/does/not/exist"),
        (["nothing"], "There is no checkpoint nothing"),
    ],
)
def test_what_is_missing_is_said_and_ends_with_78(
    weights: Path, capsys: pytest.CaptureFixture[str], argv: list[str], words: str
) -> None:
    assert main([part.format(weights=weights) for part in argv]) == CONFIGURATION_ERROR
    assert words in capsys.readouterr().err


def test_a_checkpoint_trained_from_another_is_served_like_it(weights: Path, tmp_path: Path) -> None:
    text = (CHECKPOINTS / "unirg-cxr-8b" / "manifest.toml").read_text().replace("unirg-cxr-8b", "site-tuned")
    (tmp_path / "manifest.toml").write_text(text)
    tuned = load_checkpoint(tmp_path, weights)
    with pytest.raises(BadCheckpoint, match="--like"):
        vllm_command(tuned)
    assert option(vllm_command(tuned, like="unirg-cxr-8b").argv, "max-num-seqs") == "8"


def answer(scope: dict[str, Any]) -> list[dict[str, Any]]:
    """What a caller of the guarded server sees; the server behind says 200 to everything."""
    sent: list[dict[str, Any]] = []

    async def inner(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {}

    asyncio.run(OnlyDrafting(inner)(scope, receive, send))
    return sent


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"])
@pytest.mark.parametrize(
    "path", ["/v1/chat/completions", "/v1/models", "/health", "/metrics", "/tokenize", "/", "//", ""]
)
def test_only_the_routes_of_drafting_are_open(method: str, path: str) -> None:
    status = answer({"type": "http", "method": method, "path": path})[0]["status"]
    assert status == (200 if (method, path) in ALLOWED else 404)


def test_web_sockets_are_closed_and_start_up_passes() -> None:
    assert answer({"type": "websocket", "path": "/v1/realtime"}) == [{"type": "websocket.close", "code": 1008}]
    assert answer({"type": "lifespan"})[0]["status"] == 200
