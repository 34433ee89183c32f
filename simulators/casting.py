"""What the camera sees of a casting: a height map under a lamp, drawn by the numbers. Pure and seeded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import cos, pi, sin, tau

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

SIZE = 224  # pixels, square
RADIUS = 86.0  # of the part, pixels at scale 1

Field = NDArray[np.float32]
ROWS, COLUMNS = (axis.astype(np.float32) for axis in np.mgrid[0:SIZE, 0:SIZE])


@dataclass(frozen=True, slots=True)
class Casting:
    """A picture (uint8, SIZE x SIZE) and where its defect is (bool, all False on a sound part)."""

    image: NDArray[np.uint8]
    mask: NDArray[np.bool_]

    @property
    def box(self) -> tuple[int, int, int, int] | None:
        """Left, top, right, bottom of the defect in pixels, the last two exclusive."""
        rows, columns = np.flatnonzero(self.mask.any(axis=1)), np.flatnonzero(self.mask.any(axis=0))
        if not rows.size:
            return None
        return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


@dataclass(slots=True)
class _Surface:
    """A part under construction, in its own polar coordinates: height in pixels, reflectance, extent 0..1."""

    radius: Field
    angle: Field
    x: Field
    y: Field
    height: Field
    albedo: Field
    extent: Field
    mask: NDArray[np.bool_]


def draw(rng: np.random.Generator, defect: str | None, ribs: int = 6) -> Casting:
    """A picture of one part with the given defect, or sound. Equal generators give equal pictures."""
    surface = _sound(rng, ribs)
    while defect is not None and not surface.mask.any():  # a first try may fall beside the part
        PAINTERS[defect](surface, rng)
    light = _light(surface, rng)
    return Casting(_expose(light, rng), surface.mask)


def _sound(rng: np.random.Generator, ribs: int) -> _Surface:
    turn, scale = rng.uniform(0.0, tau), rng.uniform(0.97, 1.03)
    shift_x, shift_y = rng.normal(0.0, 2.5, 2)
    dx = (COLUMNS - np.float32(SIZE / 2 + shift_x)) / np.float32(scale)
    dy = (ROWS - np.float32(SIZE / 2 + shift_y)) / np.float32(scale)
    x = np.float32(cos(turn)) * dx + np.float32(sin(turn)) * dy
    y = np.float32(cos(turn)) * dy - np.float32(sin(turn)) * dx
    radius, angle = np.hypot(x, y), np.arctan2(y, x)
    height = 6.0 * _ring(radius, RADIUS - 7.0, 6.0) + 9.0 * _disc(radius, 25.0, 3.0) - 14.0 * _disc(radius, 9.0, 1.6)
    height = height + 5.0 * _spokes(radius, angle, ribs) + 2.0 * _ring(radius, 50.0, 1.6)
    albedo = 1.0 - 0.62 * _disc(radius, 8.5, 1.4)
    for hole in range(ribs):
        middle = (hole + 0.5) * tau / ribs
        away = np.hypot(x - np.float32(64.0 * cos(middle)), y - np.float32(64.0 * sin(middle)))
        if hole % 2:  # an ejector pin's shallow mark
            height = height - 0.9 * _disc(away, 4.2, 0.7)
        else:  # a bolt hole in its boss
            height = height + 4.0 * _disc(away, 9.5, 2.0) - 9.0 * _disc(away, 4.6, 1.0)
            albedo = albedo - 0.6 * _disc(away, 4.4, 0.9)
    height = height + 0.42 * _mottle(rng, 9) + 0.10 * _mottle(rng, 3) + 0.05 * _mottle(rng, 2)
    turned = _disc(radius, 24.0, 1.5) * (1.0 - _disc(radius, 10.0, 1.5))
    albedo = albedo + turned * (0.12 + 0.05 * np.sin(radius * np.float32(rng.uniform(2.2, 2.8))))
    streak = np.interp(angle, np.linspace(-pi, pi, 91), rng.normal(0.0, 0.03, 91))
    albedo = albedo + streak * _smooth_step(radius, 24.0, 60.0) + 0.045 * _mottle(rng, 16) + 0.02 * _mottle(rng, 4)
    extent = _disc(radius, RADIUS, 0.9)
    blank = np.zeros((SIZE, SIZE), np.bool_)
    return _Surface(radius, angle, x, y, height.astype(np.float32), albedo.astype(np.float32), extent, blank)


def _blowhole(surface: _Surface, rng: np.random.Generator) -> None:
    """Gas pores: a cluster of pits, dark with a bright far edge."""
    turn, away = rng.uniform(0.0, tau), rng.uniform(29.0, RADIUS - 8.0)
    for _ in range(int(rng.integers(1, 5))):
        centre_x, centre_y = away * cos(turn) + rng.normal(0.0, 7.0), away * sin(turn) + rng.normal(0.0, 7.0)
        size = float(np.clip(rng.gamma(3.2, 0.75), 1.3, 5.5))
        stretch = rng.uniform(0.75, 1.3)
        distance = np.hypot((surface.x - np.float32(centre_x)) * np.float32(stretch), surface.y - np.float32(centre_y))
        pit = _disc(distance, size, 0.8)
        surface.height -= 1.9 * np.float32(size) * pit
        surface.albedo -= np.float32(rng.uniform(0.25, 0.45)) * pit
        surface.mask |= (pit > 0.3) & (surface.extent > 0.5)


def _crack(surface: _Surface, rng: np.random.Generator) -> None:
    """A hot tear: a thin jagged line that starts where a wall meets the hub or the rim."""
    steps = int(rng.integers(7, 20))
    turn, away = rng.uniform(0.0, tau), rng.choice((27.0, RADIUS - 15.0)) + rng.uniform(-2.0, 2.0)
    heading = turn + rng.choice((0.5 * pi, -0.5 * pi, pi if away > 50.0 else 0.0)) + rng.normal(0.0, 0.3)
    point = [away * cos(turn), away * sin(turn)]
    path = [tuple(point)]
    for _ in range(steps):
        bend = heading + rng.normal(0.0, 0.55)
        point = [point[0] + 3.4 * cos(bend), point[1] + 3.4 * sin(bend)]
        path.append(tuple(point))
    line = _stroke(surface, path, float(rng.uniform(0.9, 2.1)))
    surface.height -= 2.4 * line
    surface.albedo -= np.float32(rng.uniform(0.28, 0.55)) * line
    surface.mask |= (line > 0.25) & (surface.extent > 0.5)


def _flash(surface: _Surface, rng: np.random.Generator) -> None:
    """A thin ragged fin squeezed out of the parting line."""
    middle, half = rng.uniform(-pi, pi), rng.uniform(0.18, 0.65)
    off = np.abs((surface.angle - np.float32(middle) + pi) % tau - pi)
    ragged = np.interp(surface.angle, np.linspace(-pi, pi, 160), rng.uniform(0.45, 1.0, 160))
    reach = rng.uniform(3.5, 10.5) * ragged * np.clip(1.0 - (off / half) ** 2, 0.0, 1.0)
    outside = surface.radius - RADIUS
    fin = np.clip(reach - outside + 0.5, 0.0, 1.0) * (outside > -0.8) * (reach > 0.4)
    fin = fin.astype(np.float32)
    surface.albedo += fin * np.float32(rng.uniform(-0.05, 0.18))
    surface.height = np.where(fin > surface.extent, np.float32(-1.5), surface.height)
    surface.mask |= (fin > 0.4) & (surface.extent < 0.6)
    surface.extent = np.maximum(surface.extent, fin)


def _misrun(surface: _Surface, rng: np.random.Generator) -> None:
    """Metal froze before it met: a bite out of the rim with a rounded lip, or a cold shut between two fronts."""
    turn = rng.uniform(0.0, tau)
    if rng.random() < 0.65:
        size, away = rng.uniform(6.0, 19.0), RADIUS + rng.uniform(-3.0, 5.0)
        distance = np.hypot(surface.x - np.float32(away * cos(turn)), surface.y - np.float32(away * sin(turn)))
        distance = distance + 2.2 * _mottle(rng, 6)
        surface.mask |= (distance < size) & (surface.radius < RADIUS + 0.5)
        surface.height -= 4.0 * np.exp(-np.clip(distance - np.float32(size), 0.0, None) / 3.0)
        surface.extent = surface.extent * (1.0 - _disc(distance, size, 0.9))
    else:
        along = np.linspace(RADIUS - 9.0, rng.uniform(30.0, 55.0), 14)
        bow = turn + np.cumsum(rng.normal(0.0, 0.03, 14)) + rng.uniform(-0.25, 0.25) * np.linspace(0.0, 1.0, 14) ** 2
        path = [(a * cos(t), a * sin(t)) for a, t in zip(along, bow, strict=True)]
        seam = _stroke(surface, path, float(rng.uniform(3.0, 5.0)))
        surface.height -= 2.0 * seam
        surface.albedo -= 0.10 * seam
        surface.mask |= (seam > 0.25) & (surface.extent > 0.5)


PAINTERS: dict[str, Callable[[_Surface, np.random.Generator], None]] = {
    "blowhole": _blowhole,
    "crack": _crack,
    "flash": _flash,
    "misrun": _misrun,
}


def _light(surface: _Surface, rng: np.random.Generator) -> Field:
    """Radiance 0..1 of part and table under one lamp, with a soft shadow and fall-off over the field."""
    azimuth, elevation = rng.uniform(0.0, tau), rng.uniform(0.75, 1.1)
    slope_y, slope_x = np.gradient(surface.height * surface.extent + 3.0 * surface.extent)
    norm = 1.0 / np.sqrt(1.0 + slope_x**2 + slope_y**2)
    lamp = (cos(azimuth) * cos(elevation), sin(azimuth) * cos(elevation), sin(elevation))
    facing = np.clip((lamp[2] - lamp[0] * slope_x - lamp[1] * slope_y) * norm, 0.0, 1.0)
    gloss = facing**10
    hollow = np.clip(_coarse(surface.height, 8) - surface.height, 0.0, 6.0) * 0.022
    part = surface.albedo * (0.14 + 0.46 * facing + 0.26 * gloss - hollow)
    table = 0.115 + 0.02 * _mottle(rng, 3) + 0.012 * _mottle(rng, 28)
    shadow = _coarse(np.roll(surface.extent, (-round(5 * lamp[1]), -round(5 * lamp[0])), (0, 1)), 8)
    scene = surface.extent * part + (1.0 - surface.extent) * table * (1.0 - 0.6 * shadow)
    across = ((COLUMNS - SIZE / 2) * cos(azimuth) + (ROWS - SIZE / 2) * sin(azimuth)) / SIZE
    spot = (COLUMNS - SIZE / 2) ** 2 + (ROWS - SIZE / 2) ** 2
    fall_off = 1.0 + rng.uniform(0.05, 0.35) * across - rng.uniform(0.05, 0.2) * spot / (SIZE / 2) ** 2
    return np.asarray(scene * fall_off, np.float32)


def _expose(light: Field, rng: np.random.Generator) -> NDArray[np.uint8]:
    """The sensor: exposure, a little defocus, shot and read noise, eight bits."""
    grey = np.clip(light * 255.0 * rng.uniform(0.88, 1.14), 0.0, 255.0)
    lens = Image.fromarray(grey.astype(np.uint8)).filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 0.7)))
    blurred = np.asarray(lens, np.float32)
    noise = rng.standard_normal((SIZE, SIZE), np.float32) * (1.0 + 0.11 * np.sqrt(blurred))
    return np.clip(np.rint(blurred + noise), 0.0, 255.0).astype(np.uint8)


def _disc(distance: Field, size: float, soft: float) -> Field:
    """1 within size, 0 beyond, a slope of about twice soft between."""
    share: Field = np.clip((np.float32(size) - distance) / np.float32(2.0 * soft) + np.float32(0.5), 0.0, 1.0)
    return share


def _ring(radius: Field, middle: float, half: float) -> Field:
    return _disc(np.abs(radius - np.float32(middle)), half, 1.6)


def _spokes(radius: Field, angle: Field, count: int) -> Field:
    off = (angle * np.float32(count / tau)) % 1.0
    off = np.minimum(off, 1.0 - off) * np.float32(tau / count)
    bar: Field = _disc(radius * np.sin(off), 3.6, 1.5)
    return np.asarray(
        bar * _smooth_step(radius, 18.0, 24.0) * (1.0 - _smooth_step(radius, RADIUS - 14.0, RADIUS - 8.0))
    )


def _smooth_step(value: Field, low: float, high: float) -> Field:
    share = np.clip((value - np.float32(low)) / np.float32(high - low), 0.0, 1.0)
    return np.asarray(share * share * (3.0 - 2.0 * share))


def _mottle(rng: np.random.Generator, grain: int) -> Field:
    """Smooth noise of unit spread whose spots are about `grain` pixels wide."""
    cells = SIZE // grain + 2
    seedling = Image.fromarray(rng.standard_normal((cells, cells), np.float32) * np.float32(1.4))
    return np.asarray(seedling.resize((SIZE, SIZE), Image.Resampling.BICUBIC))


def _coarse(field: Field, factor: int) -> Field:
    small = Image.fromarray(field).reduce(factor)
    return np.asarray(small.resize((SIZE, SIZE), Image.Resampling.BICUBIC))


def _stroke(surface: _Surface, path: Sequence[tuple[float, ...]], width: float) -> Field:
    """A line along a path of part coordinates, 0..1, smooth at its edges."""
    cells = np.argmin([np.hypot(surface.x - np.float32(x), surface.y - np.float32(y)).ravel() for x, y in path], axis=1)
    fine = 4
    points = [((cell % SIZE + 0.5) * fine, (cell // SIZE + 0.5) * fine) for cell in cells.tolist()]
    sheet = Image.new("L", (SIZE * fine, SIZE * fine))
    ImageDraw.Draw(sheet).line(points, fill=255, width=max(1, round(width * fine)), joint="curve")
    return np.asarray(sheet.reduce(fine), np.float32) / np.float32(255.0)
