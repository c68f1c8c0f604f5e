"""Random scalar fields: each factory fixes the law of a texture, and what it returns draws one sample of that law.

A field is float32 (size, size), of mean about 0 and deviation about 1. Lengths are in pixels.
"""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

FloatArray = NDArray[np.float32]
Field = Callable[[np.random.Generator], FloatArray]
"""Draws one sample: (size, size)."""


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """A number whose logarithm is evenly spread between those of the limits."""
    return float(math.exp(rng.uniform(math.log(low), math.log(high))))


def positions(size: int) -> tuple[FloatArray, FloatArray]:
    """Rows and columns of all pixels, from the centre."""
    axis = np.arange(size, dtype=np.float32) - (size - 1) / 2
    rows, columns = np.meshgrid(axis, axis, indexing="ij")
    return rows, columns


def turn(rows: FloatArray, columns: FloatArray, angle: float) -> tuple[FloatArray, FloatArray]:
    """Coordinates across and along a direction."""
    cos, sin = math.cos(angle), math.sin(angle)
    return rows * cos - columns * sin, rows * sin + columns * cos


def standardise(field: NDArray[np.floating]) -> FloatArray:
    """Mean 0 and deviation 1; a constant field becomes 0."""
    return ((field - field.mean()) / (field.std() + 1e-6)).astype(np.float32)


def spectral(rng: np.random.Generator, size: int) -> Field:
    """Gaussian noise of a power-law or band-pass spectrum, often drawn out along one direction, with a tone curve."""
    amplitude = spectrum(rng, size)
    if rng.random() < 0.3:
        amplitude = amplitude + rng.uniform(0.3, 1.0) * spectrum(rng, size)
    curve = ("plain", "plain", "ridged", "clipped", "sparse")[rng.integers(5)]
    threshold = rng.uniform(0.0, 1.5)

    def draw(sample: np.random.Generator) -> FloatArray:
        white = np.fft.rfft2(sample.standard_normal((size, size), dtype=np.float32))
        noise = standardise(np.fft.irfft2(white * amplitude, s=(size, size)))
        if curve == "ridged":
            return standardise(np.abs(noise))
        if curve == "clipped":
            return np.tanh(3 * (noise - threshold + 0.75)).astype(np.float32)
        if curve == "sparse":
            return 1.5 * np.maximum(noise - threshold, 0)
        return noise

    return draw


def spectrum(rng: np.random.Generator, size: int) -> FloatArray:
    """Amplitudes over the frequencies of `rfft2`, of mean square 1."""
    down, right = np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None]
    across, along = turn(down, right, rng.uniform(0, math.pi))
    stretch = log_uniform(rng, 1, 12) if rng.random() < 0.6 else 1.0
    radius = np.hypot(across, along * stretch) + 1e-6
    if rng.random() < 0.5:
        knee = 1 / log_uniform(rng, 8, 200)
        amplitude = (radius**2 + knee**2) ** (-rng.uniform(0.3, 2.2) / 2)
        if rng.random() < 0.5:
            amplitude = amplitude * np.exp(-((radius * log_uniform(rng, 0.7, 5)) ** 2))
    else:
        centre = 1 / log_uniform(rng, 2.5, 28)
        amplitude = np.exp(-(np.log(radius / centre) ** 2) / (2 * rng.uniform(0.1, 0.8) ** 2))
    amplitude[0, 0] = 0
    return (amplitude / np.sqrt((amplitude**2).mean() + 1e-12)).astype(np.float32)


