"""Insertions: what does not belong to the process around it, with an exact mask. Lengths are in pixels."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from training.fields import FloatArray, log_uniform, positions, smooth, turn
from training.processes import choose_process

Insertion = Callable[[np.random.Generator, FloatArray, float], tuple[FloatArray, FloatArray]]
"""From a picture (size, size, 3) and the largest radius: what is seen in the place, likewise, and its opacity (size,
size)."""

FAINTEST_OPACITY = 0.25
WEAKEST_CHANGE = 0.012
"""Mean change of the colours within the mask below which an insertion is not worth finding."""


def insert(rng: np.random.Generator, picture: FloatArray, largest: float) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Put one random insertion into a picture; where it came out too faint, the mask is empty and nothing changes.

    Args:
        rng: draws all of it.
        picture: (size, size, 3).
        largest: radius of the widest areas in pixels, at most 0.4 of the size.
    """
    kind = KINDS[rng.choice(len(KINDS), p=KIND_SHARES)]
    seen, opacity = kind(rng, picture, min(largest, 0.4 * len(picture)))
    mask = opacity > FAINTEST_OPACITY
    changed = picture + np.where(mask, opacity, 0)[..., None] * (seen - picture)
    if not mask.any() or np.abs(changed - picture)[mask].mean() < WEAKEST_CHANGE:
        return picture, np.zeros_like(mask)
    return changed.astype(np.float32), mask


def region(rng: np.random.Generator, size: int, largest: float) -> FloatArray:
    """Opacity of a random compact shape: an ellipse with a wavering outline."""
    rows, columns = positions(size)
    row, column = rng.uniform(-0.46, 0.46, 2) * size
    across, along = turn(rows - row, columns - column, rng.uniform(0, math.pi))
    radius, stretch = log_uniform(rng, 2.5, largest), log_uniform(rng, 1, 3)
    waver = rng.uniform(0, 0.5) * smooth(rng, size, max(radius / 2, 2))(rng)
    far = np.hypot(across * math.sqrt(stretch), along / math.sqrt(stretch))
    return np.clip((radius * (1 + waver) - far) / rng.uniform(0.7, 3) + 0.5, 0, 1)


def foreign(rng: np.random.Generator, picture: FloatArray, largest: float) -> tuple[FloatArray, FloatArray]:
    """Another process shows."""
    size = picture.shape[0]
    return choose_process(rng, size)(rng), region(rng, size, largest)


def scratch(rng: np.random.Generator, picture: FloatArray, _largest: float) -> tuple[FloatArray, FloatArray]:
    """A thin curve, brighter or darker, or half and half."""
    size = picture.shape[0]
    rows, columns = positions(size)
    row, column = rng.uniform(-0.45, 0.45, 2) * size
    across, along = turn(rows - row, columns - column, rng.uniform(0, math.pi))
    length, width = log_uniform(rng, 6, 60), log_uniform(rng, 0.6, 2.5)
    bend, jag = rng.uniform(-1, 1) / 60, rng.choice([0, 1.5])
    wander = ndimage.gaussian_filter1d(rng.standard_normal(size + 8), 2)[: size + 8]
    course = across - bend * along**2 - jag * wander[np.clip(along + size / 2, 0, size + 7).astype(int)]
    opacity = np.clip(width - np.abs(course) + 0.5, 0, 1) * np.clip(length / 2 - np.abs(along) + 0.5, 0, 1)
    shift = rng.choice([-1, 1]) * log_uniform(rng, 0.08, 0.5)
    side = np.tanh(course) if rng.random() < 0.3 else 1.0
    return picture + (shift * side * np.ones_like(course))[..., None], opacity


def stain(rng: np.random.Generator, picture: FloatArray, largest: float) -> tuple[FloatArray, FloatArray]:
    """The texture shows through in another tone."""
    opacity = region(rng, picture.shape[0], largest)
    tint = 1 + rng.choice([-1, 1]) * log_uniform(rng, 0.1, 0.6) * (
        np.ones(3) if rng.random() < 0.5 else rng.uniform(0, 1.2, 3)
    )
    return picture * tint, opacity


def pits(rng: np.random.Generator, picture: FloatArray, _largest: float) -> tuple[FloatArray, FloatArray]:
    """One to four spots close together, bright or dark, some lit from one side."""
    size = picture.shape[0]
    rows, columns = positions(size)
    row, column = rng.uniform(-0.46, 0.46, 2) * size
    radius, lit = log_uniform(rng, 1.2, 6), rng.choice([0, 0.25]) * rng.choice([-1, 1])
    opacity, shade = np.zeros_like(rows), np.zeros_like(rows)
    shift = rng.choice([-1, -1, 1]) * log_uniform(rng, 0.1, 0.5)
    for _ in range(rng.integers(1, 5)):
        far = np.hypot(rows - row, columns - column)
        here = np.clip(radius - far + 0.5, 0, 1)
        shade = np.where(here > opacity, shift + lit * (rows - row + columns - column) / radius, shade)
        opacity = np.maximum(opacity, here)
        row, column = row + rng.normal(0, 2.5 * radius), column + rng.normal(0, 2.5 * radius)
    return np.clip(picture + shade[..., None], 0, 1), opacity


def smear(rng: np.random.Generator, picture: FloatArray, largest: float) -> tuple[FloatArray, FloatArray]:
    """The texture is wiped out, flattened or sharpened."""
    opacity = region(rng, picture.shape[0], largest)
    sigmas = rng.uniform(1.5, 6, 2) if rng.random() < 0.5 else (log_uniform(rng, 1.5, 10), 0.5)
    blurred = ndimage.gaussian_filter(picture, (*sigmas, 0), mode="nearest", truncate=2)
    return blurred + rng.choice([0, 0, -0.6, 1.0]) * (picture - blurred), opacity


def displaced(rng: np.random.Generator, picture: FloatArray, largest: float) -> tuple[FloatArray, FloatArray]:
    """The same texture turned by a quarter, mirrored or enlarged."""
    opacity = region(rng, picture.shape[0], largest)
    way = rng.integers(3)
    if way == 0:
        return np.rot90(picture).copy(), opacity
    if way == 1:
        return ndimage.zoom(picture, (2, 2, 1), order=1)[: len(picture), : len(picture)], opacity
    return 1.6 * picture.mean() - 0.6 * picture, opacity


KINDS: tuple[Insertion, ...] = (foreign, scratch, stain, pits, smear, displaced)
KIND_SHARES = (0.25, 0.25, 0.15, 0.2, 0.1, 0.05)
"""How often each kind is chosen."""
