"""The phrase lists of `model/phrases`, compiled once. Notation: model/phrases/README.md."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from model.findings_record import CONDITIONS, DEVICES, Condition

PHRASES = Path(__file__).parent / "phrases"
_FILES: dict[str, Condition] = {"pleural_effusion": "effusion", "support_devices": "device", "no_finding": "other"}
_KINDS_OF_DEVICE = tuple(name for name in DEVICES if name != "device")
# The first that fits at a place in the text wins: "no change" denies nothing, "cannot exclude" is no negation.
_TRIGGER_ORDER = (
    "pseudo",
    "doubt.backward",
    "doubt.forward",
    "doubt.adjective",
    "absent.backward",
    "absent.forward",
    "absent.adjective",
    "possible.backward",
    "likely.backward",
    "possible.forward",
    "possible.adjective",
    "likely.adjective",
    "unsaid.adjective",
    "end",
)


@dataclass(frozen=True, slots=True)
class Lexicon:
    """mentions and unmentions: by condition; triggers: one pattern whose group names say meaning and reach."""

    mentions: dict[Condition, re.Pattern[str]]
    unmentions: dict[Condition, re.Pattern[str]]
    triggers: re.Pattern[str]


@cache
def lexicon() -> Lexicon:
    """The lists as patterns for lower-case text. Raises FileNotFoundError where the package was built without them."""
    mentions, unmentions = _by_condition("mention"), _by_condition("unmention")
    for kind in _KINDS_OF_DEVICE:  # a central venous catheter is a line, not also a device of another kind
        unmentions["device"] = unmentions["device"] + mentions[kind]
    return Lexicon(
        mentions={name: re.compile(_any(mentions[name])) for name in CONDITIONS},
        unmentions={name: re.compile(_any(phrases)) for name, phrases in unmentions.items() if phrases},
        triggers=re.compile("|".join(f"(?P<{_group(name)}>{_any(_triggers(name))})" for name in _TRIGGER_ORDER)),
    )


def _by_condition(kind: str) -> dict[Condition, list[str]]:
    found: dict[Condition, list[str]] = {name: [] for name in CONDITIONS}
    for origin in ("chexpert", "ours"):
        for path in sorted((PHRASES / origin / kind).glob("*.txt")):
            found[_condition(path.stem)] += _lines(path)
    return found


def _condition(stem: str) -> Condition:
    name = _FILES.get(stem, stem.replace("_", " "))
    return next(condition for condition in CONDITIONS if condition == name)


def _triggers(name: str) -> list[str]:
    return _lines(PHRASES / "ours" / "context" / f"{name}.txt")


def _group(name: str) -> str:
    return name.replace(".", "_")


def _lines(path: Path) -> list[str]:
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _any(phrases: Iterable[str]) -> str:
    """One pattern for all, the longest first. Nothing in it repeats without a bound, so matching is linear."""
    return r"\b(?:" + "|".join(map(_pattern, sorted(set(phrases), key=len, reverse=True))) + ")"


def _pattern(phrase: str) -> str:
    # Every phrase begins at a word's edge; re.escape also escapes blank, hyphen and tilde.
    escaped = re.escape(phrase.removeprefix("_"))
    blank = re.sub(r"\\[ -]", "[ -]", escaped).replace("_", r"\b")
    # "no effusion or change" denies the effusion; "not well or clearly seen" is one doubt.
    joint = "and|but|no|or" if phrase.startswith(("no~", "without~")) else "and|but|no"
    return blank.replace(r"\~", rf"(?: (?!(?:{joint})\b)[\w-]{{1,30}}){{0,3}} ")
