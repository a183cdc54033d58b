"""A manifest as verl reads it: one row per prompt in training order, films as PNG files of the model's size.

usage: python -m training.verl.prepare RUN.toml STAGE DATA [PROCESSES]

DATA gets train.parquet, validate.parquet and films/. Films that are there are not rendered again, so an interrupted run
goes on; one that was changed since is. The prompts are those of training/manifest_rl.py: same order, same priors, same
references.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from tqdm import tqdm

from training.config import BadRunConfig, Manifest, RlStage, Run, load_run
from training.manifest_prompts import Shown, abnormal, film, question, stratified, training_rows
from training.verl.settings import stage_of

_ROWS = 10_000  # of one Parquet row group
_JUDGED = ("has_prior", "prior_report", "asked", "dataset", "study")
_SCHEMA = pa.schema(
    {
        "data_source": pa.string(),
        "prompt": pa.list_(pa.struct({"role": pa.string(), "content": pa.string()})),
        "images": pa.list_(pa.string()),
        "reward_model": pa.struct({"style": pa.string(), "ground_truth": pa.string()}),
        "extra_info": pa.struct(
            {"has_prior": pa.bool_(), **dict.fromkeys(("prior_report", "asked", "dataset", "study"), pa.string())}
        ),
    }
)


def film_file(reference: str, films: Path, size: int) -> Path:
    """Where the rendered film lies: by the digest of its size in px, its reference and, of a file, its state."""
    try:
        found = Path(reference).stat()
        state = f"/{found.st_size}/{found.st_mtime_ns}"
    except OSError:  # a phantom, which is what its reference says
        state = ""
    return films / f"{hashlib.sha256(f'{size}/{reference}{state}'.encode()).hexdigest()[:32]}.png"


def render(reference: str, films: Path, size: int) -> None:
    """Write one film, whole or not at all."""
    path = film_file(reference, films, size)
    if path.exists():
        return
    part = path.with_suffix(".part")
    film(reference, size).save(part, format="PNG")
    part.replace(path)


def row(made: dict[str, Any], manifest: Manifest, shown: Shown, seed: int, films: Path) -> dict[str, Any]:
    """One manifest row in verl's columns: `<image>` stands for each film, the prior's first."""
    asked = question(made, manifest, shown, seed)
    return {
        "data_source": asked.dataset,
        "prompt": [{"role": "user", "content": "<image>" * len(asked.images) + asked.text}],
        "images": [str(film_file(path, films, manifest.image_size).resolve()) for path in asked.images],
        "reward_model": {"style": "rule", "ground_truth": asked.reference},
        "extra_info": {name: getattr(asked, name) for name in _JUDGED},
    }


def _write(path: Path, rows: pa.Table, order: NDArray[np.int64], make: Any) -> None:
    part = path.with_suffix(".part")
    with pq.ParquetWriter(part, _SCHEMA, compression="zstd") as file:
        for start in range(0, len(order), _ROWS):
            chosen = rows.take(pa.array(order[start : start + _ROWS])).to_pylist()
            file.write_table(pa.Table.from_pylist([make(one) for one in chosen], schema=_SCHEMA))
    part.replace(path)


def _references(tables: Iterable[pa.Table], manifest: Manifest) -> list[str]:
    found: set[str] = set()
    for rows in tables:
        for name in ("image", "prior_image"):
            found |= set(pc.unique(rows[name].drop_null()).to_pylist()) - {""}
    root = Path(manifest.image_root)
    return sorted(one if one.startswith("phantom:") else str(root / one) for one in found)


def prepare(run: Run, stage: RlStage, data: Path, processes: int = 1) -> None:
    """Write DATA. Raises BadRunConfig, BadManifest, and what a film that cannot be read raises."""
    manifest = run.manifest
    if manifest is None:
        raise BadRunConfig(f"{run.name}: verl takes a [manifest]")
    films = data / "films"
    films.mkdir(parents=True, exist_ok=True)
    rows = training_rows(manifest)
    held_out = training_rows(manifest, "validate") if manifest.validation else rows.slice(0, 1)
    work = partial(render, films=films, size=manifest.image_size)
    wanted = _references((rows, held_out), manifest)
    with ProcessPoolExecutor(processes) as pool:
        for _ in tqdm(pool.map(work, wanted, chunksize=16), total=len(wanted), desc="films", disable=None):
            pass
    shown = Shown(stage.findings_share, stage.prior_dropout)
    order = stratified(stage, abnormal(rows, data / "abnormal.npy"), run.seed)
    shared: dict[str, Any] = {"manifest": manifest, "seed": run.seed, "films": films}
    _write(data / "train.parquet", rows, order, partial(row, shown=shown, **shared))
    _write(data / "validate.parquet", held_out, np.arange(held_out.num_rows), partial(row, shown=Shown(), **shared))


def main(arguments: list[str]) -> None:
    """Command line; see the module's docstring."""
    run_file, name, data, *processes = arguments
    run = load_run(Path(run_file))
    prepare(run, stage_of(run, name), Path(data), int(processes[0]) if processes else 1)


if __name__ == "__main__":
    main(sys.argv[1:])
