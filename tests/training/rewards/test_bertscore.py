"""BERTScore on a tiny RoBERTa in distilroberta-base's layout, and its arithmetic by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from tests.training.rewards import tiny_checkpoints as tiny
from training.rewards.batch import Sample
from training.rewards.bertscore import BASELINE_F1, BertScore, greedy_f1, rescale
from training.rewards.weights import NotFinite, UnusableWeights

EFFUSION, CLEAR = "small left pleural effusion .", "the lungs are clear ."
EMPTY = rescale(0.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny.roberta(tmp_path_factory.mktemp("roberta"))


@pytest.fixture(scope="module")
def judge(folder):
    return BertScore({"distilroberta": folder}, batch=3)


def rows(*vectors):
    """Token vectors between two special tokens that are like nothing else."""
    special = torch.tensor([[0.0, 0.0, 1.0]])
    return torch.cat([special, torch.tensor(vectors, dtype=torch.float32), special])


def test_greedy_matching_by_hand():
    candidate = rows([1, 0, 0], [0, 2, 0])
    assert greedy_f1(candidate, candidate) == pytest.approx(1)
    # one of two candidate tokens is found (precision 1/2), the single reference token is (recall 1): F1 2/3
    assert greedy_f1(candidate, rows([3, 0, 0])) == pytest.approx(2 / 3)
    # each at 45 degrees to its nearest: cosine 0.7071 both ways
    assert greedy_f1(rows([1, 1, 0]), rows([1, 0, 0])) == pytest.approx(0.5**0.5)


def test_special_tokens_may_be_matched_but_weigh_nothing():
    # the candidate's token is nearest to the reference's special token: precision 1, recall 0.6
    assert greedy_f1(rows([0, 0, 1]), rows([0, 0.8, 0.6])) == pytest.approx(2 * 0.6 / 1.6)


def test_empty_text_has_no_tokens():
    assert greedy_f1(rows([1, 0, 0])[[0, 2]], rows([1, 0, 0])) == 0


def test_baseline():
    assert rescale(1.0) == pytest.approx(1)
    assert rescale(BASELINE_F1) == pytest.approx(0)
    assert rescale(0.0) == pytest.approx(-5.550, abs=1e-3)


def test_equal_texts_score_one_and_others_less(judge):
    same, other = judge.f1([EFFUSION, EFFUSION], [EFFUSION, CLEAR])
    assert same == pytest.approx(1, abs=1e-5)
    assert other < same


def test_uses_the_output_of_layer_five(judge, folder):
    model, tokenizer = AutoModel.from_pretrained(folder).eval(), AutoTokenizer.from_pretrained(folder)
    with torch.inference_mode():
        states = [
            model(**tokenizer(f" {text}", return_tensors="pt"), output_hidden_states=True).hidden_states[5][0]
            for text in (EFFUSION, CLEAR)
        ]
    assert judge.f1([EFFUSION], [CLEAR])[0] == pytest.approx(rescale(greedy_f1(*states)), abs=1e-4)


def test_neither_batching_nor_order_nor_repetition_changes_a_score(judge):
    candidates = [EFFUSION, CLEAR, "heart is enlarged", EFFUSION, "no pneumothorax , no edema", "edema"]
    references = [CLEAR, CLEAR, EFFUSION, CLEAR, "edema", "no pneumothorax , no edema"]
    together = judge.f1(candidates, references)
    alone = [judge.f1([a], [b])[0] for a, b in zip(candidates, references, strict=True)]
    assert together == pytest.approx(alone, abs=1e-4)
    assert together[4] == pytest.approx(together[5], abs=1e-4)  # F1 is symmetrical


def test_runs_of_spaces_are_collapsed(judge):
    assert judge.f1(["  small   left pleural effusion ."], [EFFUSION])[0] == pytest.approx(1, abs=1e-5)


def test_texts_beyond_512_tokens_are_cut(judge):
    long = "effusion " * 2000
    assert judge.f1([long + "edema"], [long + "clear"])[0] == pytest.approx(1, abs=1e-5)


def test_empty_prediction_is_the_published_worst_and_empty_reference_is_missing(judge):
    found = judge([Sample("", EFFUSION, has_prior=False), Sample(EFFUSION, " ", has_prior=False)])
    assert found.values[0] == pytest.approx(EMPTY)
    assert list(found.missing) == [False, True]
    assert np.isnan(found.components["bertscore"][1])


def test_a_reward_may_be_bounded_below(folder):
    judge = BertScore({"distilroberta": folder}, floor=0.0)
    assert judge([Sample("", EFFUSION, has_prior=False)]).values == pytest.approx([0])


def test_broken_weights_stop_the_run(folder):
    judge = BertScore({"distilroberta": folder})
    with torch.no_grad():
        judge._encoder.model.embeddings.word_embeddings.weight.fill_(torch.nan)
    with pytest.raises(NotFinite, match="bertscore computed 1 of 1"):
        judge.f1([EFFUSION], [CLEAR])


@pytest.mark.parametrize(("layers", "kind"), [(4, "roberta"), (6, "bert")])
def test_another_model_is_refused(tmp_path, layers, kind):
    with pytest.raises(UnusableWeights, match="RoBERTa of 6 layers"):
        BertScore({"distilroberta": tiny.roberta(tmp_path, layers, kind)})
