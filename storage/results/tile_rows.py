"""Stored features of tiles, image by image, in the order in which they are scored: position by position."""

from collections.abc import Sequence
from typing import TypeVar

from storage.results.features import BlockRow, LotFeatures

T = TypeVar("T")


def whole_images(features: LotFeatures, tiles: int) -> list[int]:
    """Positions of the images whose every tile has usable features; an image that lacks one is left out whole.

    Args:
        features: of a lot's tiles, image by image.
        tiles: of each image.
    """
    incomplete = {exclusion.position // tiles for exclusion in features.exclusions}
    count = (len(features) + len(features.exclusions)) // tiles
    return [image for image in range(count) if image not in incomplete]


def whole_rows(features: LotFeatures, tiles: int) -> list[int]:
    """Rows of `features` that belong to whole images, image by image."""
    excluded = {exclusion.position for exclusion in features.exclusions}
    usable = [position for position in range(len(features) + len(excluded)) if position not in excluded]
    complete = set(whole_images(features, tiles))
    return [row for row, position in enumerate(usable) if position // tiles in complete]


def by_position(of_parts: Sequence[T], tiles: int) -> list[T]:
    """What is in the order of images, in that of tiles.

    >>> by_position(["a0", "a1", "b0", "b1"], 2)
    ['a0', 'b0', 'a1', 'b1']
    """
    return [part for tile in range(tiles) for part in of_parts[tile::tiles]]


def scored_rows(features: LotFeatures, tiles: int) -> list[BlockRow]:
    """Where the features of every scored part lie, in the order of scoring."""
    block_rows = features.block_rows
    if tiles == 1:
        return block_rows
    return by_position([block_rows[row] for row in whole_rows(features, tiles)], tiles)
