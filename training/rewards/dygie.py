"""RadGraph's annotator: DyGIE++ inference over transformers, from the published archive unpacked in a local folder.

Wadden et al., EMNLP 2019 (DyGIE++); Jain et al. 2021 (RadGraph v1.0.0, PhysioNet); Delbrouck et al. 2024 (RadGraph-XL).
The archives were written by AllenNLP, which cannot be installed beside transformers 5; what inference needs of it is
here: a report is one sentence; words are means of their word pieces; spans of up to `max_span_width` words are
(first word, last word, width); each is classified (entities); the best half as many spans as words are classified in
pairs (relations). Only `ner` and `relation` are read; both published models give the other two tasks no weight.
Compared with the radgraph package's own inference (0.1.18) on random weights in both layouts: all entities and
relations equal. Reports go through the encoder several at once, those of like length together.
"""

from __future__ import annotations

import json
import math
import pickle
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import linear, relu
from torch.nn.utils.rnn import pad_sequence

from training.rewards.encoder import local_tokenizer, on_device
from training.rewards.radgraph import Annotation, Entity
from training.rewards.weights import UnusableWeights, Weights, locate

Tensors = dict[str, torch.Tensor]
Span = tuple[int, int]
_BERT = "_embedder.token_embedder_bert._matched_embedder.transformer_model."
_WIDTHS = "_endpoint_span_extractor._span_width_embedding.weight"
_AT_ONCE = 1024  # reports whose encoder states are held in memory, some 0.3 MB each
_POSITIONS = "embeddings.position_ids"
_V1_PUNCTUATION = re.compile(r"([/,:.!?()])")
_XL_WORD = re.compile(r"\w+|[^\w\s]+")
_XL_SPLITS = ((").", ") ."), ("%.", "% ."), (".'", ". '"), ("%,", "% ,"), ("%)", "% )"))
_XL_ESCAPES = (("\\n", "  "), ("\\f", "  "), ("\\u2122", "      "), ("\n", " "), ('\\"', "``"))


def words_v1(report: str) -> list[str]:
    """Words as RadGraph v1.0.0 was given them: punctuation stands alone, hyphens do not split."""
    return _V1_PUNCTUATION.sub(r" \1 ", report).split()


def words_xl(report: str) -> list[str]:
    """Words as RadGraph-XL was given them: runs of word characters, and runs of all else with a few split again."""
    for old, new in _XL_ESCAPES:
        report = report.replace(old, new)
    joined = " ".join(_XL_WORD.findall(report))
    for old, new in _XL_SPLITS:
        joined = joined.replace(old, new)
    return joined.split()


_WORDS: dict[str, Callable[[str], list[str]]] = {"radgraph": words_v1, "radgraph_xl": words_xl}


