"""Frozen run configuration: one TOML file is one experiment. Imports no torch, so every file is checked in CI."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
RUNS = Path(__file__).parent / "runs"


class BadRunConfig(ValueError):
    """The TOML file has a missing, unknown or wrongly typed key; the message names file and key."""


@dataclass(frozen=True)
class Data:
    """Phantom studies by seed; `heldout_*` seeds are never trained or tuned on."""

    single_seed: int
    singles: int
    pair_seed: int
    pairs: int
    validation_seed: int
    validation: int
    heldout_seed: int
    heldout_singles: int
    heldout_pairs: int
    prior_report_rate: float


@dataclass(frozen=True)
class Architecture:
    """Sizes of the Qwen3-VL network and of its own tokenizer."""

    image_size: int
    patch: int
    vision_hidden: int
    vision_depth: int
    text_hidden: int
    text_layers: int
    vocabulary: int
    max_positions: int


@dataclass(frozen=True)
class VisionStage:
    """Supervised pretraining of the vision tower on the labels."""

    steps: int
    batch: int
    learning_rate: float
    warmup: int
    weight_decay: float


@dataclass(frozen=True)
class SftStage:
    """One run of training/sft.py; `pair_share` of the rows are current + prior, the other shares are of tasks.

    steps: of the learning-rate schedule; stop: where training ends, at most `steps`.
    """

    name: str
    steps: int
    stop: int
    batch: int
    learning_rate: float
    vision_learning_rate: float
    vision_wait: float
    warmup: int
    pair_share: float
    list_share: float
    findings_share: float
    changes_share: float


@dataclass(frozen=True)
class Run:
    """Everything that decides the resulting weights, except the versions of the libraries."""

    name: str
    seed: int
    data: Data
    architecture: Architecture
    vision: VisionStage
    sft: tuple[SftStage, ...]


def _table(kind: type[T], table: dict[str, Any], where: str) -> T:
    known = {field.name: field.type for field in fields(kind)}  # type: ignore[arg-type]
    wrong = sorted(set(table) ^ set(known))
    if wrong:
        raise BadRunConfig(f"{where}: missing or unknown keys {', '.join(wrong)}; known are {', '.join(known)}")
    for key, value in table.items():
        wanted = {"int": int, "float": (int, float), "str": str}.get(str(known[key]), object)
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise BadRunConfig(f"{where}: {key} must be {known[key]}, not {value!r}")
    return kind(**table)


def load_run(path: Path) -> Run:
    """Read training/runs/*.toml. Raises BadRunConfig, or OSError where the file cannot be read."""
    raw = tomllib.loads(path.read_text())
    unknown = sorted(set(raw) ^ {field.name for field in fields(Run)})
    if unknown:
        raise BadRunConfig(f"{path.name}: missing or unknown keys {', '.join(unknown)}")
    return Run(
        name=raw["name"],
        seed=raw["seed"],
        data=_table(Data, raw["data"], f"{path.name} [data]"),
        architecture=_table(Architecture, raw["architecture"], f"{path.name} [architecture]"),
        vision=_table(VisionStage, raw["vision"], f"{path.name} [vision]"),
        sft=tuple(_table(SftStage, stage, f"{path.name} [[sft]]") for stage in raw["sft"]),
    )
