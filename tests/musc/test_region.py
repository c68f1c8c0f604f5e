"""Which patches belong to a region, against counting in finer pixels."""

import numpy as np
import pytest

from musc.region import overlaps, patches_inside


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