def strewn(rng: np.random.Generator, size: int) -> Field:
    """Grains strewn at random: spots, rings, dashes or crescents, of one direction or several."""
    rows, columns = positions(size)
    turns = 1 if rng.random() < 0.5 else int(rng.integers(3, 7))
    first, spread = rng.uniform(0, math.pi), rng.choice([0.1, 0.5, math.pi])
    shape = ("spot", "ring", "dash", "dash", "crescent")[rng.integers(5)]
    radius = log_uniform(rng, 0.8, 5)
    length = radius * log_uniform(rng, 3, 16) if shape == "dash" else radius * rng.uniform(1, 2)
    kernels = [
        np.fft.rfft2(np.fft.ifftshift(grain(rows, columns, shape, first + spread * k / turns, radius, length)))
        for k in range(turns)
    ]
    count = rng.uniform(0.02, 0.5) * size * size / (2 * radius * length + 4) + 1
    signed, vary = rng.random() < 0.4, rng.random() < 0.5

    def draw(sample: np.random.Generator) -> FloatArray:
        total = np.zeros(kernels[0].shape, dtype=np.complex64)
        for kernel in kernels:
            points = np.zeros((size, size), dtype=np.float32)
            where = sample.integers(0, size, (2, sample.poisson(count / turns)))
            heights = sample.choice([-1.0, 1.0], where.shape[1]) if signed else np.ones(where.shape[1])
            if vary:
                heights = heights * sample.uniform(0.3, 1.5, where.shape[1])
            np.add.at(points, (where[0], where[1]), heights.astype(np.float32))
            total = total + np.fft.rfft2(points) * kernel
        return standardise(np.fft.irfft2(total, s=(size, size)))

    return draw


def grain(rows: FloatArray, columns: FloatArray, shape: str, angle: float, radius: float, length: float) -> FloatArray:
    """One grain in the middle of the picture, of height 1."""
    across, along = turn(rows, columns, angle)
    if shape == "ring":
        return np.exp(-(((np.hypot(across, along) - 1.5 * radius) / (0.4 * radius + 0.5)) ** 2))
    bump = np.exp(-((across / radius) ** 2) - (along / length) ** 2)
    return bump * np.tanh(across / radius) * 1.6 if shape == "crescent" else bump


def leaves(rng: np.random.Generator, size: int) -> Field:
    """Dead leaves: opaque ellipses or rectangles falling over each other, their sizes following a power law."""
    smallest = log_uniform(rng, 1.5, 6)
    largest = smallest * log_uniform(rng, 1.5, 10)
    exponent = rng.uniform(1.5, 3.5)
    square = rng.random() < 0.4
    slim, first, spread = log_uniform(rng, 1, 4), rng.uniform(0, math.pi), rng.choice([0.05, 0.4, math.pi])
    palette = rng.standard_normal(rng.integers(2, 7))
    shading = rng.choice([0.0, 0.5])
    cover = rng.uniform(0.3, 2.5)

    def draw(sample: np.random.Generator) -> FloatArray:
        canvas = np.zeros((size, size), dtype=np.float32)
        low, high = smallest ** (1 - exponent), largest ** (1 - exponent)
        radii = (low + sample.random(90) * (high - low)) ** (1 / (1 - exponent))
        count = int(np.searchsorted(np.cumsum(4 * radii**2 / slim), cover * size * size)) + 1
        for radius in radii[:count]:
            row, column = sample.uniform(-radius, size + radius, 2)
            angle = first + spread * sample.uniform(-0.5, 0.5)
            value = palette[sample.integers(len(palette))] + 0.15 * sample.standard_normal()
            drop(canvas, row, column, radius, slim, angle, square, float(value), shading)
        return standardise(canvas)

    return draw


def drop(
    canvas: FloatArray,
    row: float,
    column: float,
    radius: float,
    slim: float,
    angle: float,
    square: bool,
    value: float,
    shading: float,
) -> None:
    """Lay one leaf onto the canvas, in place."""
    reach = int(radius * 1.5) + 2
    top, left = max(int(row) - reach, 0), max(int(column) - reach, 0)
    here = canvas[top : max(int(row) + reach, 0), left : max(int(column) + reach, 0)]
    if not here.size:
        return
    rows = np.arange(here.shape[0], dtype=np.float32)[:, None] + (top - row)
    columns = np.arange(here.shape[1], dtype=np.float32)[None] + (left - column)
    across, along = turn(rows, columns, angle)
    across = across * slim
    far = np.maximum(np.abs(across), np.abs(along)) if square else np.hypot(across, along)
    opacity = np.clip(radius - far + 0.5, 0, 1)
    here += opacity * (value + shading * across / radius - here)


