"""The pointing game: does the hottest cell of a positive sentence lie on the finding that it names?

usage: python -m training.evaluate.pointing CHECKPOINT [--seed 98] [--studies 100] [--sites north lake city]

Phantoms without a prior; a sentence counts where it names one finding and the film shows it (a false sentence has no
place to point at). A hit: the hottest of the 8 x 8 cells holds a pixel of the finding; centre: its middle quarter does.
chance: the share of cells that would be hits. covered: share of the finding's pixels inside the drawn region.
Zhang et al., IJCV 2018, with cells in place of a tolerance in pixels.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

from model import findings as read
from model.evidence import CELLS, hottest, region, span_heat
from model.generation import spelled
from model.occlusion import losses
from model.prompting import build_prompt
from model.report_text import sentences
from training.phantom.film import model_film
from training.phantom.places import place
from training.phantom.reports import report_sections
from training.phantom.sites import site_at
from training.phantom.studies import Study, study

Row = dict[str, float]


def sentence_heat(pieces: list[str], lost: np.ndarray, text: str) -> Iterator[tuple[str, np.ndarray]]:
    """Each sentence of the report with its heat map; pieces: the text of each token, lost: [COUNT, tokens]."""
    for one in sentences(text):
        yield one.text, span_heat(lost, pieces, one.start, one.end)


def judge(warmth: np.ndarray, mask: np.ndarray) -> Row:
    """One sentence against the place of its finding, bool [size, size]."""
    cell = mask.shape[0] // CELLS
    cells = mask.reshape(CELLS, cell, CELLS, cell)
    row, column = hottest(warmth)
    middle = cells[row, cell // 4 : -(cell // 4), column, cell // 4 : -(cell // 4)]
    box = region(warmth)
    inside = 0.0
    if box is not None:
        edges = (np.array([box.top, box.bottom, box.left, box.right]) * mask.shape[0]).astype(int)
        inside = float(mask[edges[0] : edges[1], edges[2] : edges[3]].sum() / mask.sum())
    return {
        "hit": float(cells[row, :, column].any()),
        "centre": float(middle.any()),
        "chance": float(cells.any((1, 3)).mean()),
        "region": float(box is not None),
        "covered": inside,
    }


def _of(network: Any, processor: Any, made: Study) -> Iterator[tuple[str, Row]]:
    film = model_film(made.current)
    prompt = build_prompt(made.indication).chat_messages()
    text = processor.apply_chat_template(prompt, tokenize=False, add_generation_prompt=True)
    encoded = processor(text=[text], images=[[Image.fromarray(film).convert("RGB")]], return_tensors="pt")
    with torch.inference_mode():
        written = network.generate(**encoded, max_new_tokens=320, do_sample=False)
    ids = [
        one
        for one in written[0, encoded["input_ids"].shape[1] :].tolist()
        if one not in processor.tokenizer.all_special_ids
    ]
    pieces = spelled(processor.tokenizer, ids)
    lost = losses(network, processor, text, [film], 0, ids)
    shown = read.present(" ".join(report_sections(made.site or "north", made.current.findings, None)))
    for sentence, warmth in sentence_heat(pieces, lost, "".join(pieces)):
        found = list(read.present(sentence))
        if len(found) == 1 and found[0] in shown:
            condition, side = found[0]
            if side != "bilateral" and (mask := place(made.current, condition, side)).any():
                yield condition, judge(warmth, mask)


def pointing(checkpoint: Path, seed: int, count: int, sites: list[str]) -> dict[str, Any]:
    """Means by finding and over all sentences."""
    torch.set_num_threads(1)
    network = AutoModelForImageTextToText.from_pretrained(checkpoint, dtype=torch.float32).eval()
    processor = AutoProcessor.from_pretrained(checkpoint)
    rows: dict[str, list[Row]] = defaultdict(list)
    for index in range(count):
        made = study(seed, index, with_prior=False, site=site_at(sites, index))
        for condition, row in _of(network, processor, made):
            rows[condition].append(row)
            rows["all"].append(row)
    return {
        name: {"n": len(part)} | {key: round(float(np.mean([row[key] for row in part])), 3) for key in part[0]}
        for name, part in sorted(rows.items())
    }


def main(argv: list[str]) -> None:
    """Command line; see the module's docstring."""
    parser = argparse.ArgumentParser(prog="python -m training.evaluate.pointing", description="The pointing game.")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--seed", type=int, default=98)
    parser.add_argument("--studies", type=int, default=100)
    parser.add_argument("--sites", nargs="*", default=["north", "lake", "city"])
    options = parser.parse_args(argv)
    print(json.dumps(pointing(options.checkpoint, options.seed, options.studies, options.sites), indent=1))


if __name__ == "__main__":
    main(sys.argv[1:])
