"""Judges' checkpoints in the published file layouts, tiny and random; tokenizers made from a word list."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertModel,
    DebertaV2Config,
    DebertaV2ForTokenClassification,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaModel,
)

WORDS = [
    "no", "small", "large", "left", "right", "pleural", "effusion", "pneumothorax", "heart", "is", "enlarged", "mild",
    "cardiomegaly", "edema", "lungs", "are", "clear", "the", "of", "and", "consolidation", ".", ",", ":", "findings",
    "impression", "lower", "lobe", "opacity",
]  # fmt: skip
HIDDEN = 32


def roberta(folder: Path, layers: int = 6, kind: str = "roberta") -> Path:
    """distilroberta-base's layout: config.json, model.safetensors, tokenizer.json (byte-level BPE)."""
    torch.manual_seed(1)
    tokenizer = byte_level_tokenizer(folder)
    sizes = {"hidden_size": HIDDEN, "num_hidden_layers": layers, "num_attention_heads": 4, "intermediate_size": 64}
    config = RobertaConfig(vocab_size=len(tokenizer), max_position_embeddings=514, **sizes)
    (BertModel(bert_config()) if kind == "bert" else RobertaModel(config)).save_pretrained(folder)
    return folder


def byte_level_tokenizer(folder: Path) -> PreTrainedTokenizerFast:
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([" ".join(WORDS)] * 4, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    names = {
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "pad_token": "<pad>",
        "mask_token": "<mask>",
        "cls_token": "<s>",
        "sep_token": "</s>",
    }
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=512, **names)
    fast.save_pretrained(folder)
    return fast


def bert_config() -> BertConfig:
    return BertConfig(
        vocab_size=len(vocabulary()),
        hidden_size=HIDDEN,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
    )


def vocabulary() -> list[str]:
    return ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, "cardio", "##megaly", "x", "##x"]


def bert_base(folder: Path) -> Path:
    """bert-base-uncased's layout, without weights: config.json, vocab.txt, tokenizer.json, tokenizer_config.json."""
    folder.mkdir(parents=True)
    (folder / "vocab.txt").write_text("\n".join(vocabulary()) + "\n")
    word_piece_tokenizer().save_pretrained(folder)
    bert_config().save_pretrained(folder)
    return folder


def word_piece_tokenizer() -> PreTrainedTokenizerFast:
    words = {word: index for index, word in enumerate(vocabulary())}
    tokenizer = Tokenizer(models.WordPiece(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", words["[SEP]"]), ("[CLS]", words["[CLS]"]))
    names = {
        "unk_token": "[UNK]",
        "pad_token": "[PAD]",
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
        "mask_token": "[MASK]",
    }
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=512, **names)


def chexbert(path: Path, *, wrapped: bool = True) -> Path:
    """chexbert.pth: model_state_dict of a DataParallel model, with the position buffer of old transformers."""
    torch.manual_seed(2)
    state = {f"bert.{name}": tensor for name, tensor in BertModel(bert_config()).state_dict().items()}
    state["bert.embeddings.position_ids"] = torch.arange(512)[None]
    for index in range(14):
        state[f"linear_heads.{index}.weight"] = torch.randn(2 if index == 13 else 4, HIDDEN)
        state[f"linear_heads.{index}.bias"] = torch.zeros(2 if index == 13 else 4)
    prefix = "module." if wrapped else ""
    torch.save({"epoch": 1, "model_state_dict": {prefix + name: tensor for name, tensor in state.items()}}, path)
    return path


def dygie(folder: Path, *, dataset: str = "radgraph", width: int = 4, feature: int = 5) -> Path:
    """An unpacked RadGraph archive: config.json, vocabulary/, weights.th with AllenNLP's names."""
    torch.manual_seed(3)
    (folder / "vocabulary").mkdir(parents=True)
    labels = {
        "ner": ["", "ANAT-DP", "OBS-DP", "OBS-U", "OBS-DA"],
        "relation": ["modify", "located_at", "suggestive_of"],
    }
    for task, names in labels.items():
        (folder / "vocabulary" / f"{dataset}__{task}_labels.txt").write_text("\n".join(names) + "\n")
    (folder / "vocabulary" / "non_padded_namespaces.txt").write_text("*labels\n")
    config = {"model": {"type": "dygie", "max_span_width": width, "modules": {"relation": {"spans_per_word": 0.5}}}}
    (folder / "config.json").write_text(json.dumps(config))
    torch.save(dygie_state(dataset, width, feature), folder / "weights.th")
    return folder


def dygie_state(dataset: str, width: int, feature: int) -> dict[str, torch.Tensor]:
    span = 2 * HIDDEN + feature
    bert = "_embedder.token_embedder_bert._matched_embedder.transformer_model."
    state = {bert + name: tensor for name, tensor in BertModel(bert_config()).state_dict().items()}
    state["_endpoint_span_extractor._span_width_embedding.weight"] = torch.randn(width, feature)
    ner, relation = f"{dataset}__ner_labels", f"{dataset}__relation_labels"
    feedforwards = {
        f"_ner._ner_scorers.{ner}.0._module": span,
        f"_relation._mention_pruners.{relation}._scorer.0._module": span,
        f"_relation._relation_feedforwards.{relation}": 3 * span,
    }
    for name, size in feedforwards.items():
        state |= _linear(f"{name}._linear_layers.0", size, 8) | _linear(f"{name}._linear_layers.1", 8, 8)
    state |= _linear(f"_ner._ner_scorers.{ner}.1._module", 8, 4)
    state |= _linear(f"_relation._mention_pruners.{relation}._scorer.1._module", 8, 1)
    state |= _linear(f"_relation._relation_scorers.{relation}", 8, 3)
    return state


def _linear(name: str, size: int, out: int) -> dict[str, torch.Tensor]:
    return {f"{name}.weight": torch.randn(out, size) / size**0.5 * 2, f"{name}.bias": torch.randn(out) / 4}


def deberta_ner(folder: Path) -> Path:
    """RaTE-NER-Deberta's layout: a DeBERTa-v2 token classifier with its IOB labels."""
    torch.manual_seed(4)
    kinds = ("ABNORMALITY", "NON-ABNORMALITY", "DISEASE", "NON-DISEASE", "ANATOMY")
    labels = ["O", *(f"{mark}-{kind}" for kind in kinds for mark in "BI")]
    config = DebertaV2Config(
        vocab_size=len(vocabulary()), hidden_size=HIDDEN, num_hidden_layers=1, num_attention_heads=4,
        intermediate_size=64, relative_attention=True, position_biased_input=False, pos_att_type=["p2c", "c2p"],
        id2label=dict(enumerate(labels)), label2id={name: index for index, name in enumerate(labels)},
    )  # fmt: skip
    DebertaV2ForTokenClassification(config).save_pretrained(folder)
    word_piece_tokenizer().save_pretrained(folder)
    return folder


def biolord(folder: Path) -> Path:
    """BioLORD's layout: a plain encoder."""
    torch.manual_seed(5)
    BertModel(bert_config()).save_pretrained(folder)
    word_piece_tokenizer().save_pretrained(folder)
    return folder


def llama(folder: Path, **changes: Any) -> Path:
    """GREEN's layout: a Llama decoder and its tokenizer."""
    torch.manual_seed(6)
    tokenizer = byte_level_tokenizer(folder)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=HIDDEN, num_hidden_layers=1, num_attention_heads=4, intermediate_size=64,
        max_position_embeddings=4096, bos_token_id=0, eos_token_id=2, pad_token_id=1, **changes,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder
