"""Close-ups: the surroundings of a patch, cut out of a photograph."""

import numpy as np
from PIL import Image

from musc.decisions.worst_place import worst_place
from musc.layers import Grid, Layer, middle_layer, patch_on
from reports.page.heatmaps import Box, draw_boxes
from reports.run_record import RunRecord

CROP_PATCHES = 7
"""Patches across a close-up, on average of both directions."""
CROP_SIDE = 132
"""Its longer side in pixels on a report's page."""


def compared_layer(record: RunRecord) -> Layer:
    """The layer in which parts of images are compared for people to see."""
    return middle_layer(record.job.backbone.layers)


def close_up_grid(record: RunRecord, finest: Grid) -> Grid:
    """The grid whose patches close-ups show: of the compared layer, or of tiles as they were put together."""
    return compared_layer(record).grid if record.job.settings.tile is None else finest


def worst_patch(
    record: RunRecord, patch_scores: np.ndarray, fine_scores: np.ndarray, peak: tuple[float, float], *, listed: bool
) -> int:
    """The patch of the close-ups' grid at the worst place of an image, in reading order.

    Args:
        patch_scores: (rows, columns) of one image, NaN outside of a region of interest.
        fine_scores: of the levels with the finest grid.
        peak: where its score was taken, as fractions of width and height; it decides where scores are taken by
            position, which is not seen in the map.
        listed: whether it is flagged or suspect, so that places of it are outlined.
    """
    rows, columns = patch_scores.shape
    taken = None
    if record.job.settings.image_score == "position":
        taken = min(int(peak[1] * rows), rows - 1) * columns + min(int(peak[0] * columns), columns - 1)
    threshold = record.decision.pixel_threshold if listed else None
    worst = worst_place(patch_scores, fine_scores, threshold, taken)
    return patch_on(worst, (rows, columns), close_up_grid(record, (rows, columns)))


def patch_centre(patch: int, grid: Grid) -> tuple[float, float]:
    """The middle of a patch, fractions of width and height.

    >>> patch_centre(3, (2, 2))
    (0.75, 0.75)
    """
    row, column = divmod(patch, grid[1])
    return (column + 0.5) / grid[1], (row + 0.5) / grid[0]


def close_up(photograph: Image.Image, patch: int, grid: Grid, side: int = CROP_SIDE) -> Image.Image:
    """The surroundings of a patch, the patch itself in a box; its longer side has `side` pixels."""
    window, inner = crop_window(patch, grid, photograph.size)
    crop = photograph.crop(window)
    scale = side / max(crop.size)
    size = (max(1, round(crop.width * scale)), max(1, round(crop.height * scale)))
    left, top, right, bottom = (round(edge * scale) for edge in inner)
    return draw_boxes(crop.resize(size, Image.Resampling.BICUBIC), [(left, top, right, bottom)])


def crop_window(patch: int, grid: Grid, size: tuple[int, int]) -> tuple[Box, Box]:
    """Where to crop around a patch, a square where the photograph allows it, and where the patch lies in the crop.

    Args:
        patch: index in reading order.
        grid: patch rows and columns.
        size: width and height of the photograph in pixels.

    Returns:
        The window in the photograph, moved inwards at its borders, and the patch's box in the window.
    """
    side = min(*size, CROP_PATCHES * (size[0] / grid[1] + size[1] / grid[0]) / 2)
    spans = []
    for index, count, length in zip((patch % grid[1], patch // grid[1]), grid[::-1], size, strict=True):
        patch_length = length / count
        start = min(max(0.0, (index + 0.5) * patch_length - side / 2), length - side)
        first, last = round(start), max(round(start + side), round(start) + 1)
        inner = int(index * patch_length), min(length, int((index + 1) * patch_length) + 1)
        spans.append((first, last, inner[0] - first, inner[1] - first))
    (left, right, inner_left, inner_right), (top, bottom, inner_top, inner_bottom) = spans
    return (left, top, right, bottom), (inner_left, inner_top, inner_right, inner_bottom)
