"""The comparisons still run: small, without judging any figure."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import bench_echo, bench_ingest


@pytest.mark.peer("dcmtk", "orthanc")
def test_ingest_is_measured_and_compared(tmp_path: Path) -> None:
    trials = bench_ingest.measure(tmp_path, ["ours", "orthanc tuned"], images=2, rounds=1, senders=[1, 2])
    figures = bench_ingest.medians(trials)
    assert {key: one["images_per_second"] > 0 for key, one in figures.items()} == {
        (name, senders): True for name in ("ours", "orthanc tuned") for senders in (1, 2)
    }
    compared = bench_ingest.ratios(figures)
    assert [(one["against"], set(one["goals_met"])) for one in compared] == [  # type: ignore[call-overload]
        ("orthanc tuned", {"speed", "cpu", "memory"})
    ] * 2
    bench_ingest.show(figures, compared)


@pytest.mark.peer("dcmtk")
def test_echo_is_measured_and_compared(tmp_path: Path) -> None:
    figures = bench_echo.measure(tmp_path, echoes=2, rounds=1)
    assert all(one["ms_median"] > 0 for one in figures.values())
    assert {bench_echo.OURS, bench_echo.STOCK} <= set(figures)
