"""Which of two checkpoints goes into the product: decided by held-out results alone, by a rule that is fixed before.

The candidate is better where the first figure of RULE differs in its favour with a paired 95 % bootstrap interval that
excludes zero, and no other figure of RULE differs against it with such an interval. Anything else is "not better".
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from training.config import Run
from training.evaluate.comparing import NotComparable, compare
from training.evaluate.run import FORMAT
from training.export_checks import BadExport

RULE = ("findings_errors_reward", "findings_f1", "change_f1")
"""The first must be better, the others no worse."""
DECISION = "decision.json"
"""Its name beside the weights of a checkpoint that went out by a decision."""
_TRAINED_PART = re.compile(r"^(?:train|validate) part ")
_SEED = re.compile(r"\bseed (\d+)")


@dataclass(frozen=True, slots=True)
class Verdict:
    """better: export the candidate; reason: in words; figures: paired differences, candidate - baseline."""

    better: bool
    reason: str
    candidate: str
    baseline: str
    data: str
    studies: int
    rule: tuple[str, ...]
    figures: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """For decision.json."""
        return asdict(self)


def read_results(path: Path) -> dict[str, Any]:
    """results.json of `python -m training.evaluate run`. Raises BadExport."""
    try:
        results = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadExport(f"{path} cannot be read as JSON ({error}); give the results.json of an evaluation") from None
    if not isinstance(results, dict) or results.get("format") != FORMAT:
        raise BadExport(
            f"{path} is not of the format {FORMAT}; run `python -m training.evaluate run` on the checkpoint"
        )
    return results


def decided_before(folder: Path, weights: str) -> Verdict | None:
    """The decision that the weights of this digest stand in the folder by; None without one, or on other weights."""
    try:
        verdict = Verdict(**json.loads((folder / DECISION).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (TypeError, ValueError) as error:
        raise BadExport(
            f"{folder / DECISION} is no decision ({error}); remove it, or put back what was there"
        ) from None
    return verdict if verdict.better and verdict.candidate == weights else None


def require_held_out(results: Mapping[str, Any], run: Run | None) -> None:
    """Raises BadExport where the studies are ones that the run trained on, or chose its settings by."""
    source = str(results["data"]["source"])
    seed = _SEED.search(source)
    data = run.data if run else None
    used = {data.single_seed, data.pair_seed, data.validation_seed} if data else set()
    if _TRAINED_PART.match(source) or (seed and int(seed[1]) in used):
        raise BadExport(f"the evaluation is of studies that training has seen ({source}); evaluate on held-out ones")


def decide(candidate: Mapping[str, Any], baseline: Mapping[str, Any], rule: Sequence[str] = RULE) -> Verdict:
    """Whether the candidate is better by the rule. Raises BadExport where the two cannot be compared by it."""
    if candidate["data"]["source"] != baseline["data"]["source"]:
        raise BadExport(f"candidate and baseline were evaluated on different data ({candidate['data']['source']}; "
                        f"{baseline['data']['source']}); evaluate both on the same")  # fmt: skip
    try:
        found = compare(candidate, baseline)
    except NotComparable as error:
        raise BadExport(str(error)) from error
    if any(found["left_out"].values()):
        raise BadExport("some studies were drafted by one of the two only; evaluate both again on the same studies")
    missing = [name for name in rule if name not in found["figures"]]
    if missing:
        raise BadExport(
            f"the results lack {', '.join(missing)}, by which it is decided; evaluate both with the same metrics"
        )
    figures = {name: found["figures"][name] for name in rule}
    better, reason = _judged(figures)
    return Verdict(
        better=better,
        reason=reason,
        candidate=candidate["system"]["weights"],
        baseline=baseline["system"]["weights"],
        data=candidate["data"]["source"],
        studies=found["studies"],
        rule=tuple(rule),
        figures=figures,
    )


def _judged(figures: Mapping[str, Mapping[str, Any]]) -> tuple[bool, str]:
    first, *others = figures
    if _direction(figures[first]) <= 0:
        return (
            False,
            f"not better: {_told(first, figures[first])}; its interval must exclude zero in favour of the candidate",
        )
    worse = [name for name in others if _direction(figures[name]) < 0]
    if worse:
        return False, f"not better: {'; '.join(_told(name, figures[name]) for name in worse)} against the candidate"
    return True, f"better: {'; '.join(_told(name, figure) for name, figure in figures.items())}"


def _direction(figure: Mapping[str, Any]) -> int:
    """1: better with certainty, -1: worse with certainty, 0: neither is shown."""
    low, high = figure["low"], figure["high"]
    if low is None or high is None or low <= 0 <= high:
        return 0
    return 1 if (low > 0) == (figure["better"] == "higher") else -1


def _told(name: str, figure: Mapping[str, Any]) -> str:
    if figure["value"] is None:
        return f"{name} cannot be compared"
    interval = "no interval" if figure["low"] is None else f"95 % {figure['low']:+.4f} to {figure['high']:+.4f}"
    return f"{name} {figure['value']:+.4f} ({interval})"


def sha256_of(path: Path) -> str:
    """Of a file of any size, 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
