"""Scenes: one process over the whole picture, or a part with an outline on a background; and the camera's whims."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from training.fields import FloatArray, log_uniform, positions, smooth, turn
from training.processes import Process, choose_process

Scene = Callable[[np.random.Generator], tuple[FloatArray, NDArray[np.int64]]]
"""Draws one clean picture: colours, float32 (size, size, 3), and which process each pixel is of, -1 on borders."""


def choose_scene(rng: np.random.Generator, size: int) -> Scene:
    """A random scene: a bare surface, or one or two outlines with another process on either side."""
    scene = bare(choose_process(rng, size), size)
    for region in range(1, 1 + rng.choice([0, 1, 2], p=[0.45, 0.4, 0.15])):
        scene = outline(rng, size, scene, region)
    return scene


def bare(process: Process, size: int) -> Scene:
    """One process all over the picture."""
    return lambda sample: (process(sample), np.zeros((size, size), dtype=np.int64))


def outline(rng: np.random.Generator, size: int, ground: Scene, region: int) -> Scene:
    """A shape of another process on a ground, its border lit or shaded, lying slightly differently each time."""
    surface = choose_process(rng, size)
    rows, columns = positions(size)
    shape = ("edge", "strip", "disc", "ring", "plate")[rng.integers(5)]
    angle = rng.choice([0, math.pi / 2, rng.uniform(0, math.pi)])
    place = rng.uniform(-0.3, 0.3, 2) * size
    half, long = rng.uniform(0.1, 0.4) * size, rng.uniform(0.2, 0.6) * size
    bevel = rng.uniform(-0.3, 0.3, 3) * (rng.random() < 0.6) + rng.uniform(-0.25, 0.25)
    width, soft = log_uniform(rng, 0.8, 5), log_uniform(rng, 0.6, 4)
    shift, tilt = rng.uniform(0, 0.05) * size, rng.uniform(0, 0.08)

    def draw(sample: np.random.Generator) -> tuple[FloatArray, NDArray[np.int64]]:
        row, column = place + sample.uniform(-shift, shift, 2)
        across, along = turn(rows - row, columns - column, angle + sample.uniform(-tilt, tilt))
        depth = inside(shape, across, along, half, long)
        opacity = np.clip(depth / soft + 0.5, 0, 1)[..., None]
        border = np.exp(-((depth / width) ** 2))[..., None] * bevel.astype(np.float32)
        below, regions = ground(sample)
        regions = np.where(depth > 0, region, regions)
        regions[np.abs(depth) < 2 * width + soft] = -1
        return below * (1 - opacity) + surface(sample) * opacity + border, regions

    return draw


def inside(shape: str, across: FloatArray, along: FloatArray, half: float, long: float) -> FloatArray:
    """Distance inwards from a shape's border in pixels, negative outside."""
    if shape == "edge":
        return across
    if shape == "strip":
        return half - np.abs(across)
    if shape == "disc":
        return long - np.hypot(across, along)
    if shape == "ring":
        return half / 2 - np.abs(np.hypot(across, along) - long)
    return np.minimum(half - np.abs(across), long - np.abs(along))


def choose_camera(rng: np.random.Generator) -> dict[str, float]:
    """How much the pictures of one lot differ in ways that say nothing of the part."""
    return {
        "exposure": rng.uniform(0, 0.25),
        "contrast": rng.uniform(0, 0.25),
        "slope": rng.uniform(0, 0.25),
        "mottle": rng.uniform(0, 0.08),
        "balance": rng.uniform(0, 0.04),
        "blur": rng.uniform(0, 0.9),
        "noise": rng.uniform(0, 0.025),
    }


def photograph(rng: np.random.Generator, picture: FloatArray, camera: dict[str, float]) -> FloatArray:
    """The picture under light, focus and noise of its own, float32 in [0, 1] in steps of 1/255."""
    size = picture.shape[0]
    rows, columns = positions(size)
    across, _ = turn(rows, columns, rng.uniform(0, 2 * math.pi))
    light = 1 + rng.uniform(0, camera["slope"]) * across / size
    light = light + camera["mottle"] * rng.random() * smooth(rng, size, size / 6)(rng)
    gain = 1 + rng.uniform(-1, 1) * camera["exposure"] + rng.uniform(-1, 1, 3) * camera["balance"]
    mean = picture.mean()
    picture = mean + (picture - mean) * (1 + rng.uniform(-1, 1) * camera["contrast"])
    sigma = rng.uniform(0, camera["blur"])
    if sigma > 0.3:
        picture = ndimage.gaussian_filter(picture, (sigma, sigma, 0), mode="nearest", truncate=3)
    picture = picture * light[..., None] * gain
    picture = picture + rng.uniform(0, camera["noise"]) * rng.standard_normal(picture.shape, dtype=np.float32)
    return (np.rint(np.clip(picture, 0, 1) * 255) / 255).astype(np.float32)
