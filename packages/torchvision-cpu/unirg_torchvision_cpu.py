"""Let a torchvision wheel built for CUDA import beside a CPU-only torch.

The wheel's native library needs CUDA's libtorch, so torchvision.extension goes on without it, and then
torchvision._meta_registrations registers fake kernels for ``nms`` and ``qnms``, which nobody has declared:
RuntimeError. The transforms, which are all that the image processors use, need neither operator; declaring
their schemas is enough. Calling them still fails with torch's own words (no kernel for this backend).

A .pth file imports this module at interpreter start. It only puts a finder in the list; torch is not touched
before torchvision itself is imported, and nothing is declared where the native library did load.
"""

import sys
from typing import Any

__all__ = ["DeclareMissingOperators"]

# Signatures as in torchvision/csrc/ops/nms.cpp and quantized/cpu/qnms_kernel.cpp, 0.28.
SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


class DeclareMissingOperators:
    """Import finder that finds nothing: it acts at the moment between torchvision's native library and its users."""

    library: Any = None  # a torch.library.Library forgets its schemas when collected

    @classmethod
    def find_spec(cls, fullname: str, path: object = None, target: object = None) -> None:  # noqa: ARG003
        """Declare the operators when torchvision is about to register fakes for them; leave the finding to others."""
        if fullname == "torchvision._meta_registrations" and cls.library is None:
            cls.declare()

    @classmethod
    def declare(cls) -> None:
        """Declare each schema that torchvision's native library did not bring."""
        import torch

        missing = [schema for name, schema in SCHEMAS.items() if not hasattr(torch.ops.torchvision, name)]
        if missing:
            cls.library = torch.library.Library("torchvision", "FRAGMENT")
            for schema in missing:
                cls.library.define(schema)


sys.meta_path.insert(0, DeclareMissingOperators)
