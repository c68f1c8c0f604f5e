"""Tiles of an image, and their scores as one map: against plain loops over pixels and cells."""

from itertools import pairwise

import numpy as np
import pytest

from musc.tiles import Tile, stitch, stitched_grid, tile_image, tile_starts


@pytest.mark.parametrize(("length", "side", "overlap"), [(900, 320, 40), (8000, 320, 40), (641, 320, 0), (320, 320, 8)])
def test_tiles_cover_an_image_and_overlap_enough(length: int, side: int, overlap: int) -> None:
    starts = tile_starts(length, side, overlap)
    assert (starts[0], starts[-1] + side) == (0, max(length, side))
    assert all(first < second <= first + side - overlap for first, second in pairwise(starts))
    fewer = len(starts) - 1
    assert fewer * side - max(fewer - 1, 0) * overlap < length or fewer == 0, "as few as there can be"


def test_small_image_is_one_tile_of_its_own_size() -> None:
    assert tile_image(100, 50, 320, 40) == [Tile(0, 0, 100, 50)]
    assert stitched_grid(100, 50, 320, (40, 40)) == (40, 40)


def at(scores: np.ndarray, tile: Tile, x: float, y: float) -> float:
    """A tile's anomaly map at a pixel of the image, bilinear with aligned corners, by hand."""
    rows, columns = scores.shape
    down, across = (y - tile.y) * (rows - 1) / (tile.height - 1), (x - tile.x) * (columns - 1) / (tile.width - 1)
    row, column = min(int(down), rows - 2), min(int(across), columns - 2)
    near, far = down - row, across - column
    top = (1 - far) * scores[row, column] + far * scores[row, column + 1]
    bottom = (1 - far) * scores[row + 1, column] + far * scores[row + 1, column + 1]
    return float((1 - near) * top + near * bottom)


def test_stitched_map_is_the_weighed_mean_of_the_tiles_maps() -> None:
    width, height, tiles = 50, 34, tile_image(50, 34, 20, 5)
    scores = np.random.default_rng(3).random((len(tiles), 4, 5)).astype(np.float32)
    grid = stitched_grid(width, height, 20, (4, 5))
    found = stitch(scores, tiles, (height, width), grid)
    for row in range(grid[0]):
        for column in range(grid[1]):
            x, y = column * (width - 1) / (grid[1] - 1), row * (height - 1) / (grid[0] - 1)
            total = weights = 0.0
            for of_tile, tile in zip(scores, tiles, strict=True):
                right, bottom = tile.x + tile.width - 1, tile.y + tile.height - 1
                if tile.x <= x <= right and tile.y <= y <= bottom:
                    weight = min(x - tile.x + 1, right - x + 1) * min(y - tile.y + 1, bottom - y + 1)
                    total += weight * at(of_tile, tile, x, y)
                    weights += weight
            assert found[row, column] == pytest.approx(total / weights, abs=1e-6)


def test_stitched_map_of_alike_tiles_has_no_seam() -> None:
    tiles = tile_image(900, 700, 320, 40)
    smooth = np.array([[tile.x + (tile.width - 1) * u / 39 for u in range(40)] for tile in tiles], dtype=np.float32)
    found = stitch(np.repeat(smooth[:, None], 40, axis=1), tiles, (700, 900), (88, 113))
    np.testing.assert_allclose(found, np.broadcast_to(np.linspace(0, 899, 113), (88, 113)), atol=1e-3)
