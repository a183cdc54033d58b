"""The pictures that the model is shown: the study's frontal film and the prior's, or why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.domain.imaging import HeaderFacts, ModelImage
from app.domain.report import Flag
from app.drafting.eligibility import EligibilityRules, Eligible, NotEligible, choose
from app.errors import CannotUnderstand, PixelsUnreadable
from app.ports import ObjectStore, PixelReader
from model.polarity import looks_inverted

POLARITY_DOUBTFUL = Flag(
    "polarity-doubtful", "The lungs are brighter than the mediastinum: the greys may be inverted; look at the image."
)


@dataclass(frozen=True, slots=True)
class Film:
    """A frontal film: its picture, its header, and what the header did not say."""

    image: ModelImage
    facts: HeaderFacts
    notes: tuple[Flag, ...]


@dataclass(frozen=True, slots=True)
class Films:
    """Chooses and renders films; pixels are decoded only of the chosen one."""

    store: ObjectStore
    pixels: PixelReader
    rules: EligibilityRules

    def current(self, object_keys: Sequence[str], size: int) -> Film | NotEligible:
        """The film to draft from. Raises StorageUnavailable, NotFound."""
        return self._frontal(object_keys, size, self.rules)

    def prior(self, object_keys: Sequence[str], size: int) -> Film | NotEligible:
        """The prior's film: the same rules but age, which was judged on the current one."""
        return self._frontal(object_keys, size, replace(self.rules, minimum_age_years=0.0))

    def _frontal(self, object_keys: Sequence[str], size: int, rules: EligibilityRules) -> Film | NotEligible:
        seen = [(key, facts) for key in object_keys if (facts := self._inspect(key)) is not None]
        unreadable = "" if seen or not object_keys else "; no object of the study has a readable header"
        while True:
            chosen = choose([facts for _, facts in seen], rules)
            if isinstance(chosen, NotEligible):
                return NotEligible(f"{chosen.reason}{unreadable}")
            try:
                return self._film(*seen[chosen.index], chosen, size)
            except PixelsUnreadable as error:
                unreadable += f"; a frontal image cannot be decoded: {error.message}"
                del seen[chosen.index]

    def _inspect(self, key: str) -> HeaderFacts | None:
        try:
            return self.pixels.inspect(self.store.path(key))
        except (CannotUnderstand, PixelsUnreadable):
            return None

    def _film(self, key: str, facts: HeaderFacts, chosen: Eligible, size: int) -> Film:
        image = self.pixels.model_image(self.store.path(key), size)
        doubts = (POLARITY_DOUBTFUL,) if looks_inverted(image.png) else ()
        return Film(image, facts, (*chosen.notes, *doubts))
