"""A small Qwen3-VL of the project's own sizes: random weights from a seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from transformers import GenerationConfig, Qwen3VLConfig, Qwen3VLForConditionalGeneration, Qwen3VLProcessor
from transformers.models.qwen2_vl.image_processing_qwen2_vl import Qwen2VLImageProcessor
from transformers.models.qwen3_vl.configuration_qwen3_vl import Qwen3VLVisionConfig
from transformers.models.qwen3_vl.modeling_qwen3_vl import Qwen3VLVisionModel
from transformers.models.qwen3_vl.video_processing_qwen3_vl import Qwen3VLVideoProcessor

from training.tokenizer import CHAT_TEMPLATE, VISION_TOKENS

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

    from training.config import Architecture

_HEAD = 64
_VISION_HEAD = 32


def vision_config(sizes: Architecture) -> dict[str, object]:
    """Arguments of Qwen3VLVisionConfig."""
    return {
        "depth": sizes.vision_depth,
        "hidden_size": sizes.vision_hidden,
        "num_heads": sizes.vision_hidden // _VISION_HEAD,
        "intermediate_size": sizes.vision_hidden * 3,
        "out_hidden_size": sizes.text_hidden,
        "patch_size": sizes.patch,
        "num_position_embeddings": 256,
        "deepstack_visual_indexes": [sizes.vision_depth // 2 - 1, sizes.vision_depth - 2],
    }


def vision_tower(sizes: Architecture, seed: int) -> Qwen3VLVisionModel:
    """The vision tower alone, random weights."""
    torch.manual_seed(seed)
    config = Qwen3VLVisionConfig(**vision_config(sizes))
    config._attn_implementation = "sdpa"  # noqa: SLF001  the only way to choose it without from_pretrained
    return Qwen3VLVisionModel(config)


def network(sizes: Architecture, tokenizer: PreTrainedTokenizerFast, seed: int) -> Qwen3VLForConditionalGeneration:
    """The whole network, random weights, fp32; greedy decoding that cannot write vision tokens."""
    torch.manual_seed(seed)
    ids = {token: tokenizer.convert_tokens_to_ids(token) for token in tokenizer.all_special_tokens}
    end, pad = tokenizer.eos_token_id, tokenizer.pad_token_id
    heads = sizes.text_hidden // _HEAD
    text = {
        "vocab_size": (len(tokenizer) + 63) // 64 * 64,
        "hidden_size": sizes.text_hidden,
        "intermediate_size": sizes.text_hidden * 3,
        "num_hidden_layers": sizes.text_layers,
        "num_attention_heads": heads,
        "num_key_value_heads": heads,
        "head_dim": _HEAD,
        "max_position_embeddings": sizes.max_positions,
        "pad_token_id": pad,
        "eos_token_id": end,
        "bos_token_id": pad,
        "tie_word_embeddings": True,
        "dtype": "float32",
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 10000.0,
            "mrope_section": [12, 10, 10],
            "mrope_interleaved": True,
        },
    }
    config = Qwen3VLConfig(
        text_config=text,
        vision_config=vision_config(sizes),
        tie_word_embeddings=True,
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
    )
    model = Qwen3VLForConditionalGeneration(config)
    model.generation_config = GenerationConfig(
        eos_token_id=[end, pad], pad_token_id=pad, do_sample=False, suppress_tokens=[ids[t] for t in VISION_TOKENS]
    )
    return model


def processor(sizes: Architecture, tokenizer: PreTrainedTokenizerFast) -> Qwen3VLProcessor:
    """Processor whose every square image becomes image_size x image_size px.

    The processor keeps the area between the two edges (they are counts of pixels, not lengths): any other
    value makes it scale a film up silently and the model reads something it never saw in training.
    """
    area = {"shortest_edge": sizes.image_size**2, "longest_edge": sizes.image_size**2}
    grey = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    shape = {"size": area, "patch_size": sizes.patch, "merge_size": 2, "temporal_patch_size": 2, **grey}
    return Qwen3VLProcessor(
        image_processor=Qwen2VLImageProcessor(**shape),
        tokenizer=tokenizer,
        video_processor=Qwen3VLVideoProcessor(**shape),
        chat_template=CHAT_TEMPLATE,
    )
