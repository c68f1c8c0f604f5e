"""Outlines of regions against plain loops over pixels: those inside are the region and its holes."""

import numpy as np
import pytest
from scipy import ndimage

from musc.decisions.outlines import outline, outlines

EIGHT = np.ones((3, 3), dtype=bool)


def inside(corners: list[tuple[float, float]], x: float, y: float) -> bool:
    """Whether a point lies in a polygon, by the edges that a ray to the right crosses."""
    crossed = False
    for (x0, y0), (x1, y1) in zip(corners, [*corners[1:], corners[0]], strict=True):
        if (y0 > y) != (y1 > y) and x < x0 + (y - y0) / (y1 - y0) * (x1 - x0):
            crossed = not crossed
    return crossed


def filled(corners: list[tuple[float, float]], shape: tuple[int, int]) -> np.ndarray:
    return np.array([[inside(corners, x + 0.5, y + 0.5) for x in range(shape[1])] for y in range(shape[0])])


@pytest.mark.parametrize("seed", range(8))
def test_outline_surrounds_its_region_with_holes_filled(seed: int) -> None:
    drawn = np.random.default_rng(seed).random((9, 11)) < 0.4
    labels, count = ndimage.label(drawn, structure=EIGHT)
    for number in range(1, count + 1):
        region = labels == number
        np.testing.assert_array_equal(filled(outline(region), region.shape), ndimage.binary_fill_holes(region))


def test_outline_of_pixels_that_meet_in_a_corner_is_one_polygon_without_needless_corners() -> None:
    assert outline(np.array([[1, 0], [0, 1]], dtype=bool)) == [
        (0, 0),
        (1, 0),
        (1, 1),
        (2, 1),
        (2, 2),
        (1, 2),
        (1, 1),
        (0, 1),
    ]
    assert outline(np.ones((2, 3), dtype=bool)) == [(0, 0), (3, 0), (3, 2), (0, 2)]


def test_outlines_are_scaled_and_the_most_anomalous_comes_first() -> None:
    anomaly_map = np.zeros((4, 5))
    anomaly_map[0, 0], anomaly_map[2:, 3] = 2, [3, 1]
    found = outlines(anomaly_map, anomaly_map >= 1, (8, 50))
    assert [one.peak_score for one in found] == [3, 2]
    assert found[0].points == ((30, 4), (40, 4), (40, 8), (30, 8))
    assert found[1].points == ((0, 0), (10, 0), (10, 2), (0, 2))
    assert outlines(anomaly_map, anomaly_map > 9, (8, 50)) == []
