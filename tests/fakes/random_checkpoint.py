"""A Qwen3-VL checkpoint of random weights, small enough to make within seconds: it writes nonsense, and all of it.

Trained weights stop early and never ask for an image mark; random ones do neither, which is what some tests want.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

NAME = "random"
IMAGE_SIZE = 64
MAX_NEW_TOKENS = 48
VISION = ("<|vision_start|>", "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>")
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", *VISION)
CORPUS = (
    "Findings: The heart is enlarged. No pleural effusion. Impression: Cardiomegaly.",
    "Indication: Cough and fever. Comparison: Prior frontal chest radiograph of 2019-01-02, shown first. Prior report:",
    "This is a radiology report generation task. Here is the context: Given the image and the context,",
)
CHAT_TEMPLATE = (
    "{%- for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}"
    "{%- if m.content is string %}{{ m.content }}{%- else %}{%- for c in m.content %}"
    "{%- if c.type in ['image', 'image_url'] or 'image' in c %}{{ '<|vision_start|><|image_pad|><|vision_end|>' }}"
    "{%- elif 'text' in c %}{{ c.text }}{%- endif %}{%- endfor %}{%- endif %}{{ '<|im_end|>\n' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{%- endif %}"
)
MANIFEST = """
name = "{name}"
architecture = "Qwen3VLForConditionalGeneration"
source = "here"
licence = "none"
weights = "."
weights_sha256 = ""
prompt_version = "unirg-cxr-1"
image_size = {size}
dtype = "float32"
[limits]
max_model_len = 2048
max_new_tokens = {new}
images = 2
[decoding]
stop_token_ids = {stop}
suppressed_token_ids = {suppressed}
"""


def build(folder: Path, seed: int = 0) -> Path:
    """Write weights, tokenizer, processor and manifest into `folder`; deterministic."""
    import torch

    torch.manual_seed(seed)
    tokenizer = _tokenizer()
    ids = {token: tokenizer.convert_tokens_to_ids(token) for token in SPECIAL}
    folder.mkdir(parents=True, exist_ok=True)
    _network(ids, len(tokenizer)).save_pretrained(folder)
    _processor(tokenizer).save_pretrained(folder)
    stop = [ids["<|im_end|>"], ids["<|endoftext|>"]]
    suppressed = [ids["<|im_start|>"], *(ids[token] for token in VISION), *_unreadable(tokenizer)]
    filled = MANIFEST.format(name=NAME, size=IMAGE_SIZE, new=MAX_NEW_TOKENS, stop=stop, suppressed=suppressed)
    (folder / "manifest.toml").write_text(filled)
    return folder


def _tokenizer() -> Any:
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bpe.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, show_progress=False))
    bpe.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL])
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        model_max_length=2048,
        additional_special_tokens=list(SPECIAL[1:]),
        chat_template=CHAT_TEMPLATE,
    )


def _unreadable(tokenizer: Any) -> list[int]:
    """Tokens that are no plain text by themselves: half a character, a control character."""
    words = ((token, tokenizer.decode([token])) for token in range(len(tokenizer)))
    return [token for token, word in words if word not in SPECIAL and not (word.isascii() and word.isprintable())]


def _network(ids: dict[str, int], words: int) -> Any:
    from transformers import Qwen3VLConfig, Qwen3VLForConditionalGeneration

    hidden = 128
    rope = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [12, 10, 10], "mrope_interleaved": True}
    text = {
        "vocab_size": (words + 63) // 64 * 64,
        "hidden_size": hidden,
        "intermediate_size": 2 * hidden,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "head_dim": 64,
        "max_position_embeddings": 2048,
        "eos_token_id": ids["<|im_end|>"],
        "pad_token_id": ids["<|endoftext|>"],
        "tie_word_embeddings": True,
        "initializer_range": 0.2,  # logits far apart: no coin tosses between the backends
        "dtype": "float32",
        "rope_parameters": rope,
    }
    vision = {
        "depth": 2,
        "hidden_size": 64,
        "num_heads": 2,
        "intermediate_size": 128,
        "out_hidden_size": hidden,
        "patch_size": 16,
        "num_position_embeddings": 64,
        "deepstack_visual_indexes": [0],
        "initializer_range": 0.2,
    }
    config = Qwen3VLConfig(
        text_config=text,
        vision_config=vision,
        tie_word_embeddings=True,
        image_token_id=ids["<|image_pad|>"],
        video_token_id=ids["<|video_pad|>"],
        vision_start_token_id=ids["<|vision_start|>"],
        vision_end_token_id=ids["<|vision_end|>"],
    )
    return Qwen3VLForConditionalGeneration(config)


def _processor(tokenizer: Any) -> Any:
    from transformers import Qwen3VLProcessor
    from transformers.models.qwen2_vl.image_processing_qwen2_vl import Qwen2VLImageProcessor
    from transformers.models.qwen3_vl.video_processing_qwen3_vl import Qwen3VLVideoProcessor

    area = {"shortest_edge": IMAGE_SIZE**2, "longest_edge": IMAGE_SIZE**2}
    shape = {"size": area, "patch_size": 16, "merge_size": 2, "temporal_patch_size": 2}
    grey = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    return Qwen3VLProcessor(
        image_processor=Qwen2VLImageProcessor(**shape, **grey),
        tokenizer=tokenizer,
        video_processor=Qwen3VLVideoProcessor(**shape, **grey),
        chat_template=CHAT_TEMPLATE,
    )
