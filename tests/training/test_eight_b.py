"""The 8B runs on a CPU: every file, but for its sizes, goes through its stage, and vLLM serves the end."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import numpy as np
import pytest
from PIL import Image

from model.manifest import Checkpoint, Limits, load_checkpoint
from model.prompting import build_prompt
from tests.peers.presence import require
from tests.peers.process import Server, free_port
from tests.peers.vllm import API_KEY, STARTUP_SECONDS, Vllm, running_vllm
from tests.training import shrunken
from training.config import RUNS, BadRunConfig, load_run

pytest.importorskip("trl", reason="TRL is not installed; make setup")
pytest.importorskip("peft", reason="peft is not installed; make setup")

FILES = ("unirg-cxr-8b-sft", "unirg-cxr-8b-rl-1", "unirg-cxr-8b-rl-2")
# One process for all stages: importing the libraries takes longer than training.
STAGES = """
import json, sys
from training import manifest_rl, manifest_sft
for command, run, stage, out in json.loads(sys.argv[1]):
    (manifest_sft if command == "sft" else manifest_rl).main([run, stage, out])
"""
OFFLINE = {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "VLLM_DO_NOT_TRACK": "1"}
SMALL_RL = {"prompts": 2, "micro_batch": 8, "max_new_tokens": 8, "vllm_url": "", "warmup": 0, "findings_share": 0.5}
TWO_STEPS = {"epochs": 0.5}  # of 8 studies, 2 a step


@dataclass(frozen=True)
class Trained:
    folder: Path
    judge: str

    def out(self, name: str) -> Path:
        return self.folder / "out" / name


def stages(folder: Path, kind: str, judge: dict[str, object], **weights: object) -> list[list[str]]:
    base, commands = str(folder / "base"), []
    small = {"batch": 4, "micro_batch": 2, "epochs": 1.0, "validation": 2, "save_every": 1, "max_length": 1024}
    file = shrunken.run_file(FILES[0], folder, **small, **weights, path=base)
    text = file.read_text().replace(f'path = "{base}"', f'path = "{folder}/manifest"', 1)
    file.write_text(text)
    commands.append(["sft", str(file), "sft", str(folder / "out" / f"{kind}-sft")])
    for number in (1, 2):
        before = commands[-1][-1]
        changes = {**SMALL_RL, **TWO_STEPS, **weights, **(judge if number == 2 else {})}
        file = shrunken.run_file(FILES[number], folder, **changes)
        text = re.sub(r'path = "checkpoints/[^"]*"', f'path = "{before}"', file.read_text())
        # a network of random weights is all that the stop rules are against
        file.write_text(text.replace('name = "rl-', 'stop = { window = 100 }\nname = "rl-', 1))
        commands.append(["rl", str(file), f"rl-{number}", str(folder / "out" / f"{kind}-rl-{number}")])
    return commands


@pytest.fixture(scope="module")
def trained(nano_server: Vllm, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Full weights and LoRA, each through the three files, judged by the nano checkpoint on a real vLLM."""
    folder = tmp_path_factory.mktemp("eight_b")
    shrunken.manifest(folder / "manifest")
    shrunken.network(folder / "base")
    shrunken.judges(folder / "weights")
    headers = {"Authorization": f"Bearer {API_KEY}"}
    served = httpx.get(f"{nano_server.url}/v1/models", headers=headers, trust_env=False).json()["data"][0]["id"]
    judge = {"url": f"{nano_server.url}/v1", "model": served, "concurrency": 8, "attempts": 1, "max_tokens": 16}
    commands = stages(folder, "full", judge)
    commands += stages(folder, "lora", judge, lora_rank=4)
    environment = {
        "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "1", "HF_HUB_OFFLINE": "1", "UNIRG_JUDGE_API_KEY": API_KEY,
        "TOKENIZERS_PARALLELISM": "false",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", STAGES, json.dumps(commands)], cwd=shrunken.ROOT, env={**os.environ, **environment},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    return Trained(folder, served)


def weights(folder: Path) -> dict[str, np.ndarray]:
    from safetensors.torch import load_file

    return {name: tensor.float().numpy() for name, tensor in load_file(folder / "model.safetensors").items()}


def moved(before: Path, after: Path) -> set[str]:
    old, new = weights(before), weights(after)
    assert old.keys() == new.keys(), "weights have other names than those they were loaded from"
    return {name for name in old if not np.array_equal(old[name], new[name])}


def progress(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "progress.jsonl").read_text().splitlines()]


