"""Earlier reports in any words: of the trained sites, sentence by sentence, or of a hospital made up for the occasion.

A patient's earlier reports come from many hands, and a reader who can copy them learns to copy instead of to read. What
a made-up hospital's sentences share with others is what they are about: its name, "no" or another negation, side, zone
and size, in whatever order between words that mean nothing. No phrase is one of SITES["harbour"].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.phantom.findings import SIDES, Findings
from training.phantom.reports import FULL_NAMES, SITES, TRAINED_SITES, impression_text, organ_sentences

_NEGATIONS = (
    "no {}",
    "without {}",
    "free of {}",
    "{} not seen",
    "negative for {}",
    "{}: none",
    "absent {}",
    "no sign of {}",
)
_SIDES = ("{}", "on the {}", "{}-sided", "of the {} side", "to the {}")
_ZONES = ("{} zone", "in the {} zone", "of the {} zone")
_SIZES = ("{}", "{} in size", "of {} degree")
_ENLARGED = ("enlarged", "large", "cardiomegaly")
_NORMAL = ("normal", "not enlarged", "of normal size")
_ORGANS = SITES[TRAINED_SITES[0]].order
_SYLLABLES = tuple(head + vowel for head in "bdfghklmnprstvz" for vowel in "aeiou")
_WORDS = {"none", "side", "size", "zone"}  # what syllables may spell that means something here


def report_in_any_words(chest: Findings, rng: np.random.Generator) -> tuple[str, str]:
    """Findings and impression of one film, without comparison."""
    impression = impression_text(_any_of(TRAINED_SITES, rng), chest)
    if rng.random() < 0.5:
        hands = [SITES[_any_of(TRAINED_SITES, rng)] for _ in _ORGANS]
        ordered = zip(hands, rng.permutation(_ORGANS), strict=True)
        return " ".join(said for hand, organ in ordered for said in organ_sentences(hand, chest, organ)), impression
    hand = _MadeUp.drawn(rng)
    return " ".join(said for organ in rng.permutation(_ORGANS) for said in hand.organ(chest, organ, rng)), impression


@dataclass(frozen=True)
class _MadeUp:
    """How one made-up hospital says it; `fillers` are words that mean nothing."""

    negation: str
    side: str
    zone: str
    size: str
    enlarged: str
    normal: str
    is_finding_first: bool
    fillers: tuple[str, ...]

    @classmethod
    def drawn(cls, rng: np.random.Generator) -> _MadeUp:
        drawn = ("".join(_any_of(_SYLLABLES, rng) for _ in range(rng.integers(2, 4))) for _ in range(6))
        fillers = tuple(word for word in drawn if word not in _WORDS) or ("vafe",)
        return cls(
            negation=_any_of(_NEGATIONS, rng),
            side=_any_of(_SIDES, rng),
            zone=_any_of(_ZONES, rng),
            size=_any_of(_SIZES, rng),
            enlarged=_any_of(_ENLARGED, rng),
            normal=_any_of(_NORMAL, rng),
            is_finding_first=bool(rng.random() < 0.5),
            fillers=fillers,
        )

    def organ(self, chest: Findings, organ: str, rng: np.random.Generator) -> list[str]:
        if organ == "heart":
            return [self._sentence(["heart", self.enlarged if chest.cardiomegaly else self.normal], rng)]
        noun = FULL_NAMES.get(organ, organ)
        if organ == "edema":
            return [self._present(noun, rng, size=chest.edema) if chest.edema else self._absent(noun, rng)]
        if organ == "devices":
            tube = [self._sentence(["endotracheal tube"], rng)] if chest.tube else []
            return [
                *tube,
                *self._sided(chest, "line", "central line", rng),
                *self._sided(chest, "pacemaker", "pacemaker", rng),
            ]
        said = self._sided(chest, organ, noun, rng)
        return said if said or organ == "atelectasis" else [self._absent(noun, rng)]

    def _sided(self, chest: Findings, name: str, noun: str, rng: np.random.Generator) -> list[str]:
        said = []
        for side in SIDES:
            value = getattr(chest.side(side), name)
            if value:
                graded = {"zone": value} if name == "consolidation" else {"size": value} if value is not True else {}
                said.append(self._present(noun, rng, side=side, **graded))
        return said

    def _present(self, noun: str, rng: np.random.Generator, *, side: str = "", zone: str = "", size: str = "") -> str:
        told = [form.format(word) for form, word in ((self.size, size), (self.side, side), (self.zone, zone)) if word]
        return self._sentence([noun, *told] if self.is_finding_first else [*told, noun], rng)

    def _absent(self, noun: str, rng: np.random.Generator) -> str:
        return self._sentence([self.negation.format(noun)], rng)

    def _sentence(self, parts: list[str], rng: np.random.Generator) -> str:
        """The parts in their order, up to two fillers before, between and behind them."""
        for _ in range(rng.integers(0, 3)):
            parts.insert(int(rng.integers(len(parts) + 1)), _any_of(self.fillers, rng))
        text = " ".join(parts)
        return f"{text[:1].upper()}{text[1:]}."


def _any_of(choices: tuple[str, ...], rng: np.random.Generator) -> str:
    return choices[int(rng.integers(len(choices)))]
