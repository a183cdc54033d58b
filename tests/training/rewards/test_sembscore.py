"""CheXbert in the layout of chexbert.pth: embeddings, labels and SembScore."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transformers import BertModel

from tests.training.rewards import tiny_checkpoints as tiny
from training.rewards.batch import Sample
from training.rewards.chexbert import CONDITIONS, CheXbert
from training.rewards.sembscore import SembScore
from training.rewards.weights import NotFinite, UnusableWeights

EFFUSION, CLEAR = "small left pleural effusion .", "the lungs are clear ."


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chexbert")
    return {"chexbert": tiny.chexbert(folder / "chexbert.pth"), "bert_base_uncased": tiny.bert_base(folder / "bert")}


@pytest.fixture(scope="module")
def judge(paths):
    return SembScore(paths, batch=2)


def test_embedding_is_the_first_token_of_the_stored_encoder(judge, paths):
    state = torch.load(paths["chexbert"], weights_only=True)["model_state_dict"]
    bert = BertModel(tiny.bert_config()).eval()
    bert.load_state_dict(
        {k.removeprefix("module.bert."): v for k, v in state.items() if "position_ids" not in k}, strict=False
    )
    ids = torch.tensor([[2, *(tiny.vocabulary().index(word) for word in EFFUSION.split()), 3]])
    with torch.inference_mode():
        expected = bert(input_ids=ids).last_hidden_state[0, 0]
    assert judge.chexbert.embeddings([EFFUSION])[0].tolist() == pytest.approx(expected.tolist(), abs=1e-5)


def test_labels_are_the_best_class_of_each_head(judge, paths):
    state = torch.load(paths["chexbert"], weights_only=True)["model_state_dict"]
    vector = judge.chexbert.embeddings([EFFUSION])[0]
    labels = judge.chexbert.labels([CLEAR, EFFUSION])[1]
    assert tuple(labels) == CONDITIONS
    for index, condition in enumerate(CONDITIONS):
        best = int((state[f"module.linear_heads.{index}.weight"] @ vector).argmax())
        assert labels[condition] == (None, 1, 0, -1)[best]
    assert labels["No Finding"] in (None, 1)


def test_cosine(judge):
    same, other = judge.cosine([EFFUSION, EFFUSION], [EFFUSION, CLEAR])
    left, right = judge.chexbert.embeddings([EFFUSION, CLEAR]).double()
    assert same == pytest.approx(1)
    assert other == pytest.approx(float(torch.cosine_similarity(left, right, dim=0)))
    assert -1 <= other < 1


def test_white_space_is_collapsed_and_long_reports_are_cut_at_512(judge):
    assert judge.cosine([" small\n left  pleural\teffusion . "], [EFFUSION]) == pytest.approx([1])
    long = "effusion " * 600
    assert judge.cosine([long + "edema"], [long + "clear"]) == pytest.approx([1])


def test_batching_changes_nothing(judge, paths):
    texts = [EFFUSION, CLEAR, "", "heart is enlarged", "edema"]
    one_by_one = SembScore(paths, batch=1).chexbert.embeddings(texts)
    assert torch.allclose(judge.chexbert.embeddings(texts), one_by_one, atol=1e-5)


def test_empty_prediction_is_judged_and_empty_reference_is_missing(judge):
    found = judge([Sample("", EFFUSION, has_prior=False), Sample(EFFUSION, "", has_prior=False)])
    assert np.isfinite(found.values[0])
    assert list(found.missing) == [False, True]


def test_no_samples(judge):
    assert judge([]).values.shape == (0,)
    assert judge.chexbert.labels([]) == []


def test_checkpoint_without_the_wrapper_of_dataparallel_loads_too(tmp_path, paths):
    plain = CheXbert(paths | {"chexbert": tiny.chexbert(tmp_path / "plain.pth", wrapped=False)})
    assert torch.allclose(plain.embeddings([CLEAR]), CheXbert(paths).embeddings([CLEAR]))


def test_broken_weights_stop_the_run(paths):
    judge = SembScore(paths)
    with torch.no_grad():
        judge.chexbert._encoder.model.embeddings.word_embeddings.weight.fill_(torch.inf)
    with pytest.raises(NotFinite, match="sembscore"):
        judge.cosine([EFFUSION], [CLEAR])


def test_files_that_are_not_chexbert(tmp_path, paths):
    path = tmp_path / "chexbert.pth"
    for content in (b"", b"not a checkpoint", b"PK\x03\x04 cut off"):
        path.write_bytes(content)
        with pytest.raises(UnusableWeights, match=r"is not chexbert\.pth"):
            CheXbert(paths | {"chexbert": path})
    torch.save({"model_state_dict": {}}, path)
    with pytest.raises(UnusableWeights, match="does not fit"):
        CheXbert(paths | {"chexbert": path})


def test_checkpoint_without_heads(tmp_path, paths):
    whole = torch.load(paths["chexbert"], weights_only=True)
    whole["model_state_dict"] = {k: v for k, v in whole["model_state_dict"].items() if "heads.13" not in k}
    torch.save(whole, tmp_path / "cut.pth")
    with pytest.raises(UnusableWeights, match="fourteen linear heads"):
        CheXbert(paths | {"chexbert": tmp_path / "cut.pth"})
