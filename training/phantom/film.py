"""Draw a phantom chest radiograph at any resolution.

The film is described in units of 1/128 of its longer edge; every edge and line is soft at that scale, so a
film drawn at 128 px and one drawn at 2048 px and down-sampled show the same grey levels (up to fine grain).
Patient's right is at the image's left. Values: 0 (air, black) .. 255 (dense, white).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import cv2
import numpy as np

from training.phantom.findings import SIDES, Findings, Side
from training.phantom.sites import HOSPITALS, Imaging, Range

FILM_UNITS = 128
ASPECTS = (0.82, 1.0, 1.2)  # columns / rows: portrait, square, landscape detectors


@dataclass(frozen=True)
class Patient:
    """Who is on the film; `seed` fixes the anatomy over all films of the patient."""

    seed: int
    sex: Literal["F", "M"]
    age: int
    build: Literal["slim", "average", "large"]


@dataclass(frozen=True)
class Scene:
    """One exposure of one patient; `seed` fixes positioning, noise, contrast, collimation in the site's ranges."""

    patient: Patient
    findings: Findings
    view: Literal["PA", "AP"]
    exposure: Literal["fixed", "portable"]
    aspect: float
    seed: int
    site: str = ""


def _uniform(seed: int, name: str, low: float, high: float) -> float:
    """A draw that depends only on seed and name: adding a finding never moves another."""
    digest = hashlib.blake2b(f"{seed}:{name}".encode(), digest_size=7).digest()
    return low + (high - low) * int.from_bytes(digest, "big") / 2**56


def _soft(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(values, -30, 30)))


class _Canvas:
    """Coordinates (in film units) and grey levels of one film while it is drawn."""

    def __init__(self, scene: Scene, rows: int, cols: int) -> None:
        scale = max(rows, cols) / FILM_UNITS
        self.x = ((np.arange(cols, dtype=np.float32) + 0.5 - cols / 2) / scale)[None]
        self.y = ((np.arange(rows, dtype=np.float32) + 0.5 - rows / 2) / scale)[:, None]
        self.scene, self.rows, self.cols, self.scale = scene, rows, cols, scale
        who, shot = scene.patient.seed, scene.seed
        fit = (0.86 if scene.aspect > 1.1 else 1.0) * _uniform(who, "stature", 0.94, 1.05)
        self.fit = fit * (1.04 if scene.view == "AP" else 1.0)
        self.tx, ty = _uniform(shot, "shift x", -4, 4), _uniform(shot, "shift y", -3, 3)
        self.cy = -2 + ty
        self.hw, self.hh = 18 * self.fit, 38 * self.fit * (0.95 if scene.view == "AP" else 1.0)
        self.img: np.ndarray = np.full((rows, cols), 10, np.float32)

    def per_film(self, name: str, low: float, high: float) -> float:
        return _uniform(self.scene.seed, name, low, high)

    def per_patient(self, name: str, low: float, high: float, jitter: float = 0.15) -> float:
        """Mostly the patient's own value: a stable finding stays put between films."""
        own, shot = _uniform(self.scene.patient.seed, name, 0, 1), _uniform(self.scene.seed, name, 0, 1)
        return low + (high - low) * ((1 - jitter) * own + jitter * shot)

    def centre(self, side: Side) -> float:
        return self.tx + out(side) * 22 * self.fit

    def texture(self, name: str, cells: int) -> np.ndarray:
        rng = np.random.default_rng(int(_uniform(self.scene.seed, name, 0, 2**31)))
        grid = rng.standard_normal((cells, cells)).astype(np.float32)
        edge = max(self.rows, self.cols)
        field = cv2.resize(grid, (edge, edge), interpolation=cv2.INTER_LINEAR)
        top, left = (edge - self.rows) // 2, (edge - self.cols) // 2
        return field[top : top + self.rows, left : left + self.cols]

    def stroke(self, points: list[tuple[float, float]], sigma: float, level: float) -> None:
        """Add a soft line through `points` (x, y in film units)."""
        ink = np.zeros_like(self.img)
        for (x0, y0), (x1, y1) in pairwise(points):
            reach = 4 * sigma
            cols = slice(*np.searchsorted(self.x[0], (min(x0, x1) - reach, max(x0, x1) + reach)))
            rows = slice(*np.searchsorted(self.y[:, 0], (min(y0, y1) - reach, max(y0, y1) + reach)))
            dx, dy = self.x[:, cols] - x0, self.y[rows] - y0
            length2 = max((x1 - x0) ** 2 + (y1 - y0) ** 2, 1e-6)
            along = np.clip((dx * (x1 - x0) + dy * (y1 - y0)) / length2, 0, 1)
            dist2 = (dx - along * (x1 - x0)) ** 2 + (dy - along * (y1 - y0)) ** 2
            ink[rows, cols] = np.maximum(ink[rows, cols], np.exp(-dist2 / (2 * sigma * sigma)))
        self.img += level * ink

    def blob(self, x: float, y: float, rx: float, ry: float) -> np.ndarray:
        return np.exp(-(((self.x - x) / rx) ** 2)) * np.exp(-(((self.y - y) / ry) ** 2))


