"""Draft inputs -> the prompt and its pictures, the same for every backend."""

from __future__ import annotations

import struct
from datetime import date

from app.domain.report import DraftInputs
from app.errors import ModelMisbehaved
from model.prompting import ImageRole, Prior, Prompt, build_prompt

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def prompt_of(inputs: DraftInputs) -> Prompt:
    """The versioned prompt; with a prior image it names the prior's date. Raises ModelMisbehaved without that date."""
    if inputs.prior_image is None:
        return build_prompt(inputs.indication)
    return build_prompt(inputs.indication, prior=Prior(_date(inputs.prior_date), inputs.prior_report or None))


def _date(value: str) -> date:
    try:
        return date(int(value[:4]), int(value[4:6]), int(value[6:8]))
    except ValueError:
        message = "A prior image without a valid study date cannot be compared with; leave the prior out."
        raise ModelMisbehaved(message) from None


def pictures(inputs: DraftInputs, prompt: Prompt, size: int) -> tuple[bytes, ...]:
    """PNG files in the order of the prompt.

    Raises ModelMisbehaved for anything but our own square grey PNG of `size` px.
    """
    found: dict[ImageRole, bytes | None] = {"current": inputs.image, "prior": inputs.prior_image}
    ordered = tuple(found[role] or b"" for role in prompt.image_roles)
    if any(_shape(png) != (size, size, 8, 0) for png in ordered):
        message = f"The model image is not an 8-bit grey PNG of {size} x {size} px; it was not made by this service."
        raise ModelMisbehaved(message)
    return ordered


def _shape(png: bytes) -> tuple[int, ...]:
    """Width, height, bit depth, colour type of the header (PNG 11.2.1), or nothing."""
    if len(png) < 33 or png[:8] != PNG_SIGNATURE or png[12:16] != b"IHDR":
        return ()
    return struct.unpack(">IIBB", png[16:26])
