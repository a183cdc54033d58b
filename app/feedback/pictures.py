"""The pictures that the model was shown, as PNG without a word of their headers. Found again by their digest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from app.errors import CannotUnderstand, NotFound, PixelsUnreadable
from app.feedback.source import SignedCase
from app.ports import ObjectStore, PixelReader

STATED_CLEAN = "NO"
"""Burned In Annotation (0028,0301): only a film that says so itself is taken for free of text in its pixels."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """size_of: image size in px of a model by name, None where its manifest is not here."""

    store: ObjectStore
    pixels: PixelReader
    size_of: Callable[[str], int | None]

    def of(self, case: SignedCase) -> dict[str, bytes | str]:
        """By digest of the model image: its PNG, or in words why it stays here."""
        if case.draft is None:
            return {}
        size = self.size_of(case.draft.model)
        prior = [image.object_key for image in case.prior.images] if case.prior else []
        keys = [[image.object_key for image in case.instances], prior]
        return {
            str(digest): self._find(str(digest), files, size) if size else "the model's image size is not known here"
            for digest, files in zip(case.draft.image_digests, keys, strict=False)
        }

    def _find(self, digest: str, keys: Iterable[str], size: int) -> bytes | str:
        for key in keys:
            try:
                path = self.store.path(key)
                image = self.pixels.model_image(path, size)
                if image.sha256 == digest:
                    clean = self.pixels.inspect(path).burned_in == STATED_CLEAN
                    return image.png if clean else "its header does not say that no text is burned into the pixels"
            except (CannotUnderstand, NotFound, PixelsUnreadable):
                continue
        return "no stored object gives the picture that the model was shown"