def out(side: Side) -> int:
    """+1 towards the image's right (patient's left), -1 towards the image's left."""
    return 1 if side == "left" else -1


def _dome(canvas: _Canvas, side: Side) -> np.ndarray:
    """Height of the hemidiaphragm along x; the right one stands higher."""
    base = canvas.cy + canvas.hh * 0.88 - (3 if side == "right" else 0)
    return base + 5 * ((canvas.x - canvas.centre(side)) / canvas.hw) ** 2


def _chest_wall(canvas: _Canvas) -> dict[Side, np.ndarray]:
    """Soft tissue, lungs, mediastinum; returns each lung field before the diaphragm cuts it."""
    build = {"slim": 50.0, "average": 55.0, "large": 61.0}[canvas.scene.patient.build] * canvas.fit
    neck = canvas.cy - 1.22 * canvas.hh
    width = 15 * canvas.fit + (build - 15 * canvas.fit) * _soft((canvas.y - neck) / 2.5)
    body = _soft((width - np.abs(canvas.x - canvas.tx)) * 0.9)
    canvas.img += body * (150 + {"slim": 4, "average": 12, "large": 20}[canvas.scene.patient.build])
    fields: dict[Side, np.ndarray] = {}
    for side in SIDES:
        across = ((canvas.x - canvas.centre(side)) / canvas.hw) ** 4
        fields[side] = np.exp(-across) * np.exp(-(((canvas.y - canvas.cy) / canvas.hh) ** 4))
        canvas.img -= 95 * fields[side] * _soft((_dome(canvas, side) - canvas.y) * 0.9)
    spine = np.exp(-(((canvas.x - canvas.tx) / (6.5 * canvas.fit)) ** 2))
    canvas.img += spine * (15 + 4 * np.cos(2 * np.pi * canvas.y / (7.5 * canvas.fit)))
    canvas.img -= 20 * np.exp(-(((canvas.x - canvas.tx) / 3.2) ** 2)) * _soft((canvas.cy - 12 - canvas.y) / 2)
    return fields


def _bones(canvas: _Canvas, fields: dict[Side, np.ndarray]) -> None:
    both = fields["right"] + fields["left"]
    spacing = 10.5 * canvas.fit
    offset = np.abs(canvas.x - canvas.tx)
    arc = canvas.y - 0.012 * (offset - 18) ** 2 + canvas.per_patient("rib phase", 0, spacing)
    canvas.img += canvas.per_film("rib level", 6, 11) * both * np.cos(2 * np.pi * arc / spacing)
    front = canvas.y + 0.5 * offset
    canvas.img += 3.5 * both * np.cos(2 * np.pi * front / (spacing * 1.3))
    for side in SIDES:
        inner = (canvas.tx + out(side) * 4, canvas.cy - 0.74 * canvas.hh)
        outer = (canvas.tx + out(side) * 42 * canvas.fit, canvas.cy - 0.98 * canvas.hh)
        canvas.stroke([inner, outer], 1.7, 20)


def _heart(canvas: _Canvas) -> None:
    enlarged = canvas.scene.findings.cardiomegaly
    width = canvas.per_patient("heart", 27.5, 32) if enlarged else canvas.per_patient("heart", 16, 20)
    centre_y = canvas.cy + 19 * canvas.fit
    reach = np.sqrt(
        ((canvas.x - canvas.tx - 4) / (width * canvas.fit)) ** 2 + ((canvas.y - centre_y) / (17 * canvas.fit)) ** 2
    )
    canvas.img += 72 * _soft((1 - reach) * 12)
    knob = 14 + 12 * (canvas.scene.patient.age > 60)
    canvas.img += knob * canvas.blob(canvas.tx + 6.5, canvas.cy - 11 * canvas.fit, 4, 5)
    for side in SIDES:
        canvas.img += 16 * canvas.blob(canvas.tx + out(side) * 10, canvas.cy + 1, 5, 7)