def repeated(rng: np.random.Generator, size: int) -> Field:
    """A pattern that repeats: gratings, checks, dots, weave or bricks, slightly warped."""
    rows, columns = positions(size)
    angle, pitch = rng.uniform(0, math.pi), log_uniform(rng, 4, 32)
    other = pitch * log_uniform(rng, 0.5, 2)
    pattern = ("grating", "lattice", "check", "weave", "brick", "weave")[rng.integers(6)]
    sharpness = log_uniform(rng, 0.5, 6)
    wobble, uneven = rng.uniform(0, 0.12), rng.uniform(0, 0.4)
    bend = smooth(rng, size, log_uniform(rng, 6, 30))

    def draw(sample: np.random.Generator) -> FloatArray:
        across, along = turn(rows, columns, angle + sample.normal(0, 0.02))
        u = across / pitch + sample.uniform(0, 64) + wobble * bend(sample)
        v = along / other + sample.uniform(0, 64) + wobble * bend(sample)
        field = pattern_value(pattern, u, v, sharpness)
        threads = 1 + uneven * sample.standard_normal(256)
        return standardise(field * threads[np.floor(u).astype(int) % 256] * threads[np.floor(v).astype(int) % 256])

    return draw


def pattern_value(pattern: str, u: FloatArray, v: FloatArray, sharpness: float) -> FloatArray:
    """Height of a repeated pattern of period 1 in both directions."""
    wave_u, wave_v = np.cos(2 * math.pi * u), np.cos(2 * math.pi * v)
    if pattern == "grating":
        return np.tanh(sharpness * wave_u)
    if pattern == "lattice":
        return np.tanh(sharpness * (wave_u + wave_v - 0.8))
    if pattern == "check":
        return np.tanh(sharpness * wave_u * wave_v)
    if pattern == "brick":
        shifted = np.cos(2 * math.pi * (v + 0.5 * (np.floor(u) % 2)))
        return np.tanh(sharpness * (0.9 - np.maximum(wave_u, shifted)))
    over = (np.floor(u) + np.floor(v)) % 2
    round_u, round_v = np.abs(np.sin(math.pi * u)), np.abs(np.sin(math.pi * v))
    return np.where(over > 0, round_u * (0.7 + 0.3 * round_v), 0.8 * round_v * (0.7 + 0.3 * round_u))


def cells(rng: np.random.Generator, size: int) -> Field:
    """Voronoi cells: their borders, their bulges, or each of another shade."""
    spacing, stretch = log_uniform(rng, 5, 24), log_uniform(rng, 1, 3)
    angle, look = rng.uniform(0, math.pi), ("border", "bulge", "shade")[rng.integers(3)]
    width = rng.uniform(0.08, 0.4)
    rows, columns = positions(size)
    across, along = turn(rows, columns, angle)
    pixels = np.stack([across.ravel(), along.ravel() / stretch], axis=1)
    reach = size * 0.75 + spacing

    def draw(sample: np.random.Generator) -> FloatArray:
        count = int((2 * reach / spacing) ** 2 / stretch) + 4
        points = sample.uniform(-1, 1, (count, 2)) * (reach, reach / stretch)
        distances, nearest = cKDTree(points).query(pixels, k=2)
        if look == "shade":
            field = sample.standard_normal(count)[nearest[:, 0]]
        elif look == "border":
            field = np.minimum((distances[:, 1] - distances[:, 0]) / (width * spacing), 1)
        else:
            field = distances[:, 0]
        return standardise(field.reshape(size, size))

    return draw


def smooth(rng: np.random.Generator, size: int, width: float) -> Field:
    """Smooth Gaussian noise with features about `width` across. The law is fixed; `rng` is not used."""
    down, right = np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None]
    amplitude = np.exp(-2 * (math.pi * width) ** 2 * (down**2 + right**2) / 4).astype(np.float32)

    def draw(sample: np.random.Generator) -> FloatArray:
        white = np.fft.rfft2(sample.standard_normal((size, size), dtype=np.float32))
        return standardise(np.fft.irfft2(white * amplitude, s=(size, size)))

    return draw


LAWS: tuple[Callable[[np.random.Generator, int], Field], ...] = (spectral, strewn, leaves, repeated, cells)
LAW_SHARES = (0.4, 0.22, 0.14, 0.19, 0.05)
"""How often each law is chosen."""


def choose_field(rng: np.random.Generator, size: int) -> Field:
    """A random law with random settings."""
    return LAWS[rng.choice(len(LAWS), p=LAW_SHARES)](rng, size)
