"""The outlines of an anomaly map's defective regions, as polygons along the edges of pixels."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from musc.decisions.defect_boxes import EIGHT_CONNECTED

Corner = tuple[int, int]
"""Column and row of a corner of pixels; (0, 0) is the outer corner of the first pixel."""


@dataclass(frozen=True)
class Outline:
    """One connected region of defective pixels; its holes are filled."""

    points: tuple[tuple[float, float], ...]
    """Corners across and down in pixels of the original upright image, clockwise."""
    peak_score: float
    """Largest value of the anomaly map inside."""


def outlines(anomaly_map: NDArray[Any], mask: NDArray[np.bool_], image_size: tuple[int, int]) -> list[Outline]:
    """The outlines of the 8-connected regions of a mask, the most anomalous first.

    Args:
        anomaly_map: (H, W), of any size.
        mask: bool (H, W), see `musc.decisions.defect_boxes.defect_mask`.
        image_size: height and width in pixels of the original upright image, to which corners are scaled.
    """
    from scipy import ndimage  # takes half a second to load

    regions, count = ndimage.label(mask, structure=EIGHT_CONNECTED)
    down, across = image_size[0] / anomaly_map.shape[0], image_size[1] / anomaly_map.shape[1]
    polygons = []
    for number, (rows, columns) in enumerate(ndimage.find_objects(regions, max_label=count), start=1):
        region = regions[rows, columns] == number
        corners = outline(region)
        points = tuple(((columns.start + x) * across, (rows.start + y) * down) for x, y in corners)
        polygons.append(Outline(points, float(anomaly_map[rows, columns][region].max())))
    return sorted(polygons, key=lambda polygon: (-polygon.peak_score, polygon.points[0][1], polygon.points[0][0]))


def outline(region: NDArray[np.bool_]) -> list[Corner]:
    """The outer border of one 8-connected region, clockwise, from the left end of its first row.

    Walks along the edges between its pixels and others. Where two of its pixels meet in a corner only, the walk turns
    left, over to the other pixel, so that one polygon surrounds all of them.

    Args:
        region: bool (H, W), at least one pixel.

    Returns:
        Corners, without those in the middle of a straight line.
    """
    from scipy import ndimage

    steps = border_steps(ndimage.binary_fill_holes(region))
    row, column = np.argwhere(region)[0].tolist()
    start: Corner = (column, row)
    corner, direction, corners = start, (1, 0), [start]
    while True:
        corner = (corner[0] + direction[0], corner[1] + direction[1])
        if corner == start:  # where nothing else of the region can touch it
            return corners
        left = (direction[1], -direction[0])
        onward = left if left in steps[corner] else next(iter(steps[corner]))
        if onward != direction:
            corners.append(corner)
        direction = onward


def border_steps(region: NDArray[np.bool_]) -> dict[Corner, set[Corner]]:
    """The directions in which the border leaves each corner, the region being on the right."""
    framed = np.pad(region, 1)
    sides: tuple[tuple[Corner, Corner, Corner], ...] = (  # neighbour as (row, column), corner it starts from, direction
        ((-1, 0), (0, 0), (1, 0)),
        ((0, 1), (1, 0), (0, 1)),
        ((1, 0), (1, 1), (-1, 0)),
        ((0, -1), (0, 1), (0, -1)),
    )
    steps: dict[Corner, set[Corner]] = {}
    for (row_shift, column_shift), (across, down), direction in sides:
        beyond = np.roll(framed, (-row_shift, -column_shift), axis=(0, 1))[1:-1, 1:-1]
        for row, column in np.argwhere(region & ~beyond).tolist():
            steps.setdefault((column + across, row + down), set()).add(direction)
    return steps
