"""RaTEScore: its arithmetic by hand, and the whole path on tiny checkpoints."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.training.rewards import tiny_checkpoints as tiny
from training.rewards.batch import Sample
from training.rewards.ratescore import KINDS, RaTEScore, directed, negated, read_affinity, spans
from training.rewards.weights import UnusableWeights

AFFINITY = {(a, b): 0.5 for a in KINDS for b in KINDS} | {("NEG", "WEIGHT"): 0.8, ("ANATOMY", "ANATOMY"): 0.25}
REPORT = "Findings: small left pleural effusion. no pneumothorax. heart is enlarged."


def write_affinity(path: Path, **changes: object) -> Path:
    table = {"_".join(pair).lower(): value for pair, value in AFFINITY.items()}
    path.write_text(json.dumps(table | changes))
    return path


@pytest.fixture(scope="module")
def judge(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rate")
    return RaTEScore(
        {
            "rate_ner": tiny.deberta_ner(folder / "ner"),
            "biolord": tiny.biolord(folder / "biolord"),
            "rate_affinity": write_affinity(folder / "long_weight.json"),
        },
        batch=2,
    )


X, Y = [1.0, 0.0], [0.0, 1.0]


@pytest.mark.parametrize(
    ("vectors", "kinds", "others", "other_kinds", "expected"),
    [
        ([X], ["DISEASE"], [X], ["DISEASE"], 1.0),
        ([X], ["DISEASE"], [X, Y], ["NON-DISEASE", "DISEASE"], 0.8),  # nearest by meaning, though negated
        ([X, Y], ["DISEASE", "ANATOMY"], [X], ["DISEASE"], 0.5),  # weights .5 and .5, cosines 1 and 0
        ([X, Y], ["DISEASE", "ANATOMY"], [Y, X], ["ANATOMY", "NON-DISEASE"], (0.5 * 0.8 + 0.25) / 0.75),
        ([[3.0, 0.0]], ["ANATOMY"], [[1.0, 1.0]], ["DISEASE"], 0.5**0.5),
    ],
)
def test_directed_by_hand(vectors, kinds, others, other_kinds, expected):
    found = directed(torch.tensor(vectors), kinds, torch.tensor(others), other_kinds, AFFINITY)
    assert found == pytest.approx(expected)


def test_no_weight_is_zero():
    nothing = dict.fromkeys(AFFINITY, 0.0)
    assert directed(torch.tensor([X]), ["DISEASE"], torch.tensor([X]), ["DISEASE"], nothing) == 0


def test_negated_kinds():
    flips = {(a, b) for a in KINDS for b in KINDS if negated(a, b)}
    present, absent = ("ABNORMALITY", "DISEASE"), ("NON-ABNORMALITY", "NON-DISEASE")
    assert flips == {pair for p in present for a in absent for pair in ((p, a), (a, p))}


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        ("O B-DISEASE I-DISEASE O", [(1, 2, "DISEASE")]),
        ("B-DISEASE B-ANATOMY I-ANATOMY", [(0, 0, "DISEASE"), (1, 2, "ANATOMY")]),
        ("I-DISEASE O I-ANATOMY", []),  # nothing begins
        ("B-DISEASE I-ANATOMY", [(0, 1, "DISEASE")]),
        ("", []),
    ],
)
def test_spans_of_iob_labels(labels, found):
    assert list(spans(labels.split())) == found


def test_entities_lie_in_the_text(judge):
    entities = judge.entities(REPORT)
    assert entities, "the random model of this seed labels something"
    assert all(kind in KINDS and text for text, kind in entities)
    assert all(text in REPORT for text, _ in entities)


def test_score_of_entities(judge):
    entities = [("effusion", "DISEASE"), ("heart", "ANATOMY")]
    assert judge.score(entities, entities) == pytest.approx(1, abs=1e-5)
    assert judge.score(entities, [("effusion", "NON-DISEASE")]) < 1
    assert judge.score(entities, entities[:1]) == pytest.approx(judge.score(entities[:1], entities), abs=1e-5)


def test_no_entity_is_the_published_half_and_says_so(judge):
    found = judge([Sample("", REPORT, has_prior=False), Sample(REPORT, REPORT, has_prior=False)])
    assert found.values[0] == 0.5
    assert list(found.components["ratescore_no_entity"]) == [1, 0]
    assert found.values[1] == pytest.approx(1, abs=1e-5)


def test_empty_reference_is_missing(judge):
    assert np.isnan(judge([Sample(REPORT, " ", has_prior=False)]).values[0])


def test_long_sentences_are_cut(judge):
    assert np.isfinite(judge([Sample("effusion " * 900, REPORT, has_prior=False)]).values[0])


def test_published_file_is_read(tmp_path):
    table = read_affinity(write_affinity(tmp_path / "long_weight.json"))
    assert table["NON-DISEASE", "ANATOMY"] == 0.5
    assert table["NEG", "WEIGHT"] == 0.8


def test_matrix_of_another_version_is_refused(tmp_path):
    path = write_affinity(tmp_path / "old.json")
    old = json.loads(path.read_text())
    del old["neg_weight"]
    path.write_text(json.dumps(old))
    with pytest.raises(UnusableWeights, match="no entry for neg_weight"):
        read_affinity(path)


@pytest.mark.parametrize("content", ["[]", "{", '{"disease_anatomy": "much"}'])
def test_broken_matrix_is_refused(tmp_path, content):
    path = tmp_path / "broken.json"
    path.write_text(content)
    with pytest.raises(UnusableWeights, match="no JSON object of numbers"):
        read_affinity(path)
