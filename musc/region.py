"""Region of interest: which patches of a photograph are looked at. Plain numpy, no torch."""

from collections.abc import Sequence
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


def outside_polygons(polygons: Sequence[Sequence[tuple[float, float]]], size: tuple[int, int]) -> NDArray[np.bool_]:
    """The pixels of a picture whose centres lie in none of some polygons.

    A centre lies in a polygon that winds around it (the nonzero rule): a loop drawn twice, or one that crosses itself,
    covers all that it encloses, as browsers fill it.

    Args:
        polygons: corners (x, y) of each, in pixels from the picture's outer corner; parts beyond its borders are cut.
        size: height and width.

    Returns:
        Bool (H, W), True outside of all polygons.

    >>> outside_polygons([[(0, 0), (2, 0), (2, 1), (0, 1)]], (2, 3))
    array([[False, False,  True],
           [ True,  True,  True]])
    """
    outside = np.ones(size, dtype=bool)
    down, across = np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5
    for polygon in polygons:
        windings = np.zeros(size, dtype=np.int32)
        for (x1, y1), (x2, y2) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
            low, high = np.searchsorted(down, sorted((y1, y2)))  # centres of rows that the side crosses
            crossings = x1 + (down[low:high] - y1) * ((x2 - x1) / (y2 - y1 or 1))
            windings[low:high] += np.where(across > crossings[:, None], 1 if y1 < y2 else -1, 0)
        outside &= windings == 0
    return outside


def overlaps(pixel_count: int, cell_count: int) -> NDArray[Any]:
    """The part of each of the cells into which a side is divided that each of its pixels fills: (cells, pixels)."""
    edges = np.arange(cell_count + 1) * (pixel_count / cell_count)
    starts = np.arange(pixel_count)
    shared = np.minimum(edges[1:, None], starts + 1) - np.maximum(edges[:-1, None], starts)
    return shared.clip(min=0) * (cell_count / pixel_count)
