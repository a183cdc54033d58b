"""Which peers are on this machine, and what a test does when one is missing.

A missing peer skips the test with a reason that names the Debian package; where ``UNIRG_REQUIRE_PEERS=1``
is set it fails instead, so that a machine that promises the peers cannot pass by skipping.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

# Debian's directories first: pynetdicom installs scripts named like DCMTK's tools into the environment's bin.
SEARCH_PATH = os.pathsep.join(
    ["/usr/bin", "/usr/sbin", "/usr/local/bin", *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin")))]
)

# peer -> (programs that must be there, how to get them)
PROGRAMS: dict[str, tuple[tuple[str, ...], str]] = {
    "orthanc": (("Orthanc",), "apt-get install orthanc orthanc-dicomweb"),
    "dcmtk": (("storescu", "storescp", "echoscu", "findscu", "dcmqrscp", "dsrdump"), "apt-get install dcmtk"),
    "dicom3tools": (("dciodvfy",), "apt-get install dicom3tools"),
    "redis": (("redis-server",), "apt-get install redis-server"),
    "postgres": (("initdb", "postgres"), "apt-get install postgresql"),
    "chromium": (("chromium",), "apt-get install chromium"),
    "promtool": (("promtool",), "apt-get install prometheus"),
    "strace": (("strace",), "apt-get install strace"),
    "docker-compose": (("docker-compose",), "apt-get install docker-compose"),
    "systemd": (("systemd-analyze",), "apt-get install systemd"),
    "node": (("node", "npm"), "install Node.js 20"),
}
MODULES: dict[str, tuple[str, str]] = {
    "vllm": ("vllm", "make setup"),
    "trl": ("trl", "make setup"),
}
TEST_DATA = "test-data"

_SKIPPED = re.compile(r"Skipped: peer ([a-z0-9-]+):")


def required() -> bool:
    """Whether a missing peer is a failure on this machine."""
    return os.environ.get("UNIRG_REQUIRE_PEERS", "") not in {"", "0"}


def missing(peer: str) -> str | None:
    """Why ``peer`` cannot be used here and how to get it, or None; raises KeyError for an unknown name."""
    if peer == TEST_DATA:
        root = os.environ.get("UNIRG_TEST_DATA")
        if root and Path(root).is_dir():
            return None
        return f"UNIRG_TEST_DATA={root or ''} is not a folder; set it to the folder with the test radiographs"
    if peer in MODULES:
        module, remedy = MODULES[peer]
        return None if importlib.util.find_spec(module) else f"Python package {module} is not installed; {remedy}"
    programs, remedy = PROGRAMS[peer]
    absent = [name for name in programs if shutil.which(name, path=SEARCH_PATH) is None]
    return f"{', '.join(absent)} not found; {remedy}" if absent else None


def require(*peers: str) -> None:
    """Skip the running test (fail it where peers are required) unless every peer is here."""
    for peer in peers:
        reason = missing(peer)
        if reason is not None:
            give_up(peer, reason)


def give_up(peer: str, reason: str) -> NoReturn:
    """End the running test because ``peer`` cannot be used: a skip, or a failure where peers are required."""
    if required():
        pytest.fail(f"required peer {peer}: {reason}", pytrace=False)
    pytest.skip(f"peer {peer}: {reason}")


def peer_in(report: str) -> str | None:
    """The peer for want of which a test was skipped, from what pytest reports of it; None for another reason."""
    found = _SKIPPED.search(report)
    return found[1] if found else None


def program(name: str) -> str:
    """Absolute path of a peer's program, never the environment's script of the same name."""
    path = shutil.which(name, path=SEARCH_PATH)
    if path is None:
        give_up(name, f"{name} not found in {SEARCH_PATH}")
    return path


def data_root() -> Path:
    """The folder of test radiographs and messages; ends the test when it is absent."""
    require(TEST_DATA)
    return Path(os.environ["UNIRG_TEST_DATA"]).resolve()
