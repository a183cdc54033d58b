"""The 8B runs made small enough for a CPU: the same files but for sizes and paths, on a tiny Qwen3-VL."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.training.rewards import tiny_checkpoints
from training.config import RUNS, Architecture
from training.datasets.manifest import Row, sections_of, table, write_table
from training.datasets.priors import with_priors

ROOT = Path(__file__).parent.parent.parent
NANO = ROOT / "model" / "checkpoints" / "unirg-cxr-nano"
SIZES = Architecture(
    image_size=64, patch=16, vision_hidden=64, vision_depth=4, text_hidden=128, text_layers=2, vocabulary=512,
    max_positions=1536,
)  # fmt: skip
REPORTS = (
    ("The heart is enlarged. Small left pleural effusion.", "Cardiomegaly with a small left pleural effusion."),
    ("The lungs are clear. No pneumothorax.", "No acute disease."),
    ("Consolidation of the right lower lobe.", ""),
    ("", "Mild edema."),
)


def manifest(folder: Path) -> Path:
    """Four patients, each with a first study and one that follows it; two are held out."""
    rng, rows = np.random.default_rng(3), []
    (folder / "films").mkdir(parents=True)
    for number in range(8):
        patient, film = number // 2, folder / "films" / f"{number}.png"
        Image.fromarray(rng.integers(0, 255, (80, 72), np.uint8)).save(film)
        findings, impression = REPORTS[patient]
        rows.append(
            Row(
                study_id=f"s{number}", patient_id=f"p{patient}", dataset="harbour", split="train", image=str(film),
                image_paths=(str(film),), view="PA", order_key=f"2020-01-0{number % 2 + 1}", findings=findings,
                impression=impression, indication="Cough.", comparison="None.",
                sections=sections_of(findings, impression), source_row=str(number),
            )
        )  # fmt: skip
    linked = with_priors(rows)
    held_out = [Row(**{**_fields(row), "study_id": f"v{row.study_id}", "split": "validate"}) for row in linked[:2]]
    write_table(folder / "shard-00000-of-00001.parquet", table([*linked, *held_out]))
    (folder / "card.json").write_text(json.dumps({}))
    return folder


def _fields(row: Row) -> dict[str, Any]:
    return {name: getattr(row, name) for name in Row.__slots__}


def network(folder: Path) -> Path:
    """Random weights of the published architecture's class, with the nano checkpoint's tokenizer."""
    from transformers import AutoTokenizer

    from training.architecture import network as made
    from training.architecture import processor

    tokenizer = AutoTokenizer.from_pretrained(NANO)
    made(SIZES, tokenizer, seed=5).save_pretrained(folder)
    processor(SIZES, tokenizer).save_pretrained(folder)
    return folder


def judges(folder: Path) -> Path:
    """The learnt metrics' weights in their published layouts, tiny and random."""
    folder.mkdir(parents=True)
    tiny_checkpoints.roberta(folder / "distilroberta-base")
    tiny_checkpoints.bert_base(folder / "bert-base-uncased")
    tiny_checkpoints.bert_base(folder / "pubmedbert")
    tiny_checkpoints.chexbert(folder / "chexbert.pth")
    tiny_checkpoints.dygie(folder / "radgraph-v1")
    return folder


def run_file(name: str, folder: Path, **changes: Any) -> Path:
    """training/runs/<name>.toml with other values for some of its keys, and its paths below `folder`."""
    text = (RUNS / f"{name}.toml").read_text()
    text = text.replace('"weights/', f'"{folder}/weights/').replace('device = "cuda"', 'device = "cpu"')
    text = text.replace('"data/manifests/unirg-cxr"', f'"{folder}/manifest"').replace('"runs/', f'"{folder}/')
    for key, value in {"image_size": SIZES.image_size, "dtype": "float32", **changes}.items():
        text, found = re.subn(rf"(?m)^(\s*){key} = [^#\n]*", rf"\g<1>{key} = {json.dumps(value)} ", text)
        if not found:
            raise KeyError(f"{name}.toml has no {key}")
    path = folder / f"{name}-{len(list(folder.glob('*.toml')))}.toml"
    path.write_text(text)
    return path
