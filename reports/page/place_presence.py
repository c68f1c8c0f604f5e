"""How much of a place shows what good places like it do not: a stain, a hole, a foreign body."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

SIDE = 64
"""Pixels of a place's longer side, about; larger places are made smaller."""
MOST_COLOURS = 600
"""Pixels of each good place that are compared, spread evenly over it."""
APART = 12.0
"""Grey levels from the nearest colour of any good place from which on a pixel shows something else, at least."""
USUAL = 1.5
"""So many times the distance that good places have from each other counts too."""
HALF = 0.5
"""Of the most different pixel: what is nearer to good colours is the soft border of a line or of a thing."""
THICKEST = 5
"""What is narrower than an n-th of the place's shorter side is a line and no thing."""


def presence(places: Sequence[np.ndarray]) -> tuple[np.ndarray, float]:
    """The largest thing in each place that all other good places lack.

    A place that differs as a whole is only darker, lighter or of another colour, so it is looked at as it is and with
    the difference of medians taken away; the smaller thing of both counts.

    Args:
        places: pixels as float (height, width, 3), the first one compared with the others, of good parts.

    Returns:
        How much of each place it covers, in percent of the pixels, (places,); and by how many grey levels that in the
        first place is lighter than the good places, NaN where nothing is there.
    """
    from scipy.spatial import cKDTree

    smooth = [_smooth(pixels) for pixels in places]
    colours = [_colours(pixels) for pixels in smooth]
    medians = np.array([np.median(one, axis=0) for one in colours])
    usual = np.median(medians[1:], axis=0)
    distances = []
    for k, pixels in enumerate(smooth):
        others = cKDTree(np.concatenate([one for j, one in enumerate(colours) if j and j != k]))
        distances.append([_distance(pixels - shift, others) for shift in (0.0, medians[k] - usual)])
    level = max(APART, USUAL * float(np.median([np.percentile(both[0], 95) for both in distances[1:]])))
    parts = [[distance > max(level, HALF * distance.max()) for distance in both] for both in distances]
    things = [min((_largest(apart) for apart in both), key=np.count_nonzero) for both in parts]
    light = smooth[0][things[0]].mean() - medians[1:].mean(axis=1).mean() if things[0].any() else np.nan
    return np.array([100 * thing.mean() for thing in things]), float(light)


def _smooth(pixels: np.ndarray) -> np.ndarray:
    from scipy import ndimage  # takes half a second to load

    step = max(1, round(max(pixels.shape[:2]) / SIDE))
    sigma = (1 + step) / 2
    return np.asarray(ndimage.gaussian_filter(pixels, (sigma, sigma, 0), mode="nearest"))[::step, ::step]


def _colours(pixels: np.ndarray) -> np.ndarray:
    """Colours of pixels spread evenly over a place: (n, 3)."""
    flat = pixels.reshape(-1, 3)
    return flat[np.linspace(0, len(flat) - 1, min(len(flat), MOST_COLOURS)).round().astype(int)]


def _distance(pixels: np.ndarray, colours: "cKDTree") -> np.ndarray:
    """Of every pixel from the nearest of some colours, in grey levels: (height, width)."""
    return np.asarray(colours.query(pixels.reshape(-1, 3))[0]).reshape(pixels.shape[:2])


def _largest(apart: np.ndarray) -> np.ndarray:
    """The largest connected region that is no line: bool (height, width)."""
    from scipy import ndimage

    side = max(3, min(apart.shape) // THICKEST)
    inner = ndimage.minimum_filter(np.pad(apart, side, mode="edge"), side)
    # The opening by a square, whose middle lies half a pixel aside where its side is even.
    thick = ndimage.maximum_filter(inner, side, origin=side % 2 - 1)[side:-side, side:-side]
    labels, count = ndimage.label(thick)
    return np.asarray(labels == 1 + np.bincount(labels.ravel())[1:].argmax()) if count else np.zeros_like(apart)
