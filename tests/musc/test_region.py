"""Which patches belong to a region, against counting in finer pixels."""

import numpy as np
import pytest

from musc.region import outside_polygons, overlaps, patches_inside


@pytest.mark.parametrize(("size", "grid"), [((7, 5), (3, 2)), ((4, 4), (4, 4)), ((3, 2), (5, 7)), ((1, 1), (2, 3))])
def test_patches_inside_are_those_of_at_least_half_the_area(size: tuple[int, int], grid: tuple[int, int]) -> None:
    pixels = np.random.default_rng(1).random(size) < 0.5
    fine = np.kron(pixels, np.ones(grid))  # every pixel and every patch is a whole number of these
    share = fine.reshape(grid[0], size[0], grid[1], size[1]).mean(axis=(1, 3))
    assert np.array_equal(patches_inside(pixels, grid), share >= 0.5)


def test_patches_inside_do_not_depend_on_the_size_of_the_mask() -> None:
    pixels = np.random.default_rng(2).random((6, 6)) < 0.5
    larger = np.kron(pixels, np.ones((5, 3))) > 0
    assert np.array_equal(patches_inside(pixels, (4, 5)), patches_inside(larger, (4, 5)))


def test_overlaps_of_a_cell_sum_to_one() -> None:
    np.testing.assert_allclose(overlaps(7, 3).sum(axis=1), 1)


@pytest.mark.parametrize("seed", range(6))
def test_pixels_outside_of_polygons_are_those_around_which_none_winds(seed: int) -> None:
    random = np.random.default_rng(seed)
    polygons = [[(float(x), float(y)) for x, y in random.uniform(-2, 12, (5, 2))] for _ in range(2)]
    polygons.append([(1.0, 1.0), (4.0, 1.0), (4.0, 3.0), (1.0, 3.0)])  # a box along the edges of pixels
    found = outside_polygons(polygons, (9, 11))
    for row in range(9):
        for column in range(11):
            x, y, inside = column + 0.5, row + 0.5, False
            for corners in polygons:
                windings = 0
                for (x1, y1), (x2, y2) in zip(corners, corners[1:] + corners[:1], strict=True):
                    if (y1 > y) != (y2 > y) and x > x1 + (y - y1) * (x2 - x1) / (y2 - y1):
                        windings += 1 if y1 < y2 else -1
                inside |= windings != 0
            assert found[row, column] == (not inside)


def test_polygon_beyond_the_picture_covers_all_of_it() -> None:
    assert not outside_polygons([[(-5, -5), (20, -5), (20, 20), (-5, 20)]], (4, 6)).any()


def test_outline_drawn_twice_around_covers_what_it_encloses() -> None:
    square = [(0.0, 0.0), (3.0, 0.0), (3.0, 3.0), (0.0, 3.0)]
    assert np.array_equal(outside_polygons([square + square], (4, 4)), outside_polygons([square], (4, 4)))