@pytest.mark.peer("vllm")
@pytest.mark.parametrize("kind", ["full", "lora"])
def test_each_file_trains_two_steps(trained: Trained, kind: str):
    sources = [trained.folder / "base", trained.out(f"{kind}-sft"), trained.out(f"{kind}-rl-1")]
    for name, before in zip(("sft", "rl-1", "rl-2"), sources, strict=True):
        out = trained.out(f"{kind}-{name}")
        assert json.loads((out / "result.json").read_text())["steps"] == 2
        assert (out / "adapter").is_dir() == (kind == "lora")
        changed = moved(before, out)
        assert any("language_model" in one for one in changed), name
        assert any("visual" in one for one in changed) == (kind == "full" and name == "sft"), name


@pytest.mark.peer("vllm")
def test_published_rewards_are_scored_and_the_first_step_has_no_kl(trained: Trained):
    for row in progress(trained.out("full-rl-1")):
        parts = [row[f"reward/{name}"] for name in ("bertscore", "sembscore", "radgraph_combined")]
        assert row["reward/composite"] == pytest.approx(np.dot([0.370, 0.253, 0.377], parts), abs=1e-4)
        assert "kl" not in row
        assert "reward/chexprompt" not in row


@pytest.mark.peer("vllm")
@pytest.mark.parametrize("kind", ["full", "lora"])
def test_a_judge_that_cannot_judge_is_missing_and_the_step_still_trains(trained: Trained, kind: str):
    rows = progress(trained.out(f"{kind}-rl-2"))
    assert len(rows) == 2
    for row in rows:
        assert "reward/chexprompt" not in row, "no judgement could be read: there is no mean of them"
        assert row["reward/missing_weight"] == pytest.approx(0.5 / 1.5), "its weight, and no other, is missing"
        assert row["reward/missing"] == 0
        assert row["grad_norm"] > 0
    assert rows[0]["kl"] == pytest.approx(0, abs=1e-4), "the reference is the policy of step 1, adapters merged"


@pytest.mark.peer("vllm")
def test_vllm_serves_what_the_last_step_wrote(trained: Trained, tmp_path: Path):
    nano = load_checkpoint("unirg-cxr-nano").manifest
    limits = Limits(max_model_len=shrunken.SIZES.max_positions, max_new_tokens=16, images=nano.limits.images)
    made = replace(nano, name="eight-b-shrunken", weights_sha256="", image_size=64, limits=limits)
    with (
        running_vllm(Checkpoint(made, trained.out("lora-rl-2")), tmp_path, like="unirg-cxr-nano") as running,
        httpx.Client(base_url=running.url, trust_env=False, timeout=120) as client,
    ):
        served = client.get("/v1/models").json()["data"][0]["id"]
        asked = {"model": served, "messages": [{"role": "user", "content": "Report."}], "max_tokens": 4}
        answer = client.post("/v1/chat/completions", json=asked)
        assert answer.status_code == httpx.codes.OK, answer.text
        assert answer.json()["usage"]["completion_tokens"] > 0


def healthy(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=2, trust_env=False).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


@pytest.fixture
def rollout_server(tmp_path: Path) -> Iterator[str]:
    """`trl vllm-serve` on the nano checkpoint, but for its sizes as docs/training-8b.md starts it; its address."""
    require("vllm")
    port, trl = free_port(), Path(sys.executable).with_name("trl")
    sizes = ["--dtype", "float32", "--max_model_len", "1024", "--gpu_memory_utilization", "0.1", "--enforce_eager"]
    where = ["--model", str(shrunken.NANO), "--host", "127.0.0.1", "--port", str(port)]
    server = Server([trl, "vllm-serve", *where, *sizes, "true"], tmp_path / "trl.log", env=OFFLINE)
    url = f"http://127.0.0.1:{port}"
    server.start(lambda: healthy(url), STARTUP_SECONDS)
    try:
        yield url
    finally:
        server.stop()


