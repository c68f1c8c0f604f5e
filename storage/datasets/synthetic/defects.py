"""Planted defects: each is drawn over a clean part and says exactly which pixels it changed.

Lengths are in units of 1/256 of the picture's side, so a defect keeps its relative size at every picture size.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

FloatArray = NDArray[np.float64]

FAINTEST_OPACITY = 0.2
"""Below this a defect's soft border is cut off, so that nothing outside the mask is touched."""


@dataclass(frozen=True)
class Scene:
    """A clean part before lighting, and what a defect needs to know of it."""

    picture: FloatArray
    """Colours in [0, 1], (H, W, 3)."""
    background: FloatArray
    """What would be seen without the part, (H, W, 3)."""
    depth: FloatArray
    """Distance inwards from the part's outline in units, negative outside, (H, W)."""
    rows: FloatArray
    """Vertical position of every pixel in units, (H, W)."""
    columns: FloatArray
    """Horizontal position of every pixel in units, (H, W)."""
    place: tuple[float, float] | None = None
    """Row and column in units at which a defect is to lie, or as near as its kind allows; drawn unless given."""


Defect = Callable[[np.random.Generator, Scene], tuple[FloatArray, FloatArray]]
"""Draws one defect: (colours (H, W, 3), opacity (H, W) in [0, 1])."""


