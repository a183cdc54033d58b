"""Does the offline composite rank reports as radiologists would? The cases of a published validation set, by category.

usage: UNIRG_TEST_DATA=DIR python -m tests.bench.bench_ranking [--encoder] [--json OUT]

Reads $UNIRG_TEST_DATA/metric_validation/ranking_cases.json (MIT). A case holds where each of its relations does.
"C1 = C2" holds where the values differ by at most TOLERANCE of the composite's range (0 … 1); words differ even where
the meaning does not, so the count is also given for a tolerance of the wording term's whole weight. Raw values, no
normalising: a case is not a GRPO group.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from training.rewards.batch import Sample
from training.rewards.catalogue import build
from training.rewards.compositions import OFFLINE

TOLERANCE = 0.05
WORDING = OFFLINE["bleu2"]
ENCODER_SHARE = 0.10


@dataclass(frozen=True)
class Ranked:
    category: str
    case: str
    values: dict[str, float]
    expected: tuple[str, ...]
    reports: dict[str, str]

    def failed(self, tolerance: float = TOLERANCE) -> list[str]:
        return [relation for relation in self.expected if not holds(relation, self.values, tolerance)]

    @property
    def of_order(self) -> bool:
        return all(" = " not in relation for relation in self.expected)


def cases_file() -> Path:
    return Path(os.environ["UNIRG_TEST_DATA"]) / "metric_validation" / "ranking_cases.json"


def holds(relation: str, values: dict[str, float], tolerance: float = TOLERANCE) -> bool:
    left, sign, right = relation.split()
    gap = values[left] - values[right]
    return abs(gap) <= tolerance if sign == "=" else gap > 1e-9


def ranked(case: dict[str, Any], shares: dict[str, float] | None = None) -> Ranked:
    names, expected = list(case["candidates"]), case["expected_ranking"]
    batch = [Sample(case["candidates"][name], case["reference"], has_prior=False) for name in names]
    options: dict[str, Any] = {"group_size": len(batch), "normalise": "none", "shares": shares or {}}
    whole = sum((OFFLINE | options["shares"]).values())
    values = dict(zip(names, (build("offline_composite", options)(batch).values / whole).tolist(), strict=True))
    relations = (expected,) if isinstance(expected, str) else tuple(expected)
    return Ranked(
        case["category"], case["id"], values, relations, {"reference": case["reference"], **case["candidates"]}
    )


def measure(shares: dict[str, float] | None = None) -> list[Ranked]:
    return [ranked(case, shares) for case in json.loads(cases_file().read_text())]


def held(results: Sequence[Ranked], tolerance: float = TOLERANCE) -> str:
    """ "cases that hold/cases" """
    return f"{sum(not one.failed(tolerance) for one in results)}/{len(results)}"


def printed(results: Sequence[Ranked]) -> str:
    groups = {name: [one for one in results if one.category == name] for name in (one.category for one in results)}
    lines = [f"{held(group):>6}  {name}" for name, group in groups.items()]
    lines.append(f"{held(results):>6}  all cases, equal within {TOLERANCE:.2f}")
    lines.append(f"{held(results, WORDING):>6}  all cases, equal within {WORDING:.2f}, the weight of the wording term")
    lines.append(f"{held([one for one in results if one.of_order]):>6}  the cases that ask for an order only")
    return "\n".join([*lines, *(_missed(one) for one in results if one.failed())])


def _missed(one: Ranked) -> str:
    values = ", ".join(f"{name} {value:.3f}" for name, value in one.values.items())
    texts = "".join(f"\n    {name}: {text}" for name, text in one.reports.items())
    return f"not as expected: {one.case} {one.category}: {'; '.join(one.failed())} ({values}){texts}"


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bench_ranking")
    parser.add_argument("--encoder", action="store_true", help="add the sentence encoder to the composite")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(argv)
    results = measure({"sentence_similarity": ENCODER_SHARE} if options.encoder else None)
    sys.stdout.write(printed(results) + "\n")
    if options.json:
        options.json.write_text(json.dumps([asdict(one) for one in results], indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
