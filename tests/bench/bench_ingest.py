"""Ingest: 10 MB radiographs from storescu, 1 and 4 at a time, into our durable receiver, Orthanc and DCMTK storescp.

``python -m tests.bench.bench_ingest [--images 40] [--rounds 5] [--senders 1 4] [--only NAME …] [--json OUT]``

In each round every receiver starts with an empty store, in random order, so that other load on the machine meets all;
a few images go in before the clock starts, for a receiver runs for weeks and its first second is not its speed.
Ours is the service's own receiver process: object synced, renamed, folder synced, record and audit entry committed,
then the response. Orthanc syncs as well (SyncStorageArea, its default); storescp syncs nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian
from rich.console import Console
from rich.table import Table

from app.domain.identifiers import derived_uid
from tests.bench.receivers import Receiver, Running, receivers
from tests.peers.presence import program

ROWS, COLUMNS = 2500, 2048
WARM_UP = 4
GOAL_SPEED, GOAL_CPU, GOAL_MEMORY_MB = 2.0, 0.35, 150.0


@dataclass(frozen=True)
class Trial:
    """One receiver in one round. cores_of_others: load that was neither the receiver's nor the senders'."""

    receiver: str
    senders: int
    images: int
    images_per_second: float
    cpu_ms_per_image: float
    memory_mb: float
    cores_of_others: float


def radiograph(folder: Path, number: int) -> Path:
    """A DX file of 10.24 MB, 12 bits in 16, noise over a gradient; each with UIDs and a patient of its own."""
    chance = np.random.default_rng(number)
    ramp = np.linspace(300, 3500, COLUMNS, dtype=np.float32)
    pixels = np.clip(ramp + chance.normal(0, 60, (ROWS, COLUMNS)), 0, 4095).astype("<u2")
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    meta.MediaStorageSOPInstanceUID = derived_uid("bench", "instance", str(number))
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    image = FileDataset(None, {}, file_meta=meta, preamble=bytes(128))
    image.SOPClassUID, image.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    image.StudyInstanceUID = derived_uid("bench", "study", str(number))
    image.SeriesInstanceUID = derived_uid("bench", "series", str(number))
    image.PatientID, image.PatientName, image.Modality = f"BENCH{number}", f"Bench^{number}", "DX"
    image.PatientBirthDate, image.PatientSex = "19700101", "O"
    image.StudyDate, image.StudyTime, image.AccessionNumber, image.StudyID = "20250101", "120000", f"B{number}", "1"
    image.PresentationIntentType, image.BodyPartExamined, image.ViewPosition = "FOR PRESENTATION", "CHEST", "PA"
    image.Rows, image.Columns, image.SamplesPerPixel, image.PhotometricInterpretation = ROWS, COLUMNS, 1, "MONOCHROME2"
    image.BitsAllocated, image.BitsStored, image.HighBit, image.PixelRepresentation = 16, 12, 11, 0
    image.PixelData = pixels.tobytes()
    path = folder / f"{number:04d}.dcm"
    image.save_as(path, enforce_file_format=True)
    return path


def send(port: int, files: Sequence[Path], senders: int) -> float:
    """Seconds until the last of the storescu processes ended; raises CalledProcessError when one failed."""
    command = [program("storescu"), "-q", "-aet", "BENCH", "-aec", "UNIRG", "127.0.0.1", str(port)]
    started = time.perf_counter()
    running = [subprocess.Popen([*command, *map(str, files[sender::senders])]) for sender in range(senders)]
    codes = [process.wait() for process in running]
    elapsed = time.perf_counter() - started
    if any(codes):
        raise subprocess.CalledProcessError(next(filter(None, codes)), command)
    return elapsed


def busy_seconds() -> float:
    """CPU seconds that the whole machine has worked."""
    fields = [int(value) for value in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


def trial(receiver: Receiver, films: Sequence[Path], senders: int, folder: Path) -> Trial:
    """films: the first WARM_UP are sent before the measurement."""
    files = films[WARM_UP:]
    with Running(receiver, folder) as server:
        send(server.port, films[:WARM_UP], 1)
        cpu, busy, children = server.cpu_ms(), busy_seconds(), os.times().children_user + os.times().children_system
        seconds = send(server.port, files, senders)
        cpu = server.cpu_ms() - cpu
        sent = os.times().children_user + os.times().children_system - children
        others = busy_seconds() - busy - sent - cpu / 1000
        memory = server.memory_mb()
    shutil.rmtree(folder)
    return Trial(
        receiver.name,
        senders,
        len(files),
        round(len(files) / seconds, 2),
        round(cpu / len(files), 2),
        round(memory, 1),
        round(max(others, 0) / seconds, 2),
    )


def measure(folder: Path, names: Iterable[str], images: int, rounds: int, senders: Iterable[int]) -> list[Trial]:
    (folder / "films").mkdir()
    files = [radiograph(folder / "films", number) for number in range(WARM_UP + images)]
    chance, known, found = random.Random(1), receivers(), []
    for number in range(rounds):
        turns = [(name, count) for name in names for count in senders]
        chance.shuffle(turns)
        for name, count in turns:
            found.append(trial(known[name], files, count, folder / f"{number}-{len(found)}"))
            sys.stderr.write(f"round {number + 1}/{rounds}: {found[-1]}\n")
    return found


def medians(trials: Iterable[Trial]) -> dict[tuple[str, int], dict[str, float]]:
    groups: dict[tuple[str, int], list[Trial]] = {}
    for one in trials:
        groups.setdefault((one.receiver, one.senders), []).append(one)
    return {
        key: {
            "images_per_second": statistics.median(one.images_per_second for one in group),
            "slowest": min(one.images_per_second for one in group),
            "fastest": max(one.images_per_second for one in group),
            "cpu_ms_per_image": statistics.median(one.cpu_ms_per_image for one in group),
            "memory_mb": max(one.memory_mb for one in group),
            "cores_of_others": statistics.median(one.cores_of_others for one in group),
        }
        for key, group in groups.items()
    }


def ratios(figures: dict[tuple[str, int], dict[str, float]]) -> list[dict[str, object]]:
    """Ours against each other receiver at the same number of senders, and against the goals."""
    found: list[dict[str, object]] = []
    for (name, senders), theirs in figures.items():
        ours = figures.get(("ours", senders))
        if ours is None or name.startswith("ours"):
            continue
        found.append(
            {
                "against": name,
                "senders": senders,
                "speed": round(ours["images_per_second"] / theirs["images_per_second"], 2),
                "cpu": round(ours["cpu_ms_per_image"] / max(theirs["cpu_ms_per_image"], 0.01), 2),
                "memory_mb": ours["memory_mb"],
            }
        )
    for one in found:
        if one["against"] == "orthanc tuned":
            met = (one["speed"] >= GOAL_SPEED, one["cpu"] <= GOAL_CPU, one["memory_mb"] <= GOAL_MEMORY_MB)  # type: ignore[operator]
            one["goals_met"] = dict(zip(("speed", "cpu", "memory"), map(bool, met), strict=True))
    return found


def show(figures: dict[tuple[str, int], dict[str, float]], compared: list[dict[str, object]]) -> None:
    table = Table(title="Ingest of 10 MB DX (medians)")
    for heading in ("receiver", "senders", "images/s (range)", "CPU ms/image", "peak MB", "cores of others"):
        table.add_column(heading, justify="left" if heading == "receiver" else "right")
    for (name, senders), one in sorted(
        figures.items(), key=lambda entry: (entry[0][1], -entry[1]["images_per_second"])
    ):
        speed = f"{one['images_per_second']:.1f} ({one['slowest']:.1f}-{one['fastest']:.1f})"
        load = f"{one['cores_of_others']:.2f}"
        table.add_row(name, str(senders), speed, f"{one['cpu_ms_per_image']:.1f}", f"{one['memory_mb']:.0f}", load)
    console = Console(width=110)
    console.print(table)
    for one in compared:
        console.print_json(json.dumps(one), indent=None)


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.bench_ingest", description=__doc__)
    parser.add_argument("--images", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--senders", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--only", nargs="+", choices=list(receivers()), default=list(receivers()))
    parser.add_argument(
        "--folder", type=Path, help="on the disk to be measured; default: the system's temporary folder"
    )
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        trials = measure(Path(folder), options.only, options.images, options.rounds, options.senders)
    figures = medians(trials)
    compared = ratios(figures)
    show(figures, compared)
    if options.json:
        named = [{"receiver": name, "senders": senders, **one} for (name, senders), one in figures.items()]
        result = {"medians": named, "ratios": compared, "trials": [asdict(one) for one in trials]}
        options.json.write_text(json.dumps(result, indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
