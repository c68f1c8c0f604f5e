"""Which parts of a lot's images are scored as images of their own: all of an image, or its tiles.

Features of tiles are stored image by image, since an image is decoded for all of its tiles at once; they are scored
position by position: first the first tile of every image, then the second one. A tile is never compared with another
tile of its own image: they overlap, so that a defect would find itself, and a flaw that goes on would vouch for itself.
"""

from collections.abc import Sequence
from typing import Protocol, TypeVar

from musc.layers import Grid
from musc.settings import Settings
from musc.tiles import Tile, tile_image, tile_starts


class Photograph(Protocol):
    """What is known of an image before it is decoded."""

    @property
    def path(self) -> str: ...

    @property
    def width(self) -> int: ...

    @property
    def height(self) -> int: ...


Listed = TypeVar("Listed", bound=Photograph)

WHOLE: Grid = (1, 1)
"""Rows and columns of the tiles of images that are scored whole."""
OVERLAP_PART = 8
"""Neighbouring tiles share an eighth of their side by default."""


def tiles_of(settings: Settings, image: Photograph) -> list[Tile | None]:
    """The parts of an image that are scored, in order: [None], all of it, or its tiles."""
    if settings.tile is None:
        return [None]
    return [*tile_image(image.width, image.height, settings.tile, overlap_of(settings))]


def overlap_of(settings: Settings) -> int:
    """Pixels that neighbouring tiles share at least."""
    return settings.overlap if settings.overlap is not None else (settings.tile or 0) // OVERLAP_PART


def tile_count(settings: Settings, images: Sequence[Photograph]) -> int:
    """Parts of each image of a lot; 1 where images are scored whole; errors are those of `tile_layout`."""
    rows, columns = tile_layout(settings, images)
    return rows * columns


def tile_layout(settings: Settings, images: Sequence[Photograph]) -> Grid:
    """Rows and columns of the tiles of each image of a lot; (1, 1) where images are scored whole.

    Raises:
        ValueError: if images have different numbers of tiles, naming the first of them.
    """
    if settings.tile is None or not images:
        return WHOLE
    side, overlap = settings.tile, overlap_of(settings)
    first = layout(images[0], side, overlap)
    for image in images:
        if (other := layout(image, side, overlap)) != first:
            raise ValueError(
                "images must have as many tiles along each side as the others of the lot where tile is given, got "
                f"{other[1]} x {other[0]} for {image.path} ({image.width} x {image.height} pixels) and {first[1]} x "
                f"{first[0]} for {images[0].path} ({images[0].width} x {images[0].height}); score them as lots of "
                "their own, or whole"
            )
    return first


def positions_around(grid: Grid, position: int) -> list[int]:
    """The positions of a tile and of the next ones, those at its corners too.

    Args:
        grid: rows and columns of the tiles.
        position: of the tile, counted row by row.

    >>> positions_around((3, 4), 0), positions_around((3, 4), 6)
    ([0, 1, 4, 5], [1, 2, 3, 5, 6, 7, 9, 10, 11])
    """
    rows, columns = grid
    row, column = divmod(position, columns)
    return [
        down * columns + across
        for down in range(max(0, row - 1), min(rows, row + 2))
        for across in range(max(0, column - 1), min(columns, column + 2))
    ]


def layout(image: Photograph, side: int, overlap: int) -> Grid:
    """Rows and columns of an image's tiles."""
    return len(tile_starts(image.height, side, overlap)), len(tile_starts(image.width, side, overlap))


def parts_of(settings: Settings, images: Sequence[Listed]) -> list[tuple[Listed, Tile | None]]:
    """Every part of a lot that is scored, image by image."""
    return [(image, tile) for image in images for tile in tiles_of(settings, image)]


def lot_ranges(settings: Settings, part_count: int, tiles: int) -> list[tuple[int, int]]:
    """The parts [first, last) that are scored against each other, position by position: tiles of one position, or all.

    Args:
        settings: say which.
        part_count: parts of the lot, a multiple of the tiles.
        tiles: of each image.
    """
    if settings.tile_references == "all":
        return [(0, part_count)]
    each = part_count // tiles
    return [(first, first + each) for first in range(0, part_count, each)]
