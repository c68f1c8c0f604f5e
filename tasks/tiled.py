"""From the scores of tiles to those of their images: the highest tile's score, and one stitched map."""

from collections.abc import Sequence

import numpy as np

from musc.plan.tiles import tiles_of
from musc.tiles import Tile, stitch, stitched_grid
from planning.lot_job import LotJob
from storage.images.lots import ListedImage
from storage.results.features import LotFeatures
from storage.results.tile_places import whole_rows


def join_tiles(
    job: LotJob, images: Sequence[ListedImage], raw: np.ndarray, peaks: np.ndarray, scores: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores, peaks and maps of images from those of their tiles.

    Args:
        images: N, each of T tiles.
        raw: float32 (T · N,), the tiles' scores, position by position.
        peaks: (T · N, 2), fractions of height and width of the tile.
        scores: float32 (T · N, rows, columns), patch scores.

    Returns:
        Score of the highest tile, float32 (N,); where it is, (N, 2), fractions of the image; and the stitched patch
        scores, float32 (N, rows, columns), as fine as in the largest image.
    """
    side = job.settings.tile or 0
    grid = stitched_grid(max(one.width for one in images), max(one.height for one in images), side, job.backbone.grid)
    of_images, count = raw.reshape(-1, len(images)), len(images)
    places, maps = np.empty((count, 2)), np.empty((count, *grid), dtype=np.float32)
    for position, image in enumerate(images):
        tiles = [tile for tile in tiles_of(job.settings, image) if tile]
        maps[position] = stitch(scores[position::count], tiles, (image.height, image.width), grid)
        highest = int(of_images[:, position].argmax())
        places[position] = in_image(peaks[highest * count + position], tiles[highest], image)
    return of_images.max(axis=0), places, maps


def in_image(peak: np.ndarray, tile: Tile, image: ListedImage) -> tuple[float, float]:
    """A place in a tile as fractions of the image's height and width."""
    return (tile.y + peak[0] * tile.height) / image.height, (tile.x + peak[1] * tile.width) / image.width


def image_tokens(features: LotFeatures, tiles: int) -> np.ndarray:
    """Class tokens of images, float32 (N, D) of unit length: of tiles their mean."""
    tokens = features.class_tokens()
    if tiles == 1:
        return tokens
    means = tokens[whole_rows(features, tiles)].reshape(-1, tiles, tokens.shape[1]).mean(axis=1)
    return np.asarray(means / np.linalg.norm(means, axis=1, keepdims=True))
