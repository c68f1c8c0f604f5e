"""Region of interest: which patches of a photograph are looked at. Plain numpy, no torch."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from musc.layers import Grid

MIN_SHARE = 0.5
"""Part of a patch's area that must lie inside for the patch to belong to the region."""
MIN_WEIGHT = 0.25
"""Bilinear weight of the patches inside from which on a pixel of a map is inside: the pixel nearest to any patch inside
has at least so much."""


def patches_inside(pixels: NDArray[np.bool_], grid: Grid) -> NDArray[np.bool_]:
    """The patches of a grid that belong to a region: those of which at least half of the area lies inside.

    A patch is its cell of the photograph, divided evenly into the grid's rows and columns, whatever the size in pixels:
    photographs are resized as a whole, so the mask may be of any size too.

    Args:
        pixels: bool (H, W), True inside, of the photograph seen upright.
        grid: patch rows and columns.

    Returns:
        Bool (rows, columns).

    >>> patches_inside(np.array([[True, True, False], [True, True, False]]), (1, 2))
    array([[ True, False]])
    """
    height, width = pixels.shape
    shares = overlaps(height, grid[0]) @ pixels.astype(np.float64) @ overlaps(width, grid[1]).T
    return np.asarray(shares >= MIN_SHARE - 1e-9)


def overlaps(pixel_count: int, cell_count: int) -> NDArray[Any]:
    """The part of each of the cells into which a side is divided that each of its pixels fills: (cells, pixels)."""
    edges = np.arange(cell_count + 1) * (pixel_count / cell_count)
    starts = np.arange(pixel_count)
    shared = np.minimum(edges[1:, None], starts + 1) - np.maximum(edges[:-1, None], starts)
    return shared.clip(min=0) * (cell_count / pixel_count)
