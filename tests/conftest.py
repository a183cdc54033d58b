"""Peers for every test, and the count of tests that were skipped for want of one.

``@pytest.mark.peer("orthanc", "dcmtk")`` names what a test needs; the fixtures of ``tests/peers`` ask by themselves.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.peers import presence

pytest_plugins = ["tests.peers.orthanc", "tests.peers.postgres", "tests.peers.redis", "tests.peers.vllm"]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Ask for the peers of the test's markers before its fixtures start anything."""
    for marker in item.iter_markers("peer"):
        presence.require(*marker.args)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests were skipped for each missing peer, in whichever process they ran."""
    skips = terminalreporter.stats.get("skipped", [])
    missing = Counter(peer for report in skips if (peer := presence.peer_in(str(report.longrepr))))
    if missing:
        terminalreporter.section("skipped for want of a peer")
        for peer, count in sorted(missing.items()):
            terminalreporter.write_line(f"{peer}: {count} tests ({presence.missing(peer)})")


@pytest.fixture(scope="session")
def test_data() -> Path:
    """Folder of real radiographs and messages (``UNIRG_TEST_DATA``); read only, never copied into the project."""
    return presence.data_root()
