"""Arithmetic on grids of patches that plans and kernels share. Importing this loads no torch."""

from math import ceil

from musc.layers import Grid

PRODUCT_COLUMNS = 2048
"""Patches of other images multiplied at once, but at least one image; keeps the product in the CPU's cache."""
SUMMED_CHANNELS = 192
"""Most channels that a CPU sums in one go (`musc.kernels.onednn_products`)."""
SUMMED_ROWS = 400
"""Patches of one image whose longer sums a CPU makes at once, part by part, so that parts are added in its cache."""
BANDED_PATCHES = 512
"""Grids of fewer patches are multiplied whole and masked: below, bands save less than they cost."""
BAND_PATCHES = 128
"""A band has whole query rows of at least this many patches, so that its product still runs at full rate."""


def effective_radius(match_radius: int | None, grid: Grid) -> int | None:
    """The match_radius, or None where it reaches over the whole grid and so limits nothing."""
    return None if match_radius is None or match_radius >= max(grid) - 1 else match_radius


def radius_on(grid: Grid, match_radius: int | None, finest: Grid) -> int | None:
    """The window on the grid of one layer, counted in that layer's patches; None where it limits nothing.

    Args:
        grid: patch rows and columns of the layer.
        match_radius: W, in patches of the finest grid.
        finest: patch rows and columns of the finest grid.

    >>> radius_on((24, 24), 5, (48, 48)), radius_on((48, 48), 5, (48, 48)), radius_on((4, 4), 40, (48, 48))
    (3, 5, None)
    """
    if match_radius is None:
        return None
    return effective_radius(max(ceil(match_radius * own / most) for own, most in zip(grid, finest, strict=True)), grid)


def row_bands(grid: Grid, match_radius: int) -> list[tuple[int, int, int, int]]:
    """Query rows [start, stop) of a grid, each band with the reference rows [low, high) within the window of it.

    >>> row_bands((32, 32), 1)[:2]
    [(0, 4, 0, 5), (4, 8, 3, 9)]
    """
    rows, columns = grid
    height = ceil(BAND_PATCHES / columns) if rows * columns > BANDED_PATCHES else rows
    starts = range(0, rows, height)
    return [
        (start, min(start + height, rows), max(0, start - match_radius), min(start + height + match_radius, rows))
        for start in starts
    ]


def rounded_up(count: int, multiple: int) -> int:
    """The smallest multiple that is not below `count`."""
    return ceil(count / multiple) * multiple
