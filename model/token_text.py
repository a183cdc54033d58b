"""What each generated token adds to the text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

PARTIAL = "\ufffd"  # what a tokenizer writes for the first bytes of a character


def spelled(tokenizer: Any, ids: Sequence[int]) -> list[str]:
    """The text of each token; joined they are the text.

    A character made of several tokens belongs to its last one, and one that is not finished is left out, as vLLM does.
    """
    pieces: list[str] = []
    before = ""
    for count in range(1, len(ids) + 1):
        text: str = tokenizer.decode(ids[:count], skip_special_tokens=True, clean_up_tokenization_spaces=False)
        whole = text.rstrip(PARTIAL)
        grown = whole.startswith(before)
        pieces.append(whole[len(before) :] if grown else "")
        before = whole if grown else before
    return pieces