@pytest.mark.peer("vllm")
def test_rollouts_of_a_server_are_sampled_from_films_as_the_stage_says(rollout_server: str, tmp_path: Path):
    """All of server mode but the new weights, which go over NCCL and so need a GPU."""
    from transformers import AutoProcessor
    from trl.generation.vllm_client import VLLMClient

    from training.rl import settings

    processor, film = AutoProcessor.from_pretrained(shrunken.NANO), Image.new("RGB", (128, 128))
    text = processor.apply_chat_template(build_prompt(None).chat_messages(), tokenize=False, add_generation_prompt=True)
    ids = processor(text=[text], images=[[film]])["input_ids"][0]
    client = VLLMClient(base_url=rollout_server)
    (seen,) = client.image_features([[film]])
    place = {"offset": ids.index(processor.image_token_id), "length": ids.count(processor.image_token_id)}
    seen["mm_placeholders"]["image"] = [place]

    def firsts(never: list[int]) -> set[int]:
        stage = replace(load_run(RUNS / f"{FILES[1]}.toml").rl[0], prompts=1, rollouts=4, micro_batch=4,
                        vllm_url=rollout_server)  # fmt: skip
        told = settings(stage, 1, tmp_path, 1, never)
        how = {"n": stage.rollouts, "max_tokens": 8, "logprobs": 0, "generation_kwargs": told.generation_kwargs}
        made = client.generate([list(ids)], features=[seen], temperature=stage.temperature, **how)
        assert len(made["completion_ids"]) == len(made["logprobs"]) == stage.rollouts
        return {completion[0] for completion in made["completion_ids"]}

    before = firsts([])
    assert not before & firsts(sorted(before))
    with pytest.raises(NotImplementedError, match="needs a CUDA device"):
        client.init_communicator(device="cpu")


def published(name: str) -> str:
    return (RUNS / f"{name}.toml").read_text()


def test_published_values_stand_in_the_files():
    sft, first, second = (load_run(RUNS / f"{name}.toml") for name in FILES)
    assert (sft.manifest.image_size, sft.sft[0].learning_rate, sft.sft[0].batch, sft.sft[0].epochs) == (
        512,
        5e-5,
        256,
        3,
    )
    one, two = first.rl[0], second.rl[0]
    assert (one.rollouts, one.learning_rate, one.prompts, one.epochs, one.beta) == (16, 5e-6, 256, 1, 0)
    assert (two.rollouts, two.learning_rate, two.prompts, two.epochs, two.beta) == (16, 5e-6, 256, 1, 0.03)
    mix = {"bertscore": 0.370, "sembscore": 0.253, "radgraph_combined": 0.377, "bleu2": 0.0}
    assert {term.name: term.weight for term in one.rewards} == mix
    assert {term.name: term.weight for term in two.rewards} == mix | {"chexprompt": 0.5}
    assert {term.normalise for term in two.rewards} == {"none"}
    assert one.epsilon_high > one.epsilon
    assert (first.checkpoint.path, second.checkpoint.path) == (f"checkpoints/{sft.name}", f"checkpoints/{first.name}")


PUBLISHED = ("image_size", "validation", "epochs", "batch", "learning_rate", "rollouts", "beta", "weight", "name")


@pytest.mark.parametrize("name", FILES)
def test_what_is_not_published_says_that_it_is_our_choice(name: str):
    for line in published(name).splitlines():
        key = line.strip().split(" ")[0]
        if " = " not in line.split("#")[0] or key in PUBLISHED or (key == "options" and "cuda" in line):
            continue
        assert re.search(r"# (.*our choice|published|what (stage|step) 1 wrote)", line), line


@pytest.mark.parametrize("name", ["zero3", "fsdp2"])
def test_accelerate_reads_its_configurations(name: str, monkeypatch: pytest.MonkeyPatch):
    from accelerate.commands.config.config_args import load_config_from_file
    from transformers.models.qwen3_vl import modeling_qwen3_vl

    config = load_config_from_file(str(RUNS.parent / "accelerate" / f"{name}.yaml"))
    assert config.mixed_precision == "bf16"
    assert load_run(RUNS / f"{FILES[0]}.toml").sft[0].batch % config.num_processes == 0
    if name == "fsdp2":
        for layer in config.fsdp_config["fsdp_transformer_layer_cls_to_wrap"].split(","):
            assert hasattr(modeling_qwen3_vl, layer)


def test_processes_that_cannot_share_a_batch_are_refused():
    from training.manifest_sft import parts_of_batch

    stage = load_run(RUNS / f"{FILES[0]}.toml").sft[0]
    assert parts_of_batch(stage, 8) * 8 * stage.micro_batch == stage.batch
    with pytest.raises(BadRunConfig, match="batch 256 cannot be shared by 7"):
        parts_of_batch(stage, 7)


def test_a_network_that_is_not_there_is_said(tmp_path: Path):
    from training import policy

    with pytest.raises(BadRunConfig, match="nothing is downloaded"):
        policy.load(replace(load_run(RUNS / f"{FILES[0]}.toml").checkpoint, path=str(tmp_path)))
