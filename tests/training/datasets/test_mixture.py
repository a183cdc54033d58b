"""Several manifests -> one: weights, caps, views; the same draw everywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.training.datasets.layouts import Prepared
from training.datasets.manifest import BadManifest, read_table
from training.datasets.mixture import BadMixture, Share, mix, sizes
from training.datasets.problems import loads


def phantoms(tmp_path: Path, site: str, patients: int) -> Path:
    out = tmp_path / site
    options = {"sites": site, "patients": patients, "pairs": 0, "films": "reference", "seed": 3}
    Prepared("phantoms", tmp_path, out, **options)
    return out


def studies(out: Path, split: str = "train") -> list[str]:
    return [row["study_id"] for row in read_table(out, ["study_id", "split"]).to_pylist() if row["split"] == split]


@pytest.mark.parametrize(
    ("available", "wanted", "taken"),
    [
        ([100, 50], [(None, None), (None, None)], [100, 50]),
        ([100, 50], [(None, 30), (None, None)], [30, 50]),
        ([100, 50], [(1.0, None), (1.0, None)], [50, 50]),
        ([225, 188, 140], [(40, None), (33, None), (26, None)], [215, 178, 140]),
        ([100, 50], [(3.0, 60), (1.0, None)], [60, 20]),
    ],
)
def test_sizes(available: list[int], wanted: list[tuple[float | None, int | None]], taken: list[int]):
    assert sizes(available, [Share(Path(), weight, cap) for weight, cap in wanted]) == taken


@pytest.mark.parametrize("weights", [(1.0, None), (1.0, 0.0), (1.0, -1.0)])
def test_half_weighted_mixtures_are_refused(weights: tuple[float | None, ...]):
    with pytest.raises(BadMixture, match="weight above 0"):
        sizes([5, 5], [Share(Path(), weight) for weight in weights])


def test_a_mixture_is_mixed_capped_and_the_same_again(tmp_path: Path):
    north, lake, harbour = (phantoms(tmp_path, site, 40) for site in ("north", "lake", "harbour"))
    shares = [Share(north, cap=10), Share(lake), Share(harbour)]
    card = mix(shares, tmp_path / "mixed", seed=1)
    assert card["sites"]["phantoms-north"]["splits"]["train"] == 10
    assert card["dropped"] == {"beyond the share or cap": len(studies(north)) - 10}
    assert card["sites"]["phantoms-north"]["splits"]["test"] == len(studies(north, "test"))
    assert card["sites"]["phantoms-harbour"]["splits"] == {"train": 0, "validate": 0, "test": 40}
    mixed = studies(tmp_path / "mixed")
    assert len({name.split("-")[0] for name in mixed[:15]}) == 2
    mix(shares, tmp_path / "again", seed=1)
    assert studies(tmp_path / "again") == mixed
    mix(shares, tmp_path / "other", seed=2)
    assert studies(tmp_path / "other") != mixed
    mix([Share(north, cap=20), Share(lake), Share(harbour)], tmp_path / "more", seed=1)
    assert set(mixed) < set(studies(tmp_path / "more"))


def test_only_some_views_may_be_asked_for(tmp_path: Path):
    north = phantoms(tmp_path, "north", 30)
    card = mix([Share(north, views=("PA",))], tmp_path / "mixed")
    counted = card["sites"]["phantoms-north"]
    assert set(counted["views"]) == {"PA"}
    assert card["dropped"] == {"view not asked for": 30 - counted["studies"]}
    problems = loads(tmp_path / "mixed" / "bad_rows.jsonl")
    assert {problem.detail for problem in problems} == {"AP"}
    kept = {row["study_id"] for row in read_table(tmp_path / "mixed", ["study_id"]).to_pylist()}
    assert not {problem.study for problem in problems} & kept


def test_what_is_no_manifest_or_twice_the_same_is_refused(tmp_path: Path):
    with pytest.raises(BadManifest, match="no finished manifest"):
        mix([Share(tmp_path)], tmp_path / "mixed")
    with pytest.raises(BadMixture, match="each once"):
        mix([Share(tmp_path), Share(tmp_path)], tmp_path / "mixed")
