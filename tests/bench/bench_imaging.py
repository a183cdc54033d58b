"""Model image from a 2048 x 2500 film: this project's path against pydicom's textbook path, in one run.

``python -m tests.bench.bench_imaging [--repetitions 7] [--size 512] [--output FILE.json]``

Both start from the file on disk and end with a size x size 8-bit picture; they take turns (A B A B …), so that other
load on the machine meets both. Textbook: dcmread, pixel_array, apply_modality_lut, apply_voi_lut, min-max to 8 bits,
Pillow bicubic, with pydicom's own choice of decoder.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pydicom
from PIL import Image
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, JPEGLosslessSV1, RLELossless

from app.gateways.pixel_child import ChildPixelReader
from model.imaging import to_display_frame, to_model_image, to_model_png
from tests.model.films import film, saved, transcoded

ROWS, COLUMNS = 2500, 2048
GOALS = {"uncompressed": 5.0, "jpeg lossless": 3.5, "rle": 3.0, "jpeg 2000": 1.3}
MAX_GREY_DIFFERENCE = 1.0
SYNTAXES = {
    "uncompressed": ExplicitVRLittleEndian,
    "jpeg lossless": JPEGLosslessSV1,
    "rle": RLELossless,
    "jpeg 2000": JPEG2000Lossless,
}


@dataclass(frozen=True)
class Figure:
    """Times in ms, medians over the repetitions; differences in grey levels of 255."""

    syntax: str
    file_mb: float
    ours_ms: float
    ours_min_max_ms: tuple[float, float]
    textbook_ms: float
    textbook_min_max_ms: tuple[float, float]
    ours_cpu_ms: float
    textbook_cpu_ms: float
    times_faster: float
    goal: float
    mean_grey_difference: float
    max_grey_difference: int

    @property
    def met(self) -> bool:
        """Whether both the speed and the likeness are as asked for."""
        return self.times_faster >= self.goal and self.mean_grey_difference <= MAX_GREY_DIFFERENCE


def chest_pixels(seed: int = 1) -> np.ndarray:
    """12 bits in 16: lungs, heart, spine, ribs, texture, quantum noise, collimator and a burnt-in letter; 0 to 4095."""
    chance = np.random.default_rng(seed)
    x, y = np.meshgrid(np.linspace(-1, 1, COLUMNS, dtype=np.float32), np.linspace(-1, 1, ROWS, dtype=np.float32))

    def blob(centre: tuple[float, float], radii: tuple[float, float], sharp: float) -> np.ndarray:
        distance = ((x - centre[0]) / radii[0]) ** 2 + ((y - centre[1]) / radii[1]) ** 2
        return 1 / (1 + np.exp(np.clip(sharp * (distance - 1), -30, 30)))

    depth = 2700 + 500 * (1 - x**2) * (1 - y**2)
    for side in (-1, 1):
        depth -= 1750 * blob((0.43 * side, -0.08), (0.33, 0.62), 14)
        ribs = np.sin(26 * (y + 0.35 * np.abs(x)) + 2 * np.abs(x - 0.43 * side))
        depth += 170 * np.clip(ribs, 0, 1) * blob((0.43 * side, -0.05), (0.36, 0.7), 20)
    depth += 1100 * blob((0.16, 0.3), (0.3, 0.26), 12) + 500 * blob((0, 0), (0.1, 3), 6)
    coarse = chance.standard_normal((ROWS // 10, COLUMNS // 10), dtype=np.float32)
    depth += 80 * cv2.resize(cv2.GaussianBlur(coarse, (0, 0), 1.5), (COLUMNS, ROWS), interpolation=cv2.INTER_CUBIC)
    noise = cv2.GaussianBlur(chance.standard_normal((ROWS, COLUMNS), dtype=np.float32), (0, 0), 0.6)
    depth += noise * (12 + 10 * np.sqrt(np.clip(4095 - depth, 0, 4095) / 4095))
    depth[:60] = depth[-60:] = depth[:, :50] = depth[:, -50:] = 0
    letter = cv2.putText(
        np.zeros((ROWS, COLUMNS), np.uint8), "L", (COLUMNS - 420, 300), cv2.FONT_HERSHEY_SIMPLEX, 6, 255, 18
    )
    depth[letter > 0] = 4095
    return np.clip(depth, 0, 4095).astype("<u2")


def written(folder: Path) -> dict[str, Path]:
    """The film in each syntax, on disk."""
    plain = film(
        chest_pixels(),
        WindowCenter=["2048", "1800"],
        WindowWidth=["4096", "3000"],
        RescaleSlope="1",
        RescaleIntercept="0",
        PatientOrientation=["L", "F"],
    )
    return {
        name: saved(plain if syntax == ExplicitVRLittleEndian else transcoded(plain, syntax), folder / f"{syntax}.dcm")
        for name, syntax in SYNTAXES.items()
    }


def textbook(path: Path, size: int) -> Image.Image:
    """As the tutorials do it."""
    dataset = pydicom.dcmread(path)
    shown = apply_voi_lut(apply_modality_lut(dataset.pixel_array, dataset), dataset)
    shown = (shown - shown.min()) / (shown.max() - shown.min()) * 255
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        shown = 255 - shown
    scale = size / max(shown.shape)
    fitted = (round(shown.shape[1] * scale), round(shown.shape[0] * scale))
    picture = Image.fromarray(np.rint(shown).astype(np.uint8)).resize(fitted, Image.Resampling.BICUBIC)
    square = Image.new("L", (size, size))
    square.paste(picture, ((size - fitted[0]) // 2, (size - fitted[1]) // 2))
    return square


def timed(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Wall and CPU milliseconds, and what came out."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return (time.perf_counter() - wall) * 1e3, (time.process_time() - cpu) * 1e3, result


def compare(name: str, path: Path, size: int, repetitions: int) -> Figure:
    """One syntax; the first turn of each path warms it and is not counted."""
    ours, theirs = [], []
    for turn in range(repetitions + 1):
        pair = timed(lambda: to_model_image(path, size)), timed(lambda: textbook(path, size))
        if turn:
            ours.append(pair[0])
            theirs.append(pair[1])
    difference = np.abs(np.asarray(ours[-1][2], int) - np.asarray(theirs[-1][2], int))
    ours_ms, textbook_ms = (statistics.median(wall for wall, _, _ in turns) for turns in (ours, theirs))
    return Figure(
        syntax=name,
        file_mb=round(path.stat().st_size / 1e6, 2),
        ours_ms=round(ours_ms, 1),
        ours_min_max_ms=spread(ours),
        textbook_ms=round(textbook_ms, 1),
        textbook_min_max_ms=spread(theirs),
        ours_cpu_ms=round(statistics.median(cpu for _, cpu, _ in ours), 1),
        textbook_cpu_ms=round(statistics.median(cpu for _, cpu, _ in theirs), 1),
        times_faster=round(textbook_ms / ours_ms, 2),
        goal=GOALS[name],
        mean_grey_difference=round(float(difference.mean()), 3),
        max_grey_difference=int(difference.max()),
    )


def spread(turns: list[tuple[float, float, Any]]) -> tuple[float, float]:
    """Fastest and slowest wall time."""
    walls = [wall for wall, _, _ in turns]
    return round(min(walls), 1), round(max(walls), 1)


def child_overhead(path: Path, size: int, repetitions: int) -> dict[str, float]:
    """What going through a warm decoding process adds, ms (median of turns taken one after the other)."""
    reader = ChildPixelReader()
    try:
        reader.model_image(path, size)
        pairs: dict[str, list[float]] = {"model_image": [], "display_frame": []}
        for _ in range(repetitions):
            inside, within = timed(lambda: to_model_png(path, size)), timed(lambda: reader.model_image(path, size))
            pairs["model_image"].append(within[0] - inside[0])
            inside, within = timed(lambda: to_display_frame(path)), timed(lambda: reader.display_frame(path))
            pairs["display_frame"].append(within[0] - inside[0])
        inspected = [timed(lambda: reader.inspect(path))[0] for _ in range(repetitions)]
    finally:
        reader.close()
    added = {f"{name}_added_ms": round(statistics.median(times), 2) for name, times in pairs.items()}
    return added | {"inspect_ms": round(statistics.median(inspected), 2)}


def measure(size: int = 512, repetitions: int = 7) -> dict[str, Any]:
    """All figures of this bench, as JSON-ready data."""
    cv2.setNumThreads(1)  # as in the decoding process
    load_before = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        paths = written(Path(folder))
        figures = [compare(name, path, size, repetitions) for name, path in paths.items()]
        child = child_overhead(paths["uncompressed"], size, repetitions)
    return {
        "film": f"{COLUMNS} x {ROWS}, 12 bits",
        "size": size,
        "repetitions": repetitions,
        "cores": os.cpu_count(),
        "load_before": load_before,
        "load_after": os.getloadavg()[0],
        "syntaxes": [asdict(figure) | {"met": figure.met} for figure in figures],
        "child": child,
    }


def table(found: dict[str, Any]) -> str:
    """For people."""
    lines = [f"model image {found['size']} px from {found['film']}; median of {found['repetitions']}, load "]
    lines[0] += f"{found['load_before']:.1f} to {found['load_after']:.1f} on {found['cores']} cores"
    lines.append(f"{'syntax':<14}{'ours ms':>9}{'textbook':>10}{'faster':>8}{'goal':>6}{'grey mean':>11}{'max':>5}")
    lines += [
        f"{row['syntax']:<14}{row['ours_ms']:>9}{row['textbook_ms']:>10}{row['times_faster']:>7}x{row['goal']:>6}"
        f"{row['mean_grey_difference']:>11}{row['max_grey_difference']:>5}  {'met' if row['met'] else 'NOT MET'}"
        for row in found["syntaxes"]
    ]
    return "\n".join([*lines, "through the decoding process: " + json.dumps(found["child"])])


def main() -> int:
    """Exit code 1 where a goal is not met."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--repetitions", type=int, default=7)
    arguments.add_argument("--size", type=int, default=512, help="px, of the model image")
    arguments.add_argument("--output", type=Path, help="write the figures here as JSON")
    chosen = arguments.parse_args()
    found = measure(chosen.size, chosen.repetitions)
    sys.stdout.write(table(found) + "\n")
    if chosen.output:
        chosen.output.write_text(json.dumps(found, indent=2) + "\n")
    return 0 if all(row["met"] for row in found["syntaxes"]) else 1


if __name__ == "__main__":
    sys.exit(main())
