"""The figures that tell a policy that learns from one that collapses."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from training.monitoring import Progress, column, duplicate_share, reward_figures, watch
from training.rewards.batch import Sample, Scores

ILL = "Findings: The heart is enlarged. There is a small left pleural effusion. Impression: Cardiomegaly."
NORMAL = "Findings: The heart is normal in size. There is no pleural effusion. Impression: No acute disease."


def sample(prediction: str, reference: str = ILL, **more) -> Sample:
    return Sample(prediction, reference, more.pop("has_prior", False), **more)


def test_a_good_policy_looks_like_its_references():
    figures = watch([sample(ILL), sample(ILL), sample(NORMAL, NORMAL), sample(NORMAL, NORMAL)], rollouts=2)
    assert figures["length_ratio"] == pytest.approx(1)
    assert figures["no_finding_share"] == figures["no_finding_share_reference"] == 0.5
    assert figures["recall/all"] == figures["recall/cardiomegaly"] == 1
    assert figures["duplicate_share"] == 0
    assert figures["comparison_without_prior"] == 0
    assert math.isnan(figures["prior_similarity"])


def test_collapse_to_one_normal_report_shows():
    figures = watch([sample(NORMAL)] * 4, rollouts=2)
    assert figures["no_finding_share"] == 1
    assert figures["no_finding_share_reference"] == 0
    assert figures["duplicate_share"] == 1
    assert figures["recall/all"] == 0


def test_same_text_within_a_group_is_no_duplicate():
    assert watch([sample(ILL), sample(ILL), sample(NORMAL), sample(NORMAL)], rollouts=2)["duplicate_share"] == 0
    assert duplicate_share(["a", "a", "b", "c"]) == 0.5
    assert duplicate_share([]) == 0


def test_copying_the_prior_and_inventing_one_show():
    prior = sample(ILL, NORMAL, has_prior=True, prior_report=ILL)
    alone = sample("Findings: The effusion is unchanged.", NORMAL)
    figures = watch([prior, prior, alone, alone], rollouts=2)
    assert figures["prior_similarity"] == 1
    assert figures["prior_similarity_reference"] < 0.5
    assert figures["comparison_without_prior"] == 1


def test_text_under_other_headings_shows():
    hidden = "There is a left pneumothorax, new since the prior study. "
    figures = watch([sample(f"{NORMAL} Recommendation: {hidden * 10}", NORMAL)], rollouts=1)
    assert figures["length_ratio"] > 5
    assert figures["no_finding_share"] == 0
    assert figures["comparison_without_prior"] == 1


def test_rewards_are_logged_by_component_with_what_is_missing():
    scored = Scores(np.array([1.0, np.nan]), {"bleu2": np.array([0.5, 1.0]), "judge": np.array([np.nan, np.nan])})
    figures = reward_figures(scored)
    assert figures["reward/bleu2"] == 0.75
    assert math.isnan(figures["reward/judge"])
    assert figures["reward/composite"] == 1
    assert figures["reward/missing"] == 0.5


def test_progress_survives_a_kill_and_forgets_what_is_repeated(tmp_path):
    progress = Progress(tmp_path)
    for step in (1, 2, 3):
        progress.add(step, {"reward": step / 10, "text": "no", "bad": math.nan})
    with progress.path.open("a") as file:
        file.write('{"step": 4, "rew')
    assert [row["step"] for row in progress.rows()] == [1, 2, 3]
    progress.resume(2)
    assert progress.rows() == [{"step": 1, "reward": 0.1}, {"step": 2, "reward": 0.2}]
    assert column(progress.rows(), "reward") == ([1, 2], [0.1, 0.2])
    assert all(json.loads(line) for line in progress.path.read_text().splitlines())
