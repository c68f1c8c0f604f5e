"""Processes: a law of coloured textures. Samples of one process are what the encoder must find alike."""

from collections.abc import Callable

import numpy as np

from training.fields import Field, FloatArray, choose_field, log_uniform, smooth

Process = Callable[[np.random.Generator], FloatArray]
"""Draws one sample: colours, float32 (size, size, 3), about [0, 1]."""


def choose_process(rng: np.random.Generator, size: int) -> Process:
    """A random process: one field, the sum of two, one field modulating another, or two in patches."""
    field = combine(rng, size)
    grey = rng.random() < 0.5
    base = np.full(3, rng.uniform(0.15, 0.85)) if grey else rng.uniform(0.15, 0.85, 3)
    if not grey:
        base = base + rng.uniform(0, 0.8) * (base.mean() - base)
    hue = np.ones(3) if grey else 1 + rng.uniform(-0.8, 0.8) * rng.standard_normal(3)
    contrast = log_uniform(rng, 0.02, 0.25)
    base, hue = base.astype(np.float32), hue.astype(np.float32)
    second = choose_field(rng, size) if not grey and rng.random() < 0.3 else None
    tint = (0.5 * contrast * rng.standard_normal(3)).astype(np.float32)

    def draw(sample: np.random.Generator) -> FloatArray:
        colours = base + contrast * field(sample)[..., None] * hue
        if second is not None:
            colours = colours + second(sample)[..., None] * tint
        return colours

    return draw


def combine(rng: np.random.Generator, size: int) -> Field:
    """One random field, or two joined."""
    one = choose_field(rng, size)
    way = rng.random()
    if way < 0.5:
        return one
    other = choose_field(rng, size)
    if way < 0.75:
        share = rng.uniform(0.2, 0.8)
        return lambda sample: share * one(sample) + (1 - share) * other(sample)
    if way < 0.88:
        depth = rng.uniform(0.2, 0.6)
        return lambda sample: one(sample) * (1 + depth * np.clip(other(sample), -1.5, 1.5))
    patches, border = smooth(rng, size, log_uniform(rng, 4, 16)), rng.uniform(1, 6)

    def draw(sample: np.random.Generator) -> FloatArray:
        opacity = 0.5 + 0.5 * np.tanh(border * patches(sample))
        return opacity * one(sample) + (1 - opacity) * other(sample)

    return draw
