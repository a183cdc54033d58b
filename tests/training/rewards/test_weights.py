"""An absent path is one clear error: what to fetch, from whom, where to put it, which key to set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from training.rewards import bertscore, green, radgraph, ratescore, sembscore, weights
from training.rewards.weights import SOURCES, MissingWeights, NotFinite, UnusableWeights, finite, locate

NEEDS = {
    "bertscore": (bertscore.BertScore, "distilroberta"),
    "sembscore": (sembscore.SembScore, "chexbert"),
    "radgraph_combined": (lambda paths: radgraph.radgraph(paths, "combined"), "radgraph"),
    "radgraph_partial": (lambda paths: radgraph.radgraph(paths, "partial"), "radgraph_xl"),
    "ratescore": (ratescore.RaTEScore, "rate_ner"),
    "green": (green.Green, "green"),
}


@pytest.mark.parametrize("judge", NEEDS)
def test_no_path_given(judge):
    make, key = NEEDS[judge]
    with pytest.raises(MissingWeights) as error:
        make({})
    told = str(error.value)
    assert SOURCES[key].what in told
    assert SOURCES[key].project in told
    assert f"weights = {{ {key} = PATH }}" in told, "where a run names it"
    assert "[[rl.rewards]]" in told
    assert "`evaluate --metrics` under [rewards.weights]" in told


@pytest.mark.parametrize("judge", NEEDS)
def test_path_that_does_not_exist(judge, tmp_path: Path):
    make, key = NEEDS[judge]
    with pytest.raises(MissingWeights, match="does not exist") as error:
        make(dict.fromkeys(SOURCES, tmp_path / "nowhere"))
    assert str(tmp_path / "nowhere") in str(error.value)
    assert SOURCES[key].project in str(error.value)


def test_folder_without_the_files(tmp_path: Path):
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UnusableWeights, match=r"it has no model\.safetensors"):
        locate({"distilroberta": tmp_path}, "distilroberta")


def test_folder_where_a_file_is_wanted(tmp_path: Path):
    with pytest.raises(UnusableWeights, match="is a folder"):
        locate({"chexbert": tmp_path}, "chexbert")


def test_alternative_file_names_are_accepted(tmp_path: Path):
    for name in ("config.json", "pytorch_model.bin", "vocab.json"):
        (tmp_path / name).touch()
    assert locate({"distilroberta": str(tmp_path)}, "distilroberta") == tmp_path


def test_every_source_is_told_of_in_weights_md():
    text = (Path(weights.__file__).parent / "WEIGHTS.md").read_text()
    for key, source in SOURCES.items():
        assert f"`{key}`" in text, key
        assert source.project.split(" ")[0] in text, key


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_scores_that_are_no_numbers_stop_the_run(bad):
    with pytest.raises(NotFinite, match="1 of 3 scores as NaN or infinity"):
        finite(np.array([0.1, bad, 0.2]), "bertscore")
