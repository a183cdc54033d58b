"""What a phantom chest radiograph shows, how likely it is, and how it evolves to a follow-up.

Only findings that the film can show are kept: `visible` removes combinations in which one finding hides
another (a band of atelectasis under an effusion, a consolidation behind an enlarged heart, ...), so that a label
is never asked of a reader who cannot see it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

Side = Literal["right", "left"]
SIDES: tuple[Side, Side] = ("right", "left")
ZONES = ("upper", "mid", "lower")
EFFUSION_SIZES = ("small", "moderate", "large")
PNEUMOTHORAX_SIZES = ("small", "large")
EDEMA_GRADES = ("mild", "severe")

Word = Literal["new", "worse", "improved", "resolved", "stable"]
CHANGE_WORDS: tuple[Word, ...] = ("new", "worse", "improved", "resolved", "stable")


@dataclass(frozen=True)
class Hemithorax:
    """Findings of one side; None or False where absent."""

    effusion: str | None = None
    pneumothorax: str | None = None
    consolidation: str | None = None
    atelectasis: bool = False
    line: bool = False
    pacemaker: bool = False


@dataclass(frozen=True)
class Findings:
    """All findings of one film."""

    cardiomegaly: bool = False
    edema: str | None = None
    tube: bool = False
    right: Hemithorax = Hemithorax()
    left: Hemithorax = Hemithorax()

    def side(self, side: Side) -> Hemithorax:
        """The findings of the patient's right or left side."""
        return self.right if side == "right" else self.left


@dataclass(frozen=True)
class Change:
    """One finding against the prior film: `new`, `worse`, `improved`, `resolved` or `stable`."""

    finding: str
    side: Side | None
    zone: str | None
    word: Word


# Rates per film (or per side): low enough that naming the commonest findings blindly scores badly.
RATES: Mapping[str, float] = {
    "cardiomegaly": 0.25,
    "edema": 0.17,
    "effusion": 0.2,
    "pneumothorax": 0.12,
    "consolidation": 0.18,
    "atelectasis": 0.12,
    "tube": 0.15,
    "line": 0.16,
    "pacemaker": 0.11,
}


def _pick(rng: np.random.Generator, options: tuple[str, ...]) -> str:
    return options[int(rng.integers(len(options)))]


def _hemithorax(rng: np.random.Generator, rates: Mapping[str, float], line: bool, pacemaker: bool) -> Hemithorax:
    return Hemithorax(
        effusion=_pick(rng, EFFUSION_SIZES) if rng.random() < rates["effusion"] else None,
        pneumothorax=_pick(rng, PNEUMOTHORAX_SIZES) if rng.random() < rates["pneumothorax"] else None,
        consolidation=_pick(rng, ZONES) if rng.random() < rates["consolidation"] else None,
        atelectasis=rng.random() < rates["atelectasis"],
        line=line,
        pacemaker=pacemaker,
    )


def sample(rng: np.random.Generator, rates: Mapping[str, float] = RATES) -> Findings:
    """Draw the findings of one film; at RATES, about one film in ten shows none."""
    line = _pick(rng, ("right", "right", "left")) if rng.random() < rates["line"] else None
    pacemaker = _pick(rng, ("left", "left", "right")) if rng.random() < rates["pacemaker"] else None
    drawn = Findings(
        cardiomegaly=rng.random() < rates["cardiomegaly"],
        edema=_pick(rng, EDEMA_GRADES) if rng.random() < rates["edema"] else None,
        tube=rng.random() < rates["tube"],
        right=_hemithorax(rng, rates, line == "right", pacemaker == "right"),
        left=_hemithorax(rng, rates, line == "left", pacemaker == "left"),
    )
    return visible(drawn)


def _visible_side(chest: Findings, side: Side) -> Hemithorax:
    half = chest.side(side)
    hidden = set()
    if half.effusion in ("moderate", "large"):
        hidden |= {"lower"}
    if half.effusion == "large" or chest.edema:
        hidden |= {"mid"}
    if half.pneumothorax:
        hidden |= {"upper"}
    if half.pneumothorax == "large":
        hidden |= {"mid"}
    if chest.cardiomegaly and side == "left":
        hidden |= {"lower"}
    zone = half.consolidation
    if zone in hidden:
        zone = next((other for other in ("lower", "upper", "mid") if other not in hidden), None)
    band = half.atelectasis and not half.effusion and zone != "lower" and not (chest.cardiomegaly and side == "left")
    return replace(half, consolidation=zone, atelectasis=band)


def visible(chest: Findings) -> Findings:
    """The same chest without (or with moved) findings that another finding would hide on the film."""
    return replace(chest, right=_visible_side(chest, "right"), left=_visible_side(chest, "left"))


def _evolve_sized(rng: np.random.Generator, now: str | None, sizes: tuple[str, ...], rate: float) -> str | None:
    if now is None:
        return _pick(rng, sizes) if rng.random() < rate else None
    fate = rng.random()
    if fate < 0.2:
        return None
    if fate < 0.72:
        return _pick(rng, tuple(size for size in sizes if size != now))
    return now


