"""From the patch scores of tiles to those of their images, one stitched map of each."""

from collections.abc import Sequence

import numpy as np

from musc.plan.lot_as_tiles import tiles_of
from musc.tiles import stitch, stitched_grid
from planning.lot_job import LotJob
from storage.images.lots import ListedImage
from storage.results.features import LotFeatures
from storage.results.tile_rows import whole_rows


def stitch_tiles(job: LotJob, images: Sequence[ListedImage], scores: np.ndarray) -> np.ndarray:
    """Patch scores of images from those of their tiles, from which the images' scores are taken too.

    Scores are not taken from the tiles themselves: they are often highest where a tile ends, in good images as well,
    and that is where a stitched map weighs a tile least.

    Args:
        images: N, each of T tiles.
        scores: float32 (T · N, rows, columns), patch scores of the tiles, position by position.

    Returns:
        Float32 (N, rows, columns), as fine as in the largest image.
    """
    side = job.settings.tile or 0
    grid = stitched_grid(max(one.width for one in images), max(one.height for one in images), side, job.backbone.grid)
    maps = np.empty((len(images), *grid), dtype=np.float32)
    for position, image in enumerate(images):
        tiles = [tile for tile in tiles_of(job.settings, image) if tile]
        maps[position] = stitch(scores[position :: len(images)], tiles, (image.height, image.width), grid)
    return maps


def image_tokens(features: LotFeatures, tiles: int) -> np.ndarray:
    """Class tokens of images, float32 (N, D) of unit length: of tiles their mean."""
    tokens = features.class_tokens()
    if tiles == 1:
        return tokens
    means = tokens[whole_rows(features, tiles)].reshape(-1, tiles, tokens.shape[1]).mean(axis=1)
    return np.asarray(means / np.linalg.norm(means, axis=1, keepdims=True))
