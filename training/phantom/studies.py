"""Whole phantom studies from a seed: patient, current film, perhaps a prior film, clinical context, dates.

`study(seed, index)` is a pure function; caches of rendered films are only there to save time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Literal

import numpy as np

from training.phantom.film import ASPECTS, FILM_UNITS, Patient, Scene, model_film
from training.phantom.findings import RATES, Findings, evolve, label_vector, sample
from training.phantom.sites import HOSPITALS, CaseMix, site_at

INDICATIONS = (
    "Shortness of breath.",
    "Cough and fever.",
    "Chest pain.",
    "Preoperative assessment.",
    "Routine follow-up.",
    "Fall.",
    "Hypoxia.",
    "Line placement.",
    "Intubated, daily film.",
    "Weight loss.",
    "Postoperative day 2.",
    "Known heart failure.",
    "Evaluate for pneumonia.",
    "Dyspnea on exertion.",
    "Trauma.",
    "Sepsis.",
)
_SYLLABLES = ("ba", "cor", "den", "fi", "gra", "hyp", "itis", "lum", "mo", "ne", "os", "pul", "ra", "sten", "tu", "vas")


@dataclass(frozen=True)
class Study:
    """One reading task; `prior` is the same patient's earlier film or None. The indication never tells a finding.

    site: of training/phantom/sites.py, or "".
    """

    index: int
    current: Scene
    prior: Scene | None
    study_date: date
    prior_date: date | None
    indication: str | None
    text_seed: int
    site: str = ""

    @property
    def patient(self) -> Patient:
        """The person on both films."""
        return self.current.patient


def _patient(rng: np.random.Generator, mix: CaseMix) -> Patient:
    sex: Literal["F", "M"] = "F" if rng.random() < mix.women else "M"
    build: tuple[Literal["slim", "average", "large"], ...] = ("slim", "average", "large")
    seed, age = int(rng.integers(2**31)), int(rng.integers(*mix.ages))
    return Patient(seed, sex, age, build[int(rng.integers(3) if mix.build is None else rng.choice(3, p=mix.build))])


def scene_of(rng: np.random.Generator, patient: Patient, findings: Findings, site: str = "") -> Scene:
    """One exposure: portable films are AP, fixed ones mostly PA."""
    intubated, others = HOSPITALS[site].mix.portable
    portable = rng.random() < (intubated if findings.tube else others)
    view: Literal["PA", "AP"] = "AP" if portable or rng.random() < 0.1 else "PA"
    aspect = ASPECTS[int(rng.integers(len(ASPECTS)))]
    return Scene(patient, findings, view, "portable" if portable else "fixed", aspect, int(rng.integers(2**31)), site)


def _indication(rng: np.random.Generator) -> str | None:
    """A common reason, nothing, or words never seen: the reader must not depend on the wording."""
    kind = rng.random()
    if kind < 0.15:
        return None
    if kind < 0.75:
        return INDICATIONS[int(rng.integers(len(INDICATIONS)))]
    words = ["".join(rng.choice(_SYLLABLES, int(rng.integers(1, 5)))) for _ in range(int(rng.integers(1, 7)))]
    return " ".join(words).capitalize() + ("." if rng.random() < 0.7 else "")


def study(seed: int, index: int, *, with_prior: bool, site: str = "") -> Study:
    """The index-th study of a seed; same arguments, same study, to the last pixel."""
    rng, mix = np.random.default_rng([seed, index, int(with_prior)]), HOSPITALS[site].mix
    rates = {name: rate * mix.times.get(name, 1) for name, rate in RATES.items()}
    patient = _patient(rng, mix)
    first = sample(rng, rates)
    day = date(2019, 1, 1) + timedelta(days=int(rng.integers(2000)))
    if not with_prior:
        shot = scene_of(rng, patient, first, site)
        return Study(index, shot, None, day, None, _indication(rng), int(rng.integers(2**31)), site)
    current = scene_of(rng, patient, evolve(rng, first, rates), site)
    prior = scene_of(rng, patient, first, site)
    prior_day = day - timedelta(days=int(rng.integers(1, 500)))
    return Study(index, current, prior, day, prior_day, _indication(rng), int(rng.integers(2**31)), site)


def studies(seed: int, count: int, *, with_prior: bool, sites: Sequence[str] = ()) -> list[Study]:
    """The first `count` studies of a seed, the sites in turn."""
    return [study(seed, index, with_prior=with_prior, site=site_at(sites, index)) for index in range(count)]


def _films(job: tuple[int, range, bool, tuple[str, ...]]) -> np.ndarray:
    seed, indices, with_prior, sites = job
    films = np.zeros((len(indices), 1 + with_prior, FILM_UNITS, FILM_UNITS), np.uint8)
    for row, index in enumerate(indices):
        made = study(seed, index, with_prior=with_prior, site=site_at(sites, index))
        scenes = [made.current] if made.prior is None else [made.prior, made.current]
        for column, scene in enumerate(scenes):
            films[row, column] = model_film(scene)
    return films


def cached_films(
    folder: Path, seed: int, count: int, *, with_prior: bool, processes: int = 2, sites: Sequence[str] = ()
) -> np.ndarray:
    """uint8 [count, images, 128, 128] (prior first), rendered once into `folder` and then memory-mapped."""
    kind = "-".join(["pair" if with_prior else "single", *sites])
    path = folder / f"films-{seed}-{count}-{kind}.npy"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        step = max(1, min(250, count // processes + 1))
        starts = range(0, count, step)
        jobs = [(seed, range(start, min(start + step, count)), with_prior, tuple(sites)) for start in starts]
        with get_context("spawn").Pool(processes) as pool:
            films = np.concatenate(pool.map(_films, jobs))
        part = path.with_suffix(".part.npy")
        np.save(part, films)
        part.rename(path)
    return np.load(path, mmap_mode="r")


def labels(made: Sequence[Study]) -> np.ndarray:
    """uint8 [studies, LABELS] of the current films."""
    return np.stack([label_vector(one.current.findings) for one in made])
