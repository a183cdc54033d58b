"""Hospitals of the phantom world: how each exposes its films and whom it sees. Its words are in reports.SITES.

Three sites are for training. "harbour" is never trained on, and its films lie outside of the trained ranges in
every respect (softer, flatter, darker, noisier, tighter collimated, marked elsewhere) while a reader can still see
every finding. "" is no site: the films and the case mix that phantoms had before there were sites.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

Range = tuple[float, float]


@dataclass(frozen=True)
class Imaging:
    """Ranges from which each film draws; pairs of ranges are for fixed and for portable exposures.

    gain: contrast about mid-grey. brightness: grey levels of 255. gamma: above 1 darkens the lungs. noise: standard
    deviation in grey levels. blur: of the image plate, sigma in 1/128 of the film. leaf: how far collimation may reach
    in, same unit. marker: share of films with a side marker, at the top or (`marker_low`) at the bottom.
    """

    gain: tuple[Range, Range] = ((0.92, 1.15), (0.74, 0.95))
    brightness: Range = (-14, 14)
    gamma: Range = (1, 1)
    noise: tuple[Range, Range] = ((1, 3.5), (3.5, 7))
    blur: Range = (0, 0)
    leaf: Range = (3.5, 7)
    marker: float = 0.7
    marker_low: bool = False


@dataclass(frozen=True)
class CaseMix:
    """Who comes and with what. `times` multiplies the rates of findings.

    build: weights of slim, average and large; None: equal.
    portable: share of portable (antero-posterior) films, of intubated patients and of others.
    """

    times: dict[str, float] = field(default_factory=dict)
    women: float = 0.5
    ages: tuple[int, int] = (18, 95)
    build: tuple[float, float, float] | None = None
    portable: tuple[float, float] = (0.6, 0.4)


@dataclass(frozen=True)
class Hospital:
    """One site: its machines and its patients."""

    imaging: Imaging = Imaging()
    mix: CaseMix = CaseMix()


HOSPITALS: dict[str, Hospital] = {
    "": Hospital(),
    "north": Hospital(  # intensive care, digital detectors
        Imaging(
            gain=((1.0, 1.18), (0.86, 1.0)),
            gamma=(0.94, 1.04),
            noise=((0.8, 2.5), (2.5, 5)),
            blur=(0.0, 0.3),
            marker=0.95,
        ),
        CaseMix(times={"tube": 1.7, "line": 1.6, "edema": 1.3}, women=0.42, ages=(35, 95), portable=(0.85, 0.6)),
    ),
    "lake": Hospital(  # outpatients, storage-phosphor plates
        Imaging(
            gain=((0.86, 1.0), (0.74, 0.88)),
            gamma=(1.0, 1.14),
            noise=((2, 4.5), (4, 7)),
            blur=(0.3, 0.7),
            leaf=(5, 8),
            marker=0.1,
        ),
        CaseMix(
            times={"tube": 0.4, "line": 0.6, "pneumothorax": 0.8, "edema": 0.8},
            women=0.58,
            ages=(18, 85),
            build=(0.4, 0.4, 0.2),
            portable=(0.6, 0.12),
        ),
    ),
    "city": Hospital(  # emergency department
        Imaging(
            gain=((0.92, 1.12), (0.78, 0.94)),
            brightness=(-6, 18),
            gamma=(0.82, 0.94),
            noise=((1.5, 3.5), (3.5, 6)),
            blur=(0.0, 0.4),
            marker=0.6,
            marker_low=True,
        ),
        CaseMix(times={"pneumothorax": 1.5, "consolidation": 1.4, "cardiomegaly": 0.8}, women=0.45, ages=(18, 80)),
    ),
    "harbour": Hospital(  # heart failure clinic, old machines
        Imaging(
            gain=((0.72, 0.84), (0.62, 0.72)),
            brightness=(-20, -8),
            gamma=(1.14, 1.26),
            noise=((4.5, 6.5), (6.5, 8.5)),
            blur=(0.7, 1.0),
            leaf=(8, 10),
            marker=0.6,
            marker_low=True,
        ),
        CaseMix(
            times={"cardiomegaly": 1.5, "effusion": 1.4, "edema": 1.5, "pacemaker": 1.6},
            women=0.62,
            ages=(55, 95),
            build=(0.15, 0.35, 0.5),
            portable=(0.75, 0.5),
        ),
    ),
}


def site_at(sites: Sequence[str], index: int) -> str:
    """The site of the index-th study: sites take turns; "" where there are none."""
    return sites[index % len(sites)] if sites else ""
