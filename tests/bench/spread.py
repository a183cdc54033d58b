"""Figures of many times."""

from __future__ import annotations

import statistics
from collections.abc import Sequence


def p95(values: Sequence[float]) -> float:
    """The smallest value that 95 % do not exceed (nearest rank)."""
    return sorted(values)[max(0, -(-95 * len(values) // 100) - 1)]


def figures(took: Sequence[float]) -> dict[str, float]:
    """Of milliseconds."""
    return {"n": len(took), "p50": round(statistics.median(took), 1), "p95": round(p95(took), 1)}
