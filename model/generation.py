"""How transformers generates a checkpoint's text, and what each token adds to it; serving and evaluation alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from model.manifest import Manifest

PARTIAL = "\ufffd"  # what a tokenizer writes for the first bytes of a character


def greedy(manifest: Manifest) -> dict[str, Any]:
    """Arguments of transformers' GenerationConfig: nothing of the checkpoint's generation_config.json, as with vLLM.

    The answer carries its logits.
    """
    decoding, limits = manifest.decoding, manifest.limits
    return {
        "do_sample": False,
        "num_beams": 1,
        "temperature": 1.0,
        "top_p": 1.0,
        "top_k": 50,
        "repetition_penalty": 1.0,
        "max_new_tokens": limits.max_new_tokens,
        "eos_token_id": list(decoding.stop_token_ids),
        "pad_token_id": decoding.stop_token_ids[-1],
        "suppress_tokens": list(decoding.suppressed_token_ids),
        "output_logits": True,
        "return_dict_in_generate": True,
    }


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