class DyGIE:
    """Annotates reports; an empty one has no entities.

    weights: needs `model` ("radgraph" or "radgraph_xl") and `pubmedbert`. batch: stretches of text in one pass of the
    encoder. Raises MissingWeights, UnusableWeights.
    """

    def __init__(self, weights: Weights, model: str, *, device: str = "cpu", batch: int = 64) -> None:
        from transformers import AutoConfig, BertModel

        folder, base = locate(weights, model), locate(weights, "pubmedbert")
        state = _state(folder / "weights.th")
        config = json.loads((folder / "config.json").read_text())
        self.name, self._words, self._device = model, _WORDS[model], device
        self._batch = batch
        self._width = int(config["model"]["max_span_width"])
        self._keep = float(config["model"]["modules"]["relation"]["spans_per_word"])
        self._entity_labels = _labels(folder, "ner")
        self._relation_labels = _labels(folder, "relation")
        bert = BertModel(AutoConfig.from_pretrained(base, local_files_only=True), add_pooling_layer=False)
        _load(bert, state, folder)
        self._bert, self._tokenizer = on_device(bert, device), local_tokenizer(base)
        self._parts = {name: tensor.float().to(device) for name, tensor in state.items() if not name.startswith(_BERT)}
        self._longest = int(bert.config.max_position_embeddings)

    def __call__(self, reports: Sequence[str]) -> list[Annotation]:
        """Entities by number ("1", "2", …, in order of place) with their relations, per report."""
        found: list[Annotation] = []
        for start in range(0, len(reports), _AT_ONCE):
            split = [self._words(report) for report in reports[start : start + _AT_ONCE]]
            with torch.inference_mode():
                found += [self._annotate(*pair) for pair in zip(split, self._word_vectors(split), strict=True)]
        return found

    def _annotate(self, words: list[str], states: torch.Tensor) -> Annotation:
        if not words:
            return {}
        spans = [(a, b) for a in range(len(words)) for b in range(a, min(a + self._width, len(words)))]
        vectors = self._span_vectors(states, spans)
        entities = self._entities(vectors, spans)
        numbers = {span: str(number) for number, span in enumerate(entities, start=1)}
        related: dict[Span, list[tuple[str, str]]] = {span: [] for span in entities}
        for source, target, label in self._relations(vectors, spans, len(words)):
            if source in related and target in numbers:
                related[source].append((label, numbers[target]))
        return {
            numbers[span]: Entity(" ".join(words[span[0] : span[1] + 1]), label, tuple(related[span]))
            for span, label in entities.items()
        }

    def _word_vectors(self, reports: Sequence[Sequence[str]]) -> Iterator[torch.Tensor]:
        """[words, D] of each report; a word without word pieces (a control character, say) is zero."""
        pieces = [[self._tokenizer(word, add_special_tokens=False)["input_ids"] for word in words] for words in reports]
        whole = [[piece for of_word in report for piece in of_word] for report in pieces]
        for report, states in zip(pieces, self._piece_vectors(whole), strict=True):
            parts = states.split([len(of_word) for of_word in report])
            zero = states.new_zeros(states.shape[1])
            yield torch.stack([part.mean(dim=0) if len(part) else zero for part in parts] or [zero])

    def _piece_vectors(self, reports: Sequence[list[int]]) -> Iterator[torch.Tensor]:
        """[pieces, D] of each report; longer ones are encoded in stretches that fit the encoder."""
        room = self._longest - 2
        cut = [[one[start : start + room] for start in range(0, max(1, len(one)), room)] for one in reports]
        states = iter(self._encoded(list(chain.from_iterable(cut))))
        return (torch.cat([next(states) for _ in stretches]) for stretches in cut)

    def _encoded(self, stretches: Sequence[list[int]]) -> list[torch.Tensor]:
        """[pieces, D] of each stretch, without its first and last token."""
        first, last = self._tokenizer.cls_token_id, self._tokenizer.sep_token_id
        found: dict[int, torch.Tensor] = {}
        order = sorted(range(len(stretches)), key=lambda place: len(stretches[place]))
        for start in range(0, len(order), self._batch):
            places = order[start : start + self._batch]
            rows = [torch.tensor([first, *stretches[place], last], device=self._device) for place in places]
            ids = pad_sequence(rows, batch_first=True)
            mask = pad_sequence([torch.ones_like(row) for row in rows], batch_first=True)
            states = self._bert(input_ids=ids, attention_mask=mask).last_hidden_state
            found |= {place: one[1 : len(row) - 1] for place, row, one in zip(places, rows, states, strict=True)}
        return [found[place] for place in range(len(stretches))]

    def _span_vectors(self, words: torch.Tensor, spans: Sequence[Span]) -> torch.Tensor:
        ends = torch.tensor(spans, device=self._device)
        widths = self._parts[_WIDTHS][ends[:, 1] - ends[:, 0]]
        return torch.cat([words[ends[:, 0]], words[ends[:, 1]], widths], dim=1)

    def _entities(self, vectors: torch.Tensor, spans: Sequence[Span]) -> dict[Span, str]:
        namespace, labels = self._entity_labels
        hidden = self._forward(f"_ner._ner_scorers.{namespace}.0._module", vectors)
        scores = self._linear(f"_ner._ner_scorers.{namespace}.1._module", hidden)
        best = torch.cat([scores.new_zeros(len(spans), 1), scores], dim=1).argmax(dim=1).tolist()
        return {span: labels[label] for span, label in zip(spans, best, strict=True) if label}

    def _relations(self, vectors: torch.Tensor, spans: Sequence[Span], words: int) -> Iterator[tuple[Span, Span, str]]:
        namespace, labels = self._relation_labels
        pruner = f"_relation._mention_pruners.{namespace}._scorer"
        mention = self._linear(f"{pruner}.1._module", self._forward(f"{pruner}.0._module", vectors))
        kept = mention[:, 0].topk(min(math.ceil(words * self._keep), len(spans))).indices.sort().values
        scores = self._pair_scores(namespace, vectors[kept]) + mention[kept][:, None] + mention[kept][None, :]
        best = torch.cat([scores.new_zeros(*scores.shape[:2], 1), scores], dim=2).argmax(dim=2)
        for source, target in best.nonzero().tolist():
            yield spans[int(kept[source])], spans[int(kept[target])], labels[int(best[source, target]) - 1]

    def _pair_scores(self, namespace: str, spans: torch.Tensor) -> torch.Tensor:
        count = len(spans)
        left = spans[:, None].expand(-1, count, -1)
        right = spans[None].expand(count, -1, -1)
        hidden = self._forward(
            f"_relation._relation_feedforwards.{namespace}", torch.cat([left, right, left * right], 2)
        )
        return self._linear(f"_relation._relation_scorers.{namespace}", hidden)

    def _forward(self, name: str, inputs: torch.Tensor) -> torch.Tensor:
        depth = 0
        while f"{name}._linear_layers.{depth}.weight" in self._parts:
            inputs = relu(self._linear(f"{name}._linear_layers.{depth}", inputs))
            depth += 1
        return inputs

    def _linear(self, name: str, inputs: torch.Tensor) -> torch.Tensor:
        return linear(inputs, self._parts[f"{name}.weight"], self._parts[f"{name}.bias"])


def _state(path: Path) -> Tensors:
    try:
        state: Tensors = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError) as error:
        raise UnusableWeights(f"{path} is no file of PyTorch weights ({type(error).__name__})") from error
    if _WIDTHS not in state:
        raise UnusableWeights(f"{path} holds no DyGIE++ model: it has no {_WIDTHS}")
    return state


def _load(bert: Any, state: Tensors, folder: Path) -> None:
    own = {name.removeprefix(_BERT): tensor for name, tensor in state.items() if name.startswith(_BERT)}
    own = {name: tensor for name, tensor in own.items() if not name.startswith("pooler.") and name != _POSITIONS}
    try:
        bert.load_state_dict(own, strict=True)
    except RuntimeError as error:
        raise UnusableWeights(f"{folder} does not fit PubMedBERT's configuration: {error}") from error


def _labels(folder: Path, task: str) -> tuple[str, list[str]]:
    """Namespace and labels of one task; entity label 0 is "", no entity."""
    files = sorted((folder / "vocabulary").glob(f"*__{task}_labels.txt"))
    if len(files) != 1:
        raise UnusableWeights(f"{folder}/vocabulary holds {len(files)} files *__{task}_labels.txt, expected one")
    return files[0].stem, files[0].read_text().removesuffix("\n").split("\n")