def _soft_parts(canvas: _Canvas) -> None:
    patient = canvas.scene.patient
    if patient.sex == "F":
        level = {"slim": 6, "average": 9, "large": 12}[patient.build]
        for side in SIDES:
            canvas.img += level * canvas.blob(canvas.centre(side) + out(side) * 6, canvas.cy + 0.62 * canvas.hh, 15, 11)
    bubble = canvas.per_film("stomach", 0, 1)
    if bubble > 0.4:
        canvas.img -= 38 * bubble * canvas.blob(canvas.centre("left"), canvas.cy + canvas.hh * 1.16, 8, 4)


def _effusion(canvas: _Canvas, side: Side, size: str, field: np.ndarray) -> None:
    low, high = {"small": (11, 14), "moderate": (20, 25), "large": (33, 41)}[size]
    height = canvas.per_patient(f"effusion {side} {size}", low, high) * canvas.fit
    lateral = np.clip((canvas.x - canvas.centre(side)) / canvas.hw * out(side), -1, 1.2)
    level = canvas.cy + canvas.hh * 0.9 - height - 5 * lateral
    mask = _soft((canvas.y - level) / 1.2) * np.sqrt(field)
    canvas.img += mask * (170 - canvas.img) * 0.9


def _pneumothorax(canvas: _Canvas, side: Side, size: str, field: np.ndarray) -> None:
    low, high = {"small": (0.46, 0.56), "large": (0.04, 0.18)}[size]
    bow = ((canvas.x - canvas.centre(side)) / canvas.hw) ** 2
    level = canvas.cy - canvas.hh * canvas.per_patient(f"pneumothorax {side} {size}", low, high) + 5 * bow
    mask = _soft((level - canvas.y) * 2) * field
    canvas.img += mask * (42 - canvas.img) * 0.75
    canvas.img += 55 * np.exp(-(((canvas.y - level) / 1.1) ** 2)) * _soft((field - 0.4) * 30)


_ZONE_HEIGHT = {"upper": (-0.6, -0.42), "mid": (-0.12, 0.12), "lower": (0.42, 0.58)}


def _consolidation(canvas: _Canvas, side: Side, zone: str) -> None:
    y = canvas.cy + canvas.hh * canvas.per_patient(f"consolidation y {side} {zone}", *_ZONE_HEIGHT[zone])
    x = canvas.centre(side) + out(side) * canvas.per_patient(f"consolidation x {side}", -3, 6)
    rx, ry = canvas.per_patient(f"rx {side}", 8, 11.5), canvas.per_patient(f"ry {side}", 7, 9.5)
    grain = 1 + 0.3 * np.clip(canvas.texture(f"air bronchogram {side}", 24), -1.5, 1.5)
    canvas.img += canvas.per_patient(f"density {side}", 64, 90) * canvas.blob(x, y, rx, ry) * grain


def _atelectasis(canvas: _Canvas, side: Side) -> None:
    x, y = canvas.centre(side) + out(side) * 3, canvas.cy + canvas.hh * canvas.per_patient(f"band {side}", 0.42, 0.56)
    half, tilt = 10 * canvas.fit, out(side) * canvas.per_patient(f"tilt {side}", 0.1, 0.4)
    canvas.stroke([(x - half, y - tilt * half), (x + half, y + tilt * half)], 1.5, canvas.per_film(f"b{side}", 60, 78))


def _edema(canvas: _Canvas, grade: str) -> None:
    level, rx, ry = {"mild": (30, 11, 17), "severe": (62, 14, 23)}[grade]
    for side in SIDES:
        cloud = canvas.blob(canvas.centre(side) - out(side) * 5, canvas.cy - 1, rx * canvas.fit, ry * canvas.fit)
        grain = 1 + 0.45 * np.clip(canvas.texture(f"alveoli {side}", 32), -1.5, 1.5)
        canvas.img += level * canvas.per_patient("edema", 0.9, 1.1) * cloud * grain


def _devices(canvas: _Canvas) -> None:
    chest, cy, hh = canvas.scene.findings, canvas.cy, canvas.hh
    if chest.tube:
        x, tip = canvas.tx + canvas.per_patient("tube x", -1.2, 1.2), cy - canvas.per_film("tip", 9, 15)
        canvas.stroke([(x, -70), (x, tip)], 0.95, 75)
    for side in SIDES:
        half, o = chest.side(side), out(side)
        if half.line:
            vessel = canvas.tx - 5.5
            canvas.stroke(
                [
                    (canvas.tx + o * 36, cy - 1.02 * hh),
                    (canvas.tx + o * 22, cy - 0.8 * hh),
                    (vessel + (o + 1) * 4, cy - 0.62 * hh),
                    (vessel, cy - 0.45 * hh),
                    (vessel, cy + canvas.per_film("line tip", -8, 2)),
                ],
                0.85,
                70,
            )
        if half.pacemaker:
            x, y = canvas.tx + o * 31 * canvas.fit, cy - 0.68 * hh
            edge = np.maximum(np.abs(canvas.x - x) / 5.2, np.abs(canvas.y - y) / 4.6)
            canvas.img += 105 * _soft((1 - edge) * 12)
            canvas.stroke(
                [
                    (x, y),
                    (canvas.tx + o * 14, cy - 0.6 * hh),
                    (canvas.tx - 4, cy - 8),
                    (canvas.tx - 2, cy + 16),
                    (canvas.tx + 14, cy + 25),
                ],
                0.8,
                62,
            )


