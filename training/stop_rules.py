"""When a policy has collapsed: each rule looks at the last steps of the progress file and names what went wrong.

The failures are those of published runs (RadGraph-F1 alone: reports a third as long; GREEN as judge: 2.5 times as
long; RL without SFT: "no finding" for everything; homogenised reports). A rule judges the mean over a window, so that
one odd batch stops nothing; the run then ends with the last checkpoint from before the window.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from training.config import StopRules

Row = Mapping[str, float]


@dataclass(frozen=True)
class Stop:
    """Why a run ended early. last_good: the newest step before the window in which the rule was broken."""

    rule: str
    reason: str
    step: int
    last_good: int


def _mean(rows: Sequence[Row], name: str) -> float | None:
    values = [row[name] for row in rows if name in row]
    return sum(values) / len(values) if len(values) == len(rows) else None


def _above(rows: Sequence[Row], name: str, limit: float) -> str | None:
    value = _mean(rows, name)
    return f"{name} is {value:.4g}, above {limit:.4g}" if limit and value is not None and value > limit else None


def _below(rows: Sequence[Row], name: str, limit: float) -> str | None:
    value = _mean(rows, name)
    return f"{name} is {value:.4g}, below {limit:.4g}" if limit and value is not None and value < limit else None


def _exceeds(rows: Sequence[Row], name: str, limit: float) -> str | None:
    """The share of outputs lies further above the references' than allowed."""
    said, true = _mean(rows, name), _mean(rows, f"{name}_reference")
    if not limit or said is None or true is None or said - true <= limit:
        return None
    return f"{name} is {said:.3f} against {true:.3f} of the references, more than {limit:.3g} above"


_RULES: dict[str, Callable[[Sequence[Row], StopRules], str | None]] = {
    "length collapse": lambda rows, limits: _below(rows, "length_ratio", limits.min_length_ratio),
    "length inflation": lambda rows, limits: _above(rows, "length_ratio", limits.max_length_ratio),
    "no finding": lambda rows, limits: _exceeds(rows, "no_finding_share", limits.max_no_finding_excess),
    "duplicates": lambda rows, limits: _exceeds(rows, "duplicate_share", limits.max_duplicate_excess),
    "entropy collapse": lambda rows, limits: _below(rows, "entropy", limits.min_entropy),
    "left the reference policy": lambda rows, limits: _above(rows, "kl", limits.max_kl),
}
RULES = tuple(_RULES)


def broken(rows: Sequence[Row], limits: StopRules) -> Stop | None:
    """The first rule that the last `window` steps break; None before there are that many."""
    recent = rows[-limits.window :]
    if len(recent) < limits.window:
        return None
    for name, rule in _RULES.items():
        reason = rule(recent, limits)
        if reason:
            where = f"steps {recent[0]['step']:.0f} to {recent[-1]['step']:.0f}"
            return Stop(name, f"{reason} ({where})", int(recent[-1]["step"]), int(recent[0]["step"]) - 1)
    return None


def last_good_checkpoint(folder: Path, stop: Stop) -> Path | None:
    """The newest checkpoint-N of the run from before the rule was broken, None where there is none."""
    found = [(int(path.name.removeprefix("checkpoint-")), path) for path in folder.glob("checkpoint-*")]
    good = [(step, path) for step, path in found if step <= stop.last_good]
    return max(good)[1] if good else None
