"""The prompt of UniRG-CXR, made once for serving (transformers, vLLM) and for training.

The two instruction templates are the published ones, word for word (UniRG, arXiv 2601.17151, Supplement). What the
paper leaves open is ours, and versioned with PROMPT_VERSION:

* the context is "Indication: ... Comparison: ...", or FALLBACK_CONTEXT, as in the published reproduction
  (github.com/KangKanng/UniRG-CXR);
* images stand before the text: the prior film first, then the current one;
* a verified prior is announced after "Comparison:" with its date, its report after "Prior report:";
* every text that comes from outside (indication, comparison, prior report) stands between the marks OPEN and CLOSE,
  in one line, without control or invisible characters, cut to a length. Neither mark, nor anything a tokenizer
  could read as a special token, survives inside: the text cannot leave its block.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

PROMPT_VERSION = "unirg-cxr-1"

REPORT_TEMPLATE = (
    "This is a radiology report generation task. Here is the context: {input} Given the image and the context, "
    "provide the report in the following format: Findings: [write the findings] Impression: [write the impression] "
    "Now write the report in the format above."
)
FINDINGS_TEMPLATE = (
    "This is a radiology report generation task. Here is the context: {input} Given the image and the context, "
    "provide the findings in the following format: Findings: [write the findings] "
    "Now write the report in the format above."
)
FALLBACK_CONTEXT = "No additional clinical context."

OPEN, CLOSE = "⟦", "⟧"
INDICATION_LIMIT = 400
COMPARISON_LIMIT = 200
PRIOR_REPORT_LIMIT = 1600

Sections = Literal["findings_and_impression", "findings"]
ImageRole = Literal["prior", "current"]

_TEMPLATES: dict[Sections, str] = {"findings_and_impression": REPORT_TEMPLATE, "findings": FINDINGS_TEMPLATE}
_UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
_TAG_START = re.compile(r"<(?=[|/!?A-Za-z\u00a1-\uffff])")
_INERT = str.maketrans({OPEN: "[", CLOSE: "]"})


@dataclass(frozen=True)
class ImagePart:
    """Place of one image in the prompt."""

    role: ImageRole


@dataclass(frozen=True)
class TextPart:
    """A piece of prompt text."""

    text: str


@dataclass(frozen=True)
class Prior:
    """A verified prior study: its date, its frontal image (given beside the prompt), its report if there is one."""

    study_date: date
    report: str | None = None


@dataclass(frozen=True)
class Prompt:
    """Ordered parts of the one user message; serving and training are made of this and of nothing else."""

    parts: tuple[ImagePart | TextPart, ...]
    version: str = PROMPT_VERSION

    @property
    def image_roles(self) -> tuple[ImageRole, ...]:
        """Order in which the images must be handed to the model."""
        return tuple(part.role for part in self.parts if isinstance(part, ImagePart))

    @property
    def text(self) -> str:
        """All text of the prompt, without the places of the images."""
        return "".join(part.text for part in self.parts if isinstance(part, TextPart))

    def chat_messages(self, image_entry: Callable[[ImageRole], dict[str, Any]] | None = None) -> list[dict[str, Any]]:
        """One user message for a chat template or an OpenAI-compatible API.

        `image_entry` makes the content entry of an image from its role, such as
        `{"type": "image_url", "image_url": {"url": "data:..."}}`; without it the entry is `{"type": "image"}`.
        """
        content: list[dict[str, Any]] = []
        for part in self.parts:
            if isinstance(part, TextPart):
                content.append({"type": "text", "text": part.text})
            else:
                content.append(image_entry(part.role) if image_entry else {"type": "image"})
        return [{"role": "user", "content": content}]


def data_block(text: str, limit: int) -> str:
    """Outside text as one marked line of at most `limit` characters, or "" where nothing readable is left.

    Control, bidirectional, zero-width, private and unassigned characters are dropped, every kind of white space
    becomes one space, `<` that could open a tag or token and the block's own marks are replaced.
    """
    spaced = re.sub(r"\s+", " ", unicodedata.normalize("NFC", text))
    seen = (" " if c.isspace() else c for c in spaced if c == " " or unicodedata.category(c) not in _UNSEEN_CATEGORIES)
    inert = _TAG_START.sub("(", "".join(seen).translate(_INERT)).replace("|>", "|)")
    line = re.sub(r" {2,}", " ", inert).strip()
    if len(line) > limit:
        line = line[: limit - 1].rstrip() + "…"
    return f"{OPEN}{line}{CLOSE}" if line else ""


def _comparison(comparison: str | None, prior: Prior | None) -> str:
    if prior is None:
        return data_block(comparison or "", COMPARISON_LIMIT)
    told = f"Prior frontal chest radiograph of {prior.study_date.isoformat()}, shown first."
    report = data_block(prior.report or "", PRIOR_REPORT_LIMIT)
    return f"{told} Prior report: {report}" if report else told


def context_text(indication: str | None, comparison: str | None = None, prior: Prior | None = None) -> str:
    """The {input} of the templates: "Indication: ... Comparison: ..." or FALLBACK_CONTEXT."""
    reason = data_block(indication or "", INDICATION_LIMIT)
    compared = _comparison(comparison, prior)
    if not reason and not compared:
        return FALLBACK_CONTEXT
    return f"Indication: {reason or 'None given.'} Comparison: {compared or 'None.'}"


def build_prompt(
    indication: str | None,
    *,
    comparison: str | None = None,
    prior: Prior | None = None,
    sections: Sections = "findings_and_impression",
) -> Prompt:
    """The prompt for one current frontal radiograph and, where `prior` is given, one prior frontal radiograph.

    indication, comparison: free text of the order, or None. `comparison` is used only without a verified prior.
    The caller hands over as many images as `Prompt.image_roles` names, in that order.
    """
    text = _TEMPLATES[sections].replace("{input}", context_text(indication, comparison, prior))
    roles: tuple[ImageRole, ...] = ("prior", "current") if prior else ("current",)
    return Prompt((*(ImagePart(role) for role in roles), TextPart(text)))


def target_text(findings: str, impression: str | None = None) -> str:
    """The completion the model is trained to write: "Findings: ... Impression: ..." or findings alone."""
    text = f"Findings: {findings.strip()}"
    return f"{text} Impression: {impression.strip()}" if impression is not None else text
