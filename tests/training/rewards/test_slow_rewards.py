"""What slow rewards are wrapped in: worker processes, and a file of judgements."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from training.rewards.batch import RewardOutage, Sample, scores
from training.rewards.bleu import Bleu2
from training.rewards.cache import Cached, Store
from training.rewards.findings_errors import FindingsErrors
from training.rewards.mix import Composite, Term
from training.rewards.parallel import Parallel

TEXTS = ["Small right effusion.", "No effusion.", "Cardiomegaly.", "", "Edema. Edema.", "Left pneumothorax.", "Clear."]
BATCH = [Sample(text, "Small right effusion. Mild edema.", has_prior=False) for text in TEXTS]


@dataclass
class Counted:
    """Judges by length, and keeps what it was asked; has no answer for texts it is told to fail on."""

    fails: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    name: str = "counted"

    def __call__(self, batch):
        self.asked += [one.prediction for one in batch]
        values = [None if one.prediction in self.fails else float(len(one.prediction)) for one in batch]
        return scores(values, {"twice": [None if value is None else 2 * value for value in values]})


class Deadly:
    """Takes its process with it."""

    name = "deadly"

    def __call__(self, batch):  # noqa: ARG002
        os._exit(1)


def test_several_processes_give_the_figures_of_one():
    with Parallel(FindingsErrors(), workers=2, chunk=2) as several:
        for _ in range(2):
            one, many = FindingsErrors()(BATCH), several(BATCH)
            np.testing.assert_array_equal(one.values, many.values)
            assert list(one.components) == list(many.components)
            np.testing.assert_array_equal(one.components["errors"], many.components["errors"])


def test_a_worker_that_dies_is_an_outage():
    with Parallel(Deadly(), workers=1, chunk=2) as deadly:
        for _ in range(2):
            with pytest.raises(RewardOutage, match="a worker process died"):
                deadly(BATCH)


def test_what_was_judged_once_is_not_judged_again(tmp_path: Path):
    counted, store = Counted(), Store(tmp_path / "kept" / "rewards.sqlite")
    first = Cached(counted, store, "1")(BATCH)
    again = Cached(counted, Store(store.path), "1")(BATCH)
    assert sorted(counted.asked) == sorted(TEXTS)
    np.testing.assert_array_equal(first.values, again.values)
    np.testing.assert_array_equal(first.components["twice"], again.components["twice"])


def test_equal_samples_of_one_batch_are_judged_once(tmp_path: Path):
    counted = Counted()
    values = Cached(counted, Store(tmp_path / "c"), "1")([BATCH[0], BATCH[1], BATCH[0]]).values
    assert len(counted.asked) == 2
    assert values[0] == values[2] != values[1]


def test_a_missing_judgement_is_asked_for_again(tmp_path: Path):
    counted = Counted(fails={TEXTS[0]})
    cached = Cached(counted, Store(tmp_path / "c"), "1")
    assert cached(BATCH[:2]).missing.tolist() == [True, False]
    counted.fails.clear()
    assert not cached(BATCH[:2]).missing.any()
    assert counted.asked == [TEXTS[0], TEXTS[1], TEXTS[0]]


@pytest.mark.parametrize(
    "other",
    [
        Sample("a", "b", has_prior=True),
        Sample("a", "b", has_prior=False, prior_report="c"),
        Sample("a", "b", has_prior=False, asked="findings"),
        Sample("b", "a", has_prior=False),
    ],
)
def test_whatever_the_judge_sees_is_part_of_the_key(tmp_path: Path, other: Sample):
    counted = Counted()
    cached = Cached(counted, Store(tmp_path / "c"), "1")
    cached([Sample("a", "b", has_prior=False)])
    cached([other])
    assert len(counted.asked) == 2


@pytest.mark.parametrize("wrap", ["cache", "workers", "both"])
def test_what_may_never_train_alone_may_not_in_a_wrapper_either(tmp_path: Path, wrap: str):
    class Blind(Counted):
        never_alone = True

    reward = Blind()
    if wrap != "cache":
        reward = Parallel(reward, workers=1)
    if wrap != "workers":
        reward = Cached(reward, Store(tmp_path / "c"), "1")
    with pytest.raises(ValueError, match="may not be the only weighted term"):
        Composite([Term(reward, 1)], 1)
    Composite([Term(reward, 1), Term(Cached(Bleu2(), Store(tmp_path / "c"), "1"), 1)], 1)


def test_another_version_or_reward_finds_nothing_of_the_old(tmp_path: Path):
    store, counted = Store(tmp_path / "c"), Counted()
    Cached(counted, store, "prompt-1")(BATCH)
    Cached(counted, store, "prompt-2")(BATCH)
    assert len(counted.asked) == 2 * len(BATCH)
    assert Cached(Bleu2(), store, "prompt-1")(BATCH).values.max() <= 1


def test_many_keys_and_a_broken_file(tmp_path: Path):
    store = Store(tmp_path / "c")
    store.put({str(i): {"value": i} for i in range(1200)})
    assert len(store.get(str(i) for i in range(0, 2400, 2))) == 600
    (tmp_path / "text").write_text("not a database " * 100)
    with pytest.raises(sqlite3.DatabaseError):
        Store(tmp_path / "text").get(["a"])
