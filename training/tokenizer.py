"""The nano checkpoint's own byte-level BPE tokenizer, learnt from phantom reports.

Any text can be written with it (bytes are its alphabet). The fixed halves of the published templates are single
tokens: the string interface stays the published one, word for word, while a 4 M-parameter model does not spend
half of its sequence on words that never change.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from model.prompting import (
    FALLBACK_CONTEXT,
    FINDINGS_TEMPLATE,
    REPORT_TEMPLATE,
    Prior,
    context_text,
    target_text,
)
from training.phantom.reports import TRAINED_SITES, report_sections, short_list
from training.phantom.studies import study

VISION_TOKENS = ("<|vision_start|>", "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>")
_PAD, _END = "<|endoftext|>", "<|im_end|>"
SPECIAL_TOKENS = (_PAD, "<|im_start|>", _END, *VISION_TOKENS)

CHAT_TEMPLATE = (
    "{%- for m in messages %}{{ '<|im_start|>' + m.role + '\n' }}"
    "{%- if m.content is string %}{{ m.content }}"
    "{%- else %}{%- for c in m.content %}"
    "{%- if c.type in ['image', 'image_url'] or 'image' in c %}{{ '<|vision_start|><|image_pad|><|vision_end|>' }}"
    "{%- elif 'text' in c %}{{ c.text }}{%- endif %}{%- endfor %}{%- endif %}{{ '<|im_end|>\n' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{%- endif %}"
)
_CORPUS_SEED = 7


def fixed_phrases() -> list[str]:
    """The unchanging parts of the templates, longest first."""
    halves = {half for template in (REPORT_TEMPLATE, FINDINGS_TEMPLATE) for half in template.split("{input}")}
    return sorted({*halves, FALLBACK_CONTEXT}, key=len, reverse=True)


def _corpus(count: int) -> Iterator[str]:
    rng = np.random.default_rng(_CORPUS_SEED)
    for index in range(count):
        made = study(_CORPUS_SEED, index, with_prior=index % 2 == 1)
        before = made.prior.findings if made.prior else None
        site = TRAINED_SITES[index % len(TRAINED_SITES)]
        report = target_text(*report_sections(site, made.current.findings, before))
        yield report
        yield short_list(made.current.findings, before)
        day = date(2015, 1, 1) + timedelta(days=int(rng.integers(5000)))
        yield context_text(made.indication, None, Prior(day, report) if before else None)


def train_tokenizer(vocabulary: int, max_length: int) -> PreTrainedTokenizerFast:
    """Learn the tokenizer; deterministic."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    phrases = fixed_phrases()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary - len(SPECIAL_TOKENS) - len(phrases),
        special_tokens=[],
        show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        min_frequency=20,
    )
    bpe.train_from_iterator(_corpus(4000), trainer)
    bpe.add_tokens([AddedToken(phrase, normalized=False) for phrase in phrases])
    bpe.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in SPECIAL_TOKENS])
    fast = PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        eos_token=_END,
        pad_token=_PAD,
        model_max_length=max_length,
        additional_special_tokens=[token for token in SPECIAL_TOKENS if token not in (_END, _PAD)],
    )
    fast.chat_template = CHAT_TEMPLATE
    return fast