def _marked(canvas: _Canvas, img: np.ndarray, imaging: Imaging) -> None:
    """The letter L on the patient's left, in place."""
    if canvas.per_film("marker", 0, 1) <= 1 - imaging.marker:
        return
    x, y = abs(float(canvas.x[0, 0])) - 9, -abs(float(canvas.y[0, 0])) + 9
    if imaging.marker_low:
        y = -y - 5
    upright = (np.abs(canvas.x - x) < 0.8) & (np.abs(canvas.y - y) < 3.5)
    foot = (np.abs(canvas.x - x - 1.6) < 2.4) & (np.abs(canvas.y - y - 2.9) < 0.8)
    img[upright | foot] = 250


def _collimated(canvas: _Canvas, img: np.ndarray, limit: float) -> np.ndarray:
    x_edge, y_edge = abs(float(canvas.x[0, 0])), abs(float(canvas.y[0, 0]))
    leaf = {name: max(canvas.per_film(f"leaf {name}", -3, limit), 0) for name in ("right", "left", "top", "bottom")}
    across = (canvas.x >= leaf["right"] - x_edge) & (canvas.x <= x_edge - leaf["left"])
    down = (canvas.y >= leaf["top"] - y_edge) & (canvas.y <= y_edge - leaf["bottom"])
    return np.where(across & down, img, 3)


def _drawn(canvas: _Canvas, name: str, limits: Range) -> float:
    return canvas.per_film(name, *limits)


def _acquisition(canvas: _Canvas) -> np.ndarray:
    """Plate, noise, contrast, marker and collimation of the site's two kinds of exposure."""
    imaging, portable = HOSPITALS[canvas.scene.site].imaging, canvas.scene.exposure == "portable"
    if imaging.blur[1]:
        sigma = _drawn(canvas, "blur", imaging.blur) * canvas.scale
        canvas.img = cv2.GaussianBlur(canvas.img, (0, 0), max(sigma, 0.05))
    canvas.img += canvas.texture("scatter", 9) * (7 if portable else 4)
    canvas.img += canvas.texture("noise", FILM_UNITS) * _drawn(canvas, "noise", imaging.noise[portable])
    gain = _drawn(canvas, "contrast", imaging.gain[portable])
    img = (canvas.img - 110) * gain + 110 + _drawn(canvas, "brightness", imaging.brightness)
    if imaging.gamma != (1, 1):
        img = 255 * (np.clip(img, 0, 255) / 255) ** _drawn(canvas, "gamma", imaging.gamma)
    _marked(canvas, img, imaging)
    return np.clip(_collimated(canvas, img, imaging.leaf[portable]), 0, 255)


def render(scene: Scene, edge: int) -> np.ndarray:
    """Grey levels 0..255 (float32) of the film, its longer edge `edge` px, columns/rows = scene.aspect."""
    rows = edge if scene.aspect <= 1 else round(edge / scene.aspect)
    cols = edge if scene.aspect >= 1 else round(edge * scene.aspect)
    canvas = _Canvas(scene, rows, cols)
    fields = _chest_wall(canvas)
    _bones(canvas, fields)
    _heart(canvas)
    _soft_parts(canvas)
    if scene.findings.edema:
        _edema(canvas, scene.findings.edema)
    for side in SIDES:
        half = scene.findings.side(side)
        if half.consolidation:
            _consolidation(canvas, side, half.consolidation)
        if half.atelectasis:
            _atelectasis(canvas, side)
        if half.effusion:
            _effusion(canvas, side, half.effusion, fields[side])
        if half.pneumothorax:
            _pneumothorax(canvas, side, half.pneumothorax, fields[side])
    _devices(canvas)
    return _acquisition(canvas).astype(np.float32)


def model_film(scene: Scene, size: int = FILM_UNITS) -> np.ndarray:
    """uint8 [size, size]: the film as the service's imaging shows it, aspect kept, black padding, centred."""
    film = np.rint(render(scene, size)).astype(np.uint8)
    square = np.zeros((size, size), np.uint8)
    top, left = (size - film.shape[0]) // 2, (size - film.shape[1]) // 2
    square[top : top + film.shape[0], left : left + film.shape[1]] = film
    return square