def plant(rng: np.random.Generator, scene: Scene, kind: str) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Draw one defect of the named kind over a clean part.

    Outside the returned mask the picture is untouched, to the last bit.

    Args:
        rng: decides place, size, course and strength.
        kind: one of `KINDS`.

    Returns:
        The picture with the defect, float64 (H, W, 3), and its mask, bool (H, W), never empty.
    """
    colours, opacity = KINDS[kind](rng, scene)
    mask = opacity > FAINTEST_OPACITY
    blended = scene.picture + opacity[..., None] * (colours - scene.picture)
    return np.where(mask[..., None], blended, scene.picture), mask


def draw_scratch(rng: np.random.Generator, scene: Scene) -> tuple[FloatArray, FloatArray]:
    """A nearly straight groove across the surface: a bright burr beside a dark furrow."""
    row, column = place_on(rng, scene, margin=16)
    distance, side = distance_to_curve(
        scene, *wander(rng, row, column, length=rng.uniform(34, 80), turn=0.008), both_sides=True
    )
    width = rng.uniform(1.3, 2.2)
    opacity = soften(width - distance, 0.8) * soften(scene.depth - 1, 1.0)
    shift = np.where(side > 0, 1.0, -0.8) * rng.uniform(0.24, 0.36)
    return np.clip(scene.picture + shift[..., None], 0.03, 0.97), opacity


def draw_stain(rng: np.random.Generator, scene: Scene) -> tuple[FloatArray, FloatArray]:
    """A discolouration with a wavering outline through which the surface still shows."""
    row, column = place_on(rng, scene, margin=18)
    radius = rng.uniform(9, 20)
    outline = radius * (1 + 0.5 * cloud(rng, scene, 0.45 * radius))
    stretch = rng.uniform(0.7, 1.4)
    distance = np.hypot((scene.rows - row) * stretch, (scene.columns - column) / stretch)
    opacity = soften(outline - distance, 0.2 * radius) * soften(scene.depth - 1, 1.0)
    tints = ((0.80, 0.62, 0.44), (0.60, 0.60, 0.64), (0.62, 0.74, 0.66))
    tint = np.array(tints[rng.integers(len(tints))])
    return scene.picture * (1 - rng.uniform(0.75, 1.0) * (1 - tint)), opacity


def draw_pit(rng: np.random.Generator, scene: Scene) -> tuple[FloatArray, FloatArray]:
    """One to three holes close together: dark inside, with the light caught on one side of the rim."""
    row, column = place_on(rng, scene, margin=14)
    colours, opacity = scene.picture.copy(), np.zeros_like(scene.depth)
    for _ in range(rng.integers(1, 4)):
        down, right = scene.rows - row, scene.columns - column
        radius = rng.uniform(3.0, 5.5)
        distance = np.hypot(down, right)
        lit = np.clip((down + right) / (1.4 * radius), -1, 1) * soften(distance - 0.55 * radius, 1.0)
        shade = 0.45 + 0.75 * np.clip(lit, 0, 1)
        here = soften(radius - distance, 1.0)
        colours = np.where((here > opacity)[..., None], scene.picture * shade[..., None], colours)
        opacity = np.maximum(opacity, here)
        row, column = row + rng.uniform(-11, 11), column + rng.uniform(-11, 11)
    return np.clip(colours, 0, 0.97), opacity


def draw_chip(rng: np.random.Generator, scene: Scene) -> tuple[FloatArray, FloatArray]:
    """Material missing at the edge: the background shows, bordered by a rough face of fracture."""
    row, column = choose(rng, scene, np.abs(scene.depth) < 1.5)
    radius = rng.uniform(10, 17)
    distance = np.hypot(scene.rows - row, scene.columns - column)
    distance += 0.15 * radius * cloud(rng, scene, 0.35 * radius) + 0.5 * cloud(rng, scene, 1.2)
    opacity = soften(radius - distance, 0.8) * soften(scene.depth, 0.8)
    face = soften(distance - radius + 3.5, 0.8)[..., None]
    grain = 0.12 * cloud(rng, scene, 1.0)[..., None]
    fracture = np.clip(scene.picture * rng.uniform(0.55, 0.75) + grain, 0, 1)
    return scene.background * (1 - face) + fracture * face, opacity


def draw_fibre(rng: np.random.Generator, scene: Scene) -> tuple[FloatArray, FloatArray]:
    """A foreign thread lying curled on the part."""
    row, column = place_on(rng, scene, margin=20)
    distance, _ = distance_to_curve(scene, *wander(rng, row, column, length=rng.uniform(50, 95), turn=0.06))
    width = rng.uniform(1.2, 1.9)
    threads = ((0.15, 0.18, 0.32), (0.42, 0.20, 0.16), (0.86, 0.84, 0.76), (0.12, 0.12, 0.12))
    thread = np.array(threads[rng.integers(len(threads))])
    rounded = 1 - 0.35 * np.clip(distance / width, 0, 1)
    return thread * rounded[..., None], soften(width - distance, 0.8)


KINDS: dict[str, Defect] = {
    "scratch": draw_scratch,
    "stain": draw_stain,
    "pit": draw_pit,
    "chip": draw_chip,
    "fibre": draw_fibre,
}


def soften(signed_distance: FloatArray, border: float) -> FloatArray:
    """Opacity of a shape from the distance inside its outline: 0 outside, 1 inside, a ramp of `border` units."""
    return np.clip(signed_distance / border + 0.5, 0, 1)


def cloud(rng: np.random.Generator, scene: Scene, grain: float) -> FloatArray:
    """Smooth noise (H, W) of mean about 0 and deviation 1, with features about `grain` units across."""
    size = scene.depth.shape[0]
    noise = ndimage.gaussian_filter(rng.standard_normal(scene.depth.shape), grain * size / 256, mode="wrap")
    return noise / noise.std()


def choose(rng: np.random.Generator, scene: Scene, allowed: NDArray[np.bool_]) -> tuple[float, float]:
    """Position (row, column) in units of one of the allowed pixels: drawn evenly, or the nearest to a given place."""
    if scene.place is None:
        index = rng.choice(np.flatnonzero(allowed))
    else:
        distance = np.hypot(scene.rows - scene.place[0], scene.columns - scene.place[1])
        index = np.where(allowed, distance, np.inf).argmin()
    return float(scene.rows.flat[index]), float(scene.columns.flat[index])


def place_on(rng: np.random.Generator, scene: Scene, margin: float) -> tuple[float, float]:
    """A position on the part at least `margin` units from its outline."""
    return choose(rng, scene, scene.depth > margin)


def wander(
    rng: np.random.Generator, row: float, column: float, *, length: float, turn: float
) -> tuple[FloatArray, FloatArray]:
    """Rows and columns of a curve of the given length through a point, one point per unit.

    The direction drifts smoothly; `turn` is the typical change of the curvature, in radians per unit.
    """
    count = int(length)
    curvature = turn * ndimage.gaussian_filter1d(rng.standard_normal(count), 8) * np.sqrt(8 * 2 * np.sqrt(np.pi))
    heading = rng.uniform(0, 2 * np.pi) + np.cumsum(curvature)
    rows, columns = np.cumsum(np.sin(heading)), np.cumsum(np.cos(heading))
    return rows - rows[count // 2] + row, columns - columns[count // 2] + column


def distance_to_curve(
    scene: Scene, curve_rows: FloatArray, curve_columns: FloatArray, both_sides: bool = False
) -> tuple[FloatArray, FloatArray]:
    """Distance of every pixel to a curve, in units, and on which side of the curve the pixel lies (-1, 0 or 1)."""
    nearest = np.full(scene.depth.shape, np.inf)
    side = np.zeros(scene.depth.shape)
    for index in range(len(curve_rows) - 1):
        along_row = curve_rows[index + 1] - curve_rows[index]
        along_column = curve_columns[index + 1] - curve_columns[index]
        down, right = scene.rows - curve_rows[index], scene.columns - curve_columns[index]
        step = np.clip(down * along_row + right * along_column, 0, 1)
        distance = np.hypot(down - step * along_row, right - step * along_column)
        closer = distance < nearest
        nearest = np.where(closer, distance, nearest)
        if both_sides:
            side = np.where(closer, np.sign(down * along_column - right * along_row), side)
    return nearest, side
