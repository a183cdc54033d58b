"""The command: resuming after a kill, workers and engines give the same bytes; the card counts; bad input is told."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.training.datasets.layouts import Prepared, mimic, mimic_report
from training.datasets import prepare as command
from training.datasets.manifest import BadManifest, load_manifest, read_table
from training.datasets.prepare import How, main
from training.datasets.problems import Problem, dumps, loads
from training.datasets.running import on_ray, row_worker
from training.datasets.shards import cut
from training.datasets.source import Source

ROOT = Path(__file__).parent.parent.parent.parent


def tree(root: Path, patients: int = 12) -> Path:
    return mimic(
        root,
        [
            {
                "patient": 10000000 + n // 2,
                "study": 50000000 + n,
                "images": [(f"{n:04d}", "PA")],
                "date": f"218001{n % 2 + 1:02d}",
                "time": "0.0",
                "report": mimic_report(findings=f"Findings {n}.") if n % 5 else mimic_report(indication="None given."),
            }
            for n in range(2 * patients)
        ],
    )


def digests(out: Path) -> dict[str, str]:
    """Of what a manifest consists of."""
    files = [*out.glob("shard-*.parquet"), *(out / name for name in ("CARD.md", "card.json", "bad_rows.jsonl"))]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


class Killed(Exception):
    """Stands for the kill of a run."""


def dying(after: int) -> Callable[..., Iterator[int]]:
    """An engine that does not survive its `after`-th job."""

    def engine(work: Callable[[Any], int], jobs: Sequence[Any], workers: int) -> Iterator[int]:
        for number, job in enumerate(jobs):
            if number == after:
                raise Killed
            yield work(job)

    return engine


@pytest.mark.parametrize("after", [0, 1, 3])
def test_a_killed_run_continues_and_gives_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int):
    root, how = tree(tmp_path / "in"), How(shard=4, quiet=True)
    Prepared("mimic_cxr", root, tmp_path / "whole", how)
    monkeypatch.setitem(command.ENGINES, "dying", dying(after))
    with pytest.raises(Killed):
        Prepared("mimic_cxr", root, tmp_path / "out", How(engine="dying", shard=4, quiet=True))
    parts = {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "parts").glob("*.parquet")}
    assert len(parts) == after
    with pytest.raises(BadManifest, match="no finished manifest"):
        read_table(tmp_path / "out")
    Prepared("mimic_cxr", root, tmp_path / "out", how)
    assert {path: path.stat().st_mtime_ns for path in parts} == parts
    assert digests(tmp_path / "out") == digests(tmp_path / "whole")
    assert len(digests(tmp_path / "out")) > 6


def test_a_kill_between_the_passes_changes_nothing(tmp_path: Path):
    root, how = tree(tmp_path / "in"), How(shard=4, quiet=True)
    whole = Prepared("mimic_cxr", root, tmp_path / "out", how)
    before = digests(whole.out)
    for name in ("card.json", "shard-00001-of-00006.parquet", "shard-00003-of-00006.parquet"):
        (whole.out / name).unlink()
    (whole.out / ".shard-00001-of-00006.parquet.123").write_bytes(b"half a shard")
    assert digests(Prepared("mimic_cxr", root, tmp_path / "out", how).out) == before


def test_changed_sources_and_options_are_prepared_anew(tmp_path: Path):
    root = tree(tmp_path / "in")
    first = Prepared("mimic_cxr", root, tmp_path / "out", How(shard=4, quiet=True))
    strict = Prepared("mimic_cxr", root, tmp_path / "out", How(shard=8, quiet=True), validation_studies=4)
    assert strict.card["sites"]["mimic_cxr"]["splits"]["validate"] >= 4
    assert len(first.all) == len(strict.all) == 19
    assert len(list((tmp_path / "out").glob("shard-*.parquet"))) == 3
    tree(root, patients=13)
    assert len(Prepared("mimic_cxr", root, tmp_path / "out", How(shard=4, quiet=True)).all) == 20


def test_a_report_or_film_that_was_put_right_is_read_by_the_same_command(tmp_path: Path):
    root, how = tree(tmp_path / "in", patients=2), How(shard=2, quiet=True)
    folder = root / "files" / "p10" / "p10000000"
    missing, edited, film = folder / "s50000000.txt", folder / "s50000001.txt", folder / "s50000001" / "0001.jpg"
    missing.unlink()
    whole = film.read_bytes()
    film.write_bytes(whole[:-20])
    first = Prepared("mimic_cxr", root, tmp_path / "out", how)
    assert first.reasons("50000000") == {"report missing", "findings and impression both empty"}
    assert first.reasons("50000001") == {"image is cut off", "no readable image"}
    other = {path.name for path in (tmp_path / "out" / "parts").glob("00001-*")}
    missing.write_text(mimic_report(findings="Came later."))
    edited.write_text(mimic_report(findings="Corrected."))
    film.write_bytes(whole)
    again = Prepared("mimic_cxr", root, tmp_path / "out", how)
    assert {name: again.rows[name]["findings"] for name in ("50000000", "50000001")} == {
        "50000000": "Came later.",
        "50000001": "Corrected.",
    }
    assert {path.name for path in (tmp_path / "out" / "parts").glob("00001-*")} == other, "untouched patients stay"


def test_processes_give_the_same_bytes(tmp_path: Path):
    root = tree(tmp_path / "in")
    Prepared("mimic_cxr", root, tmp_path / "one", How(shard=4, quiet=True))
    Prepared("mimic_cxr", root, tmp_path / "two", How(workers=2, shard=4, quiet=True))
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


def test_ray_maps_the_same_functions():
    jobs = [[1, 2], [3], []]
    on_row = row_worker(len, jobs.__getitem__)
    assert [on_row({"place": place}) for place in range(3)] == [{"studies": 2}, {"studies": 1}, {"studies": 0}]
    assert list(on_ray(len, [], 1)) == [] or "ray" in sys.modules


def test_ray_gives_the_same_bytes(tmp_path: Path):
    pytest.importorskip("ray.data", reason="Ray is not installed")
    root = tree(tmp_path / "in")
    Prepared("mimic_cxr", root, tmp_path / "one", How(shard=4, quiet=True))
    arguments = [f"path={root}", f"out={tmp_path / 'ray'}", "engine=ray", "workers=1", "shard=4"]
    done = subprocess.run(
        [sys.executable, "-m", "training.datasets.prepare", "dataset=mimic_cxr", *arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    if "timed out during startup" in done.stderr:
        pytest.skip("Ray did not start within the 30 s that it gives itself: this machine is too busy")
    assert done.returncode == 0, done.stderr[-3000:]
    assert digests(tmp_path / "one") == digests(tmp_path / "ray")


def test_problems_are_read_as_they_were_written(tmp_path: Path):
    told = [
        Problem("d", "a:1", "unreadable entry", "a line\u2028and a next\x85line", "s"),
        Problem("d", "a:2", "x", "", ""),
    ]
    (tmp_path / "p.jsonl").write_text(dumps(told), encoding="utf-8")
    assert loads(tmp_path / "p.jsonl") == told
    (tmp_path / "none.jsonl").write_text("")
    assert loads(tmp_path / "none.jsonl") == []


def test_patients_are_never_cut(tmp_path: Path):
    records = [{"patient": f"p{n % 7}", "study": str(n)} for n in range(100)]
    source = Source("phantoms", tmp_path)
    shards = cut(records, source, size=10)
    seen = [{record["patient"] for record in shard.records} for shard in shards]
    assert sum(map(len, seen)) == 7
    assert sum(len(shard.records) for shard in shards) == 100
    assert [s.digest for s in shards] == [s.digest for s in cut(records[::-1], source, size=10)]


def test_the_card_counts_what_is_there(tmp_path: Path):
    made = Prepared("mimic_cxr", tree(tmp_path / "in"), tmp_path / "out")
    counted = made.card["sites"]["mimic_cxr"]
    assert counted["studies"] == 19
    assert counted["patients"] == 12
    assert counted["sections"] == {"findings": 19}
    assert counted["views"] == {"PA": 19}
    assert counted["sexes"] == {"unknown": 19}
    assert counted["order"] == {"date": 19}
    assert counted["priors"]["film and report"] == sum(row["prior_study_id"] is not None for row in made.all)
    assert made.card["dropped"] == {"findings and impression both empty": 5}
    assert json.loads((made.out / "card.json").read_text()) == made.card
    card = (made.out / "CARD.md").read_text()
    assert "19 studies of 12 patients" in card
    assert "findings and impression both empty 5" in card


def test_a_manifest_loads_as_a_dataset(tmp_path: Path):
    made = Prepared("mimic_cxr", tree(tmp_path / "in"), tmp_path / "out", validation_studies=4)
    rows = load_manifest(made.out, "train")
    assert len(rows) == made.card["sites"]["mimic_cxr"]["splits"]["train"]
    assert rows[0]["image_paths"] == [rows[0]["image"]]
    assert set(load_manifest(made.out)["split"]) == {"train", "validate"}


def test_a_configuration_prepares_all_sources_and_the_mixture(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    root = tree(tmp_path / "in")
    config = tmp_path / "data.toml"
    config.write_text(
        f"""
        out = "{tmp_path / "out"}"
        [[source]]
        dataset = "mimic_cxr"
        path = "{root}"
        [[source]]
        dataset = "phantoms"
        name = "drawn"
        path = "{tmp_path / "films"}"
        films = "reference"
        patients = 10
        sites = "north,harbour"
        [mixture]
        views = ["PA", "AP"]
        [[mixture.share]]
        name = "mimic_cxr"
        cap = 5
        [[mixture.share]]
        name = "drawn"
        """
    )
    main([str(config)])
    card = json.loads((tmp_path / "out" / "mixture" / "card.json").read_text())
    assert card["sites"]["mimic_cxr"]["splits"]["train"] == 5
    assert set(card["sites"]) == {"mimic_cxr", "phantoms-north", "phantoms-harbour"}
    assert "mixture: " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("first", "second"), [("", ""), ('name = "a"', 'name = "a"'), ("", 'name = "phantoms"'), ("", 'name = "mixture"')]
)
def test_two_sources_never_write_one_manifest(tmp_path: Path, first: str, second: str):
    config = tmp_path / "data.toml"
    source = '[[source]]\ndataset = "phantoms"\npath = "films"\npatients = 2\n'
    config.write_text(f'out = "{tmp_path / "out"}"\n{source}{first}\n{source}{second}\n[mixture]\n')
    with pytest.raises(SystemExit, match=r"give each .* a name = … of its own"):
        main([str(config)])
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["dataset=mimic_cxr"], "give path=…"),
        (["dataset=nothing", "path=.", "out=x"], "there is no dataset 'nothing'; known are mimic_cxr"),
        (["dataset=mimic_cxr", "path=/nowhere", "out=x"], "path = /nowhere is not a folder"),
        (["dataset=mimic_cxr", "path=.", "out=x", "colour=blue"], "has no option colour"),
        (["dataset=mimic_cxr", "path=.", "out=x", "test_share=0.9", "validate_share=0.2"], "leave nothing to train on"),
        (["dataset=mimic_cxr", "path=.", "out=x", "workers=many"], "must be whole numbers"),
        (["mimic_cxr"], "neither a .toml file nor name=value"),
        (["missing.toml"], "missing.toml"),
    ],
)
def test_bad_arguments_are_told(arguments: list[str], told: str):
    with pytest.raises(SystemExit, match=told):
        main(arguments)


def test_an_unknown_engine_is_told(tmp_path: Path):
    root = tree(tmp_path / "in")
    with pytest.raises(SystemExit, match="no engine 'fast'"):
        main(["dataset=mimic_cxr", f"path={root}", f"out={tmp_path / 'out'}", "engine=fast"])
