"""Where the learnt judges' weights lie: local paths only, and one clear error where one is absent.

A run names them in the options of each of its `[[rl.rewards]]`, `unirg evaluate --metrics FILE` in that file's
`[rewards.weights]`; `WEIGHTS.md` beside this file says what to fetch.
Nothing here downloads: a training run never reaches for a model hub.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.rewards.batch import RewardUnusable, Values

Weights = Mapping[str, str | Path]


class MissingWeights(RewardUnusable):
    """A judge's weights are not where the run says, or the run does not say; the message tells what to fetch."""


class UnusableWeights(RewardUnusable):
    """The path holds something else than the layout the judge was published in."""


class NotFinite(RewardUnusable):
    """A judge computed NaN or infinity: broken weights or overflow. The run must stop, not train on it."""


@dataclass(frozen=True, slots=True)
class Source:
    """One thing to fetch.

    files: names that must exist in the folder, alternatives separated by "|"; empty where the path is itself a file.
    """

    what: str
    project: str
    files: tuple[str, ...] = ()


_NETWORK = "model.safetensors|model.safetensors.index.json|pytorch_model.bin|pytorch_model.bin.index.json"
_TOKENIZER = "tokenizer.json|vocab.txt|vocab.json|spm.model|tokenizer.model"
_CHECKPOINT = ("config.json", _NETWORK, _TOKENIZER)

SOURCES: dict[str, Source] = {
    "distilroberta": Source("the distilroberta-base checkpoint", "distilbert/distilroberta-base", _CHECKPOINT),
    "chexbert": Source("chexbert.pth", "stanfordmlgroup/CheXbert"),
    "bert_base_uncased": Source(
        "tokenizer and configuration of bert-base-uncased", "google-bert/bert-base-uncased", ("config.json", _TOKENIZER)
    ),
    "radgraph": Source(
        "the unpacked archive of RadGraph v1.0.0",
        "physionet.org/content/radgraph/1.0.0 (models/model_checkpoint)",
        ("config.json", "weights.th", "vocabulary"),
    ),
    "radgraph_xl": Source(
        "the unpacked archive radgraph-xl.tar.gz",
        "StanfordAIMI/RRG_scorers",
        ("config.json", "weights.th", "vocabulary"),
    ),
    "pubmedbert": Source(
        "tokenizer and configuration of PubMedBERT, RadGraph's encoder",
        "microsoft/BiomedNLP-BiomedBERT-base-uncased-abstract-fulltext",
        ("config.json", _TOKENIZER),
    ),
    "rate_ner": Source("the RaTE-NER-Deberta checkpoint", "Angelakeke/RaTE-NER-Deberta", _CHECKPOINT),
    "biolord": Source("the BioLORD-2023-C checkpoint", "FremyCompany/BioLORD-2023-C", _CHECKPOINT),
    "rate_affinity": Source("affinity_matrix/long_weight.json", "github.com/MAGIC-AI4Med/RaTEScore"),
    "green": Source("the GREEN-RadLlama2-7b checkpoint", "StanfordAIMI/GREEN-radllama2-7b", _CHECKPOINT),
    "green_prompt": Source("the prompt that GREEN was trained on, as a text file", "github.com/Stanford-AIMI/GREEN"),
}


def locate(weights: Weights, key: str) -> Path:
    """Path of one source, checked to hold its files. Raises MissingWeights, UnusableWeights."""
    source = SOURCES[key]
    if key not in weights:
        raise MissingWeights(f"No path is given for {source.what}. {_advice(key)}")
    path = Path(weights[key])
    if not path.exists():
        raise MissingWeights(f"{path} does not exist; it should hold {source.what}. {_advice(key)}")
    lacking = [names for names in source.files if not any((path / name).exists() for name in names.split("|"))]
    if lacking:
        raise UnusableWeights(f"{path} is not {source.what}: it has no {'; no '.join(lacking)}. {_advice(key)}")
    if not source.files and path.is_dir():
        raise UnusableWeights(f"{path} is a folder; the path of {source.what} itself is wanted. {_advice(key)}")
    return path


def _advice(key: str) -> str:
    return (
        f"Fetch it from {SOURCES[key].project} to any local path, and set `{key}` to that path: in a run's file as "
        f"`options = {{ weights = {{ {key} = PATH }} }}` of the [[rl.rewards]] that needs it, in the file of `evaluate "
        f"--metrics` under [rewards.weights] (training/rewards/WEIGHTS.md)."
    )


def finite(values: Values, judge: str) -> Values:
    """The same values. Raises NotFinite where the judge computed NaN or infinity."""
    broken = ~np.isfinite(values)
    if broken.any():
        raise NotFinite(
            f"{judge} computed {int(broken.sum())} of {values.size} scores as NaN or infinity (first: sample "
            f"{int(np.flatnonzero(broken)[0])}). Its weights are damaged, or its number format overflows: check them."
        )
    return values