def _evolve_flag(rng: np.random.Generator, now: bool, rate: float, stays: float) -> bool:
    return rng.random() < (stays if now else rate)


def _evolve_side(rng: np.random.Generator, half: Hemithorax, rates: Mapping[str, float]) -> Hemithorax:
    zone = half.consolidation
    if zone is None:
        zone = _pick(rng, ZONES) if rng.random() < rates["consolidation"] * 0.8 else None
    elif rng.random() < 0.4:
        zone = None
    return Hemithorax(
        effusion=_evolve_sized(rng, half.effusion, EFFUSION_SIZES, rates["effusion"] * 0.7),
        pneumothorax=_evolve_sized(rng, half.pneumothorax, PNEUMOTHORAX_SIZES, rates["pneumothorax"] * 0.8),
        consolidation=zone,
        atelectasis=_evolve_flag(rng, half.atelectasis, rates["atelectasis"] * 0.8, 0.55),
        line=_evolve_flag(rng, half.line, 0.03, 0.75),
        pacemaker=half.pacemaker,
    )


def evolve(rng: np.random.Generator, prior: Findings, rates: Mapping[str, float] = RATES) -> Findings:
    """Draw a follow-up of `prior`: findings appear, worsen, improve, resolve or stay."""
    line_free = not (prior.right.line or prior.left.line)
    right, left = _evolve_side(rng, prior.right, rates), _evolve_side(rng, prior.left, rates)
    if line_free and right.line:
        left = replace(left, line=False)
    return visible(
        Findings(
            cardiomegaly=_evolve_flag(rng, prior.cardiomegaly, rates["cardiomegaly"] * 0.5, 0.7),
            edema=_evolve_sized(rng, prior.edema, EDEMA_GRADES, rates["edema"] * 0.7),
            tube=_evolve_flag(rng, prior.tube, 0.08, 0.6),
            right=right,
            left=left,
        )
    )


def _flag_word(before: bool, now: bool) -> Word | None:
    if before and now:
        return "stable"
    return "new" if now else "resolved" if before else None


def _sized_word(before: str | None, now: str | None, sizes: tuple[str, ...]) -> Word | None:
    if before is None or now is None or before == now:
        return _flag_word(before is not None, now is not None)
    return "worse" if sizes.index(now) > sizes.index(before) else "improved"


def _side_changes(before: Hemithorax, now: Hemithorax) -> list[tuple[str, str | None, Word | None]]:
    zones = [
        ("consolidation", zone, _flag_word(before.consolidation == zone, now.consolidation == zone)) for zone in ZONES
    ]
    return [
        *zones,
        ("atelectasis", None, _flag_word(before.atelectasis, now.atelectasis)),
        ("effusion", None, _sized_word(before.effusion, now.effusion, EFFUSION_SIZES)),
        ("pneumothorax", None, _sized_word(before.pneumothorax, now.pneumothorax, PNEUMOTHORAX_SIZES)),
    ]


def changes(prior: Findings, current: Findings) -> list[Change]:
    """Every finding of either film with its change, in report order; devices are not compared."""
    general: list[tuple[str, Word | None]] = [
        ("cardiomegaly", _flag_word(prior.cardiomegaly, current.cardiomegaly)),
        ("edema", _sized_word(prior.edema, current.edema, EDEMA_GRADES)),
    ]
    found = [Change(name, None, None, word) for name, word in general if word]
    for side in SIDES:
        for name, zone, word in _side_changes(prior.side(side), current.side(side)):
            if word:
                found.append(Change(name, side, zone, word))
    return found


LABELS = (
    "cardiomegaly",
    "edema",
    "edema severe",
    "tube",
    *(
        f"{side} {name}"
        for side in SIDES
        for name in (
            "effusion",
            "effusion moderate",
            "effusion large",
            "pneumothorax",
            "pneumothorax large",
            "consolidation upper",
            "consolidation mid",
            "consolidation lower",
            "atelectasis",
            "line",
            "pacemaker",
        )
    ),
)


def _side_labels(half: Hemithorax) -> list[bool]:
    return [
        half.effusion is not None,
        half.effusion in ("moderate", "large"),
        half.effusion == "large",
        half.pneumothorax is not None,
        half.pneumothorax == "large",
        *(half.consolidation == zone for zone in ZONES),
        half.atelectasis,
        half.line,
        half.pacemaker,
    ]


def label_vector(chest: Findings) -> np.ndarray:
    """uint8 vector over LABELS; sizes are ordinal (a large effusion also sets `moderate`)."""
    flags = [chest.cardiomegaly, chest.edema is not None, chest.edema == "severe", chest.tube]
    for side in SIDES:
        flags += _side_labels(chest.side(side))
    return np.array(flags, np.uint8)
