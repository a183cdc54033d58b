"""RadGraph's annotator on a tiny DyGIE++ archive in AllenNLP's layout."""

from __future__ import annotations

import json

import pytest
import torch

from tests.training.rewards import tiny_checkpoints as tiny
from training.rewards.batch import Sample
from training.rewards.dygie import DyGIE, words_v1, words_xl
from training.rewards.radgraph import radgraph
from training.rewards.weights import UnusableWeights

REPORT = "small left pleural effusion, no pneumothorax. heart is enlarged"


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("radgraph")
    return {
        "radgraph": tiny.dygie(folder / "v1", dataset="None"),
        "radgraph_xl": tiny.dygie(folder / "xl", dataset="radgraph-xl"),
        "pubmedbert": tiny.bert_base(folder / "bert"),
    }


@pytest.fixture(scope="module")
def annotator(paths):
    return DyGIE(paths, "radgraph")


@pytest.mark.parametrize(
    ("report", "words"),
    [
        ("No effusion,clear.", "No effusion , clear ."),
        ("T-tube 2.5cm (above)", "T-tube 2 . 5cm ( above )"),
        ("a/b: c?!", "a / b : c ? !"),
        ("", ""),
    ],
)
def test_words_of_version_1(report, words):
    assert words_v1(report) == words.split()


@pytest.mark.parametrize(
    ("report", "words"),
    [
        ("T-tube 2.5cm (above).", "T - tube 2 . 5cm ( above ) ."),
        ("50%, or 60%. done", "50 % , or 60 % . done"),
        ("line\nbreak\\nliteral", "line break literal"),
    ],
)
def test_words_of_xl(report, words):
    assert words_xl(report) == words.split()


def test_entities_are_words_of_the_report_with_labels_and_relations_between_them(annotator):
    (annotation,) = annotator([REPORT])
    words = words_v1(REPORT)
    assert annotation, "the random model of this seed finds entities"
    assert list(annotation) == [str(number) for number in range(1, len(annotation) + 1)]
    for entity in annotation.values():
        assert entity.tokens in " ".join(words)
        assert 1 <= len(entity.tokens.split()) <= 4  # max_span_width
        assert entity.label in ("ANAT-DP", "OBS-DP", "OBS-U", "OBS-DA")
        assert all(
            kind in ("modify", "located_at", "suggestive_of") and to in annotation for kind, to in entity.relations
        )
    assert any(entity.relations for entity in annotation.values())


def test_equal_reports_are_annotated_equally_alone_and_together(annotator):
    other = "the lungs are clear ."
    assert annotator([other, REPORT]) == [annotator([other])[0], annotator([REPORT])[0]]


def test_batches_of_any_size_and_order_annotate_alike(paths, annotator):
    words = REPORT.split()
    reports = ["", *(" ".join(words[start:]) for start in range(len(words))), "xxxxxxxxxx effusion " * 60, REPORT]
    alone = DyGIE(paths, "radgraph", batch=1)(reports)
    assert sum(map(bool, alone)) > 5
    assert annotator(reports) == alone
    assert DyGIE(paths, "radgraph", batch=3)(reports[::-1]) == alone[::-1]


def test_empty_report_and_one_word(annotator):
    empty, word = annotator(["  ", "effusion"])
    assert empty == {}
    assert set(word) <= {"1"}


def test_reports_longer_than_the_encoder(annotator):
    (annotation,) = annotator([" ".join(["xxxxxxxxxx effusion"] * 60)])  # 660 word pieces
    assert annotation


def test_word_vector_is_the_mean_of_its_pieces(annotator):
    pieces = annotator._tokenizer("cardiomegaly", add_special_tokens=False)["input_ids"]
    (whole,) = annotator._word_vectors([["no", "xxx"]])
    (states,) = annotator._piece_vectors([[tiny.vocabulary().index(piece) for piece in ("no", "x", "##x", "##x")]])
    assert len(pieces) == 1
    assert torch.allclose(whole[1], states[1:].mean(dim=0), atol=1e-6)


def test_reward_by_name(paths):
    for variant in ("combined", "partial"):
        reward = radgraph(paths, variant)
        same, other = reward([Sample(REPORT, REPORT, has_prior=False), Sample("clear", REPORT, has_prior=False)]).values
        assert same == 1
        assert 0 <= other < 1


def test_two_tasks_in_the_vocabulary_are_refused(paths, tmp_path):
    folder = tiny.dygie(tmp_path / "two")
    (folder / "vocabulary" / "scierc__ner_labels.txt").write_text("\nTask\n")
    with pytest.raises(UnusableWeights, match=r"holds 2 files \*__ner_labels\.txt"):
        DyGIE(paths | {"radgraph": folder}, "radgraph")


def test_other_weights_are_refused(paths, tmp_path):
    folder = tiny.dygie(tmp_path / "other")
    torch.save({"linear.weight": torch.zeros(2, 2)}, folder / "weights.th")
    with pytest.raises(UnusableWeights, match="no DyGIE"):
        DyGIE(paths | {"radgraph": folder}, "radgraph")
    (folder / "weights.th").write_bytes(b"nothing")
    with pytest.raises(UnusableWeights, match="no file of PyTorch weights"):
        DyGIE(paths | {"radgraph": folder}, "radgraph")


def test_encoder_of_another_size_is_refused(paths, tmp_path):
    base = tiny.bert_base(tmp_path / "bert")
    config = json.loads((base / "config.json").read_text()) | {"num_hidden_layers": 3}
    (base / "config.json").write_text(json.dumps(config))
    with pytest.raises(UnusableWeights, match="does not fit PubMedBERT"):
        DyGIE(paths | {"pubmedbert": base}, "radgraph")
