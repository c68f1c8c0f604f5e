"""Large pictures as tiles: where tiles lie, and how the scores of an image's tiles become one map without seams."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from musc.layers import Grid


@dataclass(frozen=True)
class Tile:
    """A part of an image, in pixels of the upright image."""

    x: int
    """First column."""
    y: int
    """First row."""
    width: int
    height: int


def tile_starts(length: int, side: int, overlap: int) -> list[int]:
    """First pixels of the tiles along one side of an image: as few as overlap enough, spread evenly from end to end.

    Args:
        length: of the image.
        side: of a tile; an image that is not longer is one tile.
        overlap: pixels that neighbours share at least, less than the side.

    >>> tile_starts(900, 320, 30), tile_starts(300, 320, 30)
    ([0, 290, 580], [0])
    """
    if length <= side:
        return [0]
    count = ceil((length - overlap) / (side - overlap))
    return [round(number * (length - side) / (count - 1)) for number in range(count)]


def tile_image(width: int, height: int, side: int, overlap: int) -> list[Tile]:
    """The tiles of an image, row by row; see `tile_starts`."""
    across, down = tile_starts(width, side, overlap), tile_starts(height, side, overlap)
    return [Tile(x, y, min(side, width), min(side, height)) for y in down for x in across]


def stitched_grid(width: int, height: int, side: int, grid: Grid) -> Grid:
    """Rows and columns of an image's map, as fine as those of its tiles.

    >>> stitched_grid(900, 600, 320, (40, 40))
    (75, 113)
    """
    return (
        max(grid[0], ceil(height * grid[0] / side)),
        max(grid[1], ceil(width * grid[1] / side)),
    )


def stitch(
    scores: NDArray[np.float32], tiles: Sequence[Tile], size: tuple[int, int], grid: Grid
) -> NDArray[np.float32]:
    """One map of an image from the patch scores of its tiles.

    Every cell of the map stands for a pixel, the corners for the corners of the image, as in `musc.maps.anomaly_maps`.
    It is the mean of the anomaly maps of the tiles that hold the pixel, each weighed by its distance to the tile's
    nearer edge along both sides: a tile counts least where it ends, so no seam shows.

    Args:
        scores: float32 (T, rows, columns), on the tiles' own grids.
        tiles: T tiles that cover the image.
        size: height and width of the image.
        grid: rows and columns of the map.

    Returns:
        Float32 of the grid.
    """
    total, weight = np.zeros(grid), np.zeros(grid)
    for of_tile, tile in zip(scores, tiles, strict=True):
        rows, down, weight_down = along(tile.y, tile.height, size[0], of_tile.shape[0], grid[0])
        columns, across, weight_across = along(tile.x, tile.width, size[1], of_tile.shape[1], grid[1])
        weights = weight_down[:, None] * weight_across
        total[rows, columns] += weights * (down @ of_tile @ across.T)
        weight[rows, columns] += weights
    return (total / weight).astype(np.float32)


def along(
    start: int, length: int, image_length: int, patch_count: int, cell_count: int
) -> tuple[slice, NDArray[np.float64], NDArray[np.float64]]:
    """What one side of a tile gives to the cells of a map.

    Args:
        start: first pixel of the tile.
        length: its pixels.
        image_length: pixels of the image.
        patch_count: patches of the tile.
        cell_count: cells of the map.

    Returns:
        The cells whose pixels lie in the tile, how they mix its patches, (cells, patches), and their weights, (cells,).
    """
    pixels = np.linspace(0, image_length - 1, cell_count)
    held = np.flatnonzero((pixels >= start) & (pixels <= start + length - 1))
    cells = slice(int(held[0]), int(held[-1]) + 1)
    inside = pixels[cells] - start
    places = inside * (patch_count - 1) / max(length - 1, 1)
    mix = np.maximum(0, 1 - np.abs(places[:, None] - np.arange(patch_count)))
    return cells, mix, np.minimum(inside + 1, length - inside)
